"""Losses: functions of labels and predictions, and classes that reduce them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from polykeras import registry
from polykeras.errors import ArgumentError
from polykeras.losses.base import (
    Loss,
    LossFunctionWrapper,
)
from polykeras.losses.classification import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from polykeras.losses.classification_classes import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from polykeras.losses.margin import (
    categorical_hinge,
    circle,
    hinge,
    squared_hinge,
)
from polykeras.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from polykeras.losses.regression_classes import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from polykeras.losses.segmentation import (
    dice,
    tversky,
)
from polykeras.losses.sequence import ctc
from polykeras.losses.structured_classes import (
    CTC,
    CategoricalHinge,
    Circle,
    Dice,
    Hinge,
    SquaredHinge,
    Tversky,
)

__all__ = [
    "CTC",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

_CLASSES: Final = (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CTC,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
    Loss,
    LossFunctionWrapper,
)
_FUNCTIONS: Final = (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine_similarity,
    ctc,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
# The names that strings may use.
_BY_NAME: Final[dict[str, Any]] = {
    **{obj.__name__: obj for obj in (*_CLASSES, *_FUNCTIONS)},
    "BCE": binary_crossentropy,
    "KLD": kl_divergence,
    "MAE": mean_absolute_error,
    "MAPE": mean_absolute_percentage_error,
    "MSE": mean_squared_error,
    "MSLE": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}


def get(identifier: Any) -> Any:
    """Return a loss for a name, a config, a class or a function.

    Args:
        identifier: Such as ``"mse"`` or ``"MeanSquaredError"``.

    Returns:
        A function or a `Loss`; None for None.

    Raises:
        ArgumentError: If there is no such loss.

    >>> get("mse").__name__
    'mean_squared_error'
    """
    return registry.resolve(identifier, "loss", _BY_NAME)


def serialize(loss: Any) -> Any:
    """Return plain data that describes a loss."""
    data = registry.serialize_keras_object(loss)
    if isinstance(data, dict) and data.get("class_name") == "function":
        return data["registered_name"] if data["config"] in _BY_NAME else data
    return data


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the loss that `serialize` described.

    Args:
        name: Plain data, or a loss's name.
        custom_objects: Names that the data may use.

    Raises:
        ArgumentError: If the data names something unknown.
    """
    with registry.CustomObjectScope(custom_objects or {}):
        found = get(name)
    if found is None:
        raise ArgumentError("Expected the description of a loss, got None.")
    return found
