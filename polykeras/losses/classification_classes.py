"""Losses between class probabilities, as classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.losses.base import LossFunctionWrapper
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
from polykeras.registry import public

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
]


@public
class BinaryCrossentropy(LossFunctionWrapper):
    """The cross-entropy of independent yes-or-no predictions.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far labels move toward the uniform distribution.
        axis: The axis or axes of one value of the loss.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> round(float(BinaryCrossentropy()([[1.0]], [[0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@public
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy that gives easy samples little weight.

    Args:
        apply_class_balancing: Whether to weigh the classes by `alpha`.
        alpha: As for the function.
        gamma: As for the function.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far labels move toward the uniform distribution.
        axis: The axis or axes of one value of the loss.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@public
class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of predicted and one-hot labels.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far labels move toward the uniform distribution.
        axis: The axis or axes of one value of the loss.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@public
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross-entropy that gives easy samples little weight.

    Args:
        alpha: As for the function.
        gamma: As for the function.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far labels move toward the uniform distribution.
        axis: The axis or axes of one value of the loss.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@public
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of predictions and class numbers.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        ignore_class: A class number whose samples are left out.
        reduction: As for `Loss`.
        axis: The axis or axes of one value of the loss.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.ignore_class = ignore_class

    def counted(self, y_true: Any, losses: Tensor) -> Tensor | None:
        """Return which samples are not of the class to ignore."""
        if self.ignore_class is None:
            return None
        labels = ops.convert_to_tensor(y_true)
        if len(labels.shape) > 1 and labels.shape[-1] == 1:
            labels = ops.squeeze(labels, -1)
        return ops.not_equal(labels, self.ignore_class)


@public
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """A loss between absolute error and cross-entropy, for noisy labels.

    Args:
        q: Between 0 (cross-entropy) and 1 (absolute error).
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_generalized_cross_entropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            q=q,
        )


@public
class KLDivergence(LossFunctionWrapper):
    """The Kullback-Leibler divergence from predictions to labels.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            kl_divergence,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class Poisson(LossFunctionWrapper):
    """The negative log-likelihood of counts.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            poisson,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )
