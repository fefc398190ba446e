"""Losses: every reduction, with and without sample weights, and their functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Draw, Prepared, fixed, floats, given, ints, op

__all__ = ["CASES"]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")


def _prepared(keras: Any, case: Case) -> Prepared:
    """Ask for each reduction, without weights, with one a sample, and with one each."""

    def call(*tensors: Any) -> Any:
        args, config = case.arguments(keras, list(tensors))
        y_true, y_pred, weights = args
        cls = getattr(keras.losses, case.name.partition(".")[2])
        return [
            cls(**config, reduction=reduction)(y_true, y_pred, sample_weight=w)
            for reduction in REDUCTIONS
            for w in (None, *weights)
        ]

    return Prepared(call)


def loss(
    cls: str, y_true: Draw, y_pred: Draw, weights: Any = None, /, **config: Any
) -> Case:
    """A class of losses; one weight a sample unless other weights are given."""
    if weights is None:
        weights = [given([0.5, 2.0, 0.0])]
    args = (fixed(y_true), y_pred, [fixed(w) for w in weights])
    return Case(f"losses.{cls}", args, config, _prepared)


BATCH = 3
REAL = floats(BATCH, 4, low=-2, high=2)
POSITIVE = floats(BATCH, 4, low=0.1, high=2)
LOGITS = floats(BATCH, 4, low=-3, high=3)
PROBABILITIES = floats(BATCH, 4, low=0.05, high=0.95)
SIGNS = given([[1.0, -1, 1, -1], [-1, -1, 1, 1], [1, 1, -1, 1]])
BITS = given([[1.0, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 1]])
ONE_HOT = given(np.eye(4)[[1, 3, 0]].tolist())
LABELS = given([1, 3, 0], "int32")
EACH = floats(BATCH, 2, low=0.1, high=2)
PIXELS = floats(BATCH, 2, 4, low=0.05, high=0.95)
PIXEL_LABELS = ints(4, BATCH, 2)
PIXEL_BITS = given([[[1.0, 0, 0, 0], [0, 1, 0, 0]]] * BATCH)
PER_SAMPLE = given([[0.5, 0.5], [2.0, 2.0], [0.0, 0.0]])
PER_ROW = given([[0.5] * 4, [2.0] * 4, [0.0] * 4])

REGRESSION = [
    case
    for cls, config in (
        ("MeanSquaredError", {}),
        ("MeanAbsoluteError", {}),
        ("MeanAbsolutePercentageError", {}),
        ("LogCosh", {}),
        ("Huber", {}),
        ("Huber", {"delta": 0.4}),
        ("CosineSimilarity", {}),
        ("CosineSimilarity", {"axis": 1}),
    )
    for case in (
        loss(cls, REAL, REAL, **config),
        loss(
            cls,
            floats(BATCH, 2, 4, low=-2, high=2),
            floats(BATCH, 2, 4, low=-2, high=2),
            [PER_ROW] if "axis" in config else [PER_SAMPLE, EACH],
            **config,
        ),
    )
]
POSITIVES = [
    loss(cls, POSITIVE, POSITIVE)
    for cls in ("MeanSquaredLogarithmicError", "Poisson", "KLDivergence")
] + [
    loss("MeanSquaredLogarithmicError", REAL, REAL),
    loss("KLDivergence", BITS, PROBABILITIES),
    loss("MeanAbsolutePercentageError", BITS, REAL),
    loss("LogCosh", floats(BATCH, 2, low=-90, high=90), floats(BATCH, 2)),
]
MARGINS = [
    loss(cls, y_true, REAL)
    for cls in ("Hinge", "SquaredHinge")
    for y_true in (SIGNS, BITS)
] + [loss("CategoricalHinge", ONE_HOT, REAL), loss("CategoricalHinge", BITS, REAL)]
BINARY = [
    loss(cls, y_true, y_pred, weights, **config, **more)
    for cls, more in (
        ("BinaryCrossentropy", {}),
        ("BinaryFocalCrossentropy", {}),
        ("BinaryFocalCrossentropy", {"gamma": 3.0, "apply_class_balancing": True}),
        ("BinaryFocalCrossentropy", {"alpha": 0.6, "apply_class_balancing": True}),
    )
    for y_true, y_pred, weights, config in (
        (BITS, PROBABILITIES, None, {}),
        (BITS, PROBABILITIES, None, {"label_smoothing": 0.2}),
        (BITS, LOGITS, None, {"from_logits": True}),
        (BITS, LOGITS, None, {"from_logits": True, "label_smoothing": 0.1}),
        (PIXEL_BITS, PIXELS, [PER_SAMPLE, EACH], {}),
    )
] + [
    loss("BinaryCrossentropy", given([1, 0, 1], "int32"), floats(BATCH, low=0.1), []),
]
CATEGORICAL = [
    loss(cls, y_true, y_pred, weights, **config, **more)
    for cls, more in (
        ("CategoricalCrossentropy", {}),
        ("CategoricalFocalCrossentropy", {}),
        ("CategoricalFocalCrossentropy", {"alpha": 0.6, "gamma": 3.0}),
    )
    for y_true, y_pred, weights, config in (
        (ONE_HOT, PROBABILITIES, None, {}),
        (ONE_HOT, PROBABILITIES, None, {"label_smoothing": 0.2}),
        (ONE_HOT, LOGITS, None, {"from_logits": True}),
        (ONE_HOT, LOGITS, None, {"from_logits": True, "label_smoothing": 0.1}),
        (PIXEL_BITS, PIXELS, [PER_SAMPLE, EACH], {}),
        (PIXEL_BITS, PIXELS, [PER_ROW], {"axis": 1}),
    )
]
SPARSE = [
    loss("SparseCategoricalCrossentropy", y_true, y_pred, weights, **config)
    for y_true, y_pred, weights, config in (
        (LABELS, PROBABILITIES, None, {}),
        (LABELS, LOGITS, None, {"from_logits": True}),
        (LABELS, LOGITS, None, {"from_logits": True, "ignore_class": 3}),
        (LABELS, PROBABILITIES, None, {"ignore_class": 0}),
        (given([[1], [3], [0]], "int32"), PROBABILITIES, None, {}),
        (PIXEL_LABELS, PIXELS, [PER_SAMPLE, EACH], {}),
        (PIXEL_LABELS, PIXELS, [EACH], {"ignore_class": 1}),
    )
]
MASKS = [
    loss("Dice", BITS, PROBABILITIES, []),
    loss("Dice", PIXEL_BITS, PIXELS, axis=(1, 2)),
    loss("Dice", PIXEL_BITS, PIXELS, [], axis=1),
    loss("Tversky", BITS, PROBABILITIES, []),
    loss("Tversky", PIXEL_BITS, PIXELS, axis=(1, 2), alpha=0.3, beta=0.7),
    loss("CategoricalGeneralizedCrossEntropy", LABELS, PROBABILITIES, q=0.4),
    loss("CategoricalGeneralizedCrossEntropy", LABELS, PROBABILITIES, []),
    loss("Circle", LABELS, floats(BATCH, 4), [], gamma=2.0, margin=0.3),
    loss("Circle", given([2, 2, 0], "int32"), floats(BATCH, 4), [], gamma=4.0),
    loss(
        "CTC",
        given([[1, 2, 0], [2, 0, 0], [2, 2, 1]], "int32"),
        floats(BATCH, 6, 3, low=-2, high=2),
    ),
    loss("CTC", given([[1, 1], [2, 1]], "int32"), floats(2, 5, 4), []),
]
FUNCTIONS = [
    op(f"losses.{name}", fixed(y_true), y_pred, **config)
    for name, y_true, y_pred, config in (
        ("mean_squared_error", REAL, REAL, {}),
        ("mean_absolute_error", REAL, REAL, {}),
        ("mean_absolute_percentage_error", REAL, REAL, {}),
        ("mean_squared_logarithmic_error", POSITIVE, POSITIVE, {}),
        ("log_cosh", REAL, REAL, {}),
        ("huber", REAL, REAL, {"delta": 0.7}),
        ("huber", REAL, REAL, {}),
        ("cosine_similarity", REAL, REAL, {}),
        ("cosine_similarity", REAL, REAL, {"axis": 0}),
        ("poisson", POSITIVE, POSITIVE, {}),
        ("kl_divergence", POSITIVE, POSITIVE, {}),
        ("hinge", SIGNS, REAL, {}),
        ("squared_hinge", BITS, REAL, {}),
        ("categorical_hinge", ONE_HOT, REAL, {}),
        ("binary_crossentropy", BITS, PROBABILITIES, {"label_smoothing": 0.1}),
        ("binary_crossentropy", BITS, LOGITS, {"from_logits": True}),
        ("binary_focal_crossentropy", BITS, PROBABILITIES, {"gamma": 1.5}),
        (
            "binary_focal_crossentropy",
            BITS,
            LOGITS,
            {"from_logits": True, "apply_class_balancing": True},
        ),
        ("categorical_crossentropy", ONE_HOT, PROBABILITIES, {}),
        ("categorical_crossentropy", ONE_HOT, LOGITS, {"from_logits": True}),
        ("categorical_focal_crossentropy", ONE_HOT, PROBABILITIES, {"alpha": 0.3}),
        ("categorical_focal_crossentropy", ONE_HOT, LOGITS, {"from_logits": True}),
        ("sparse_categorical_crossentropy", LABELS, PROBABILITIES, {}),
        ("sparse_categorical_crossentropy", LABELS, PROBABILITIES, {"ignore_class": 1}),
        ("dice", BITS, PROBABILITIES, {}),
        ("tversky", BITS, PROBABILITIES, {"alpha": 0.2}),
    )
]


def _own(keras: Any, case: Case) -> Prepared:
    class Cubed(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    def call(*tensors: Any) -> Any:
        (y_true, y_pred, weight), _ = case.arguments(keras, list(tensors))
        return [
            Cubed(reduction=r)(y_true, y_pred, sample_weight=w)
            for r in REDUCTIONS
            for w in (None, weight)
        ]

    return Prepared(call)


OWN = [Case("losses.Loss", (fixed(REAL), REAL, given([0.5, 2.0, 0.0])), {}, _own)]
CASES = [
    *REGRESSION,
    *POSITIVES,
    *MARGINS,
    *BINARY,
    *CATEGORICAL,
    *SPARSE,
    *MASKS,
    *FUNCTIONS,
    *OWN,
]
