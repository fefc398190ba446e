"""Metrics: three batches, with and without weights, read after each, then reset."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Draw, Prepared, floats, given, ints, op

__all__ = ["CASES"]

BATCHES = 3


def _prepared(keras: Any, case: Case) -> Prepared:
    def call(*tensors: Any) -> Any:
        (data, weights), config = case.arguments(keras, list(tensors))
        cls = getattr(keras.metrics, case.name.partition(".")[2])
        size = len(data[0]) // BATCHES
        parts = [slice(i * size, (i + 1) * size) for i in range(BATCHES)]
        found = []
        for w in (None, *weights):
            metric = cls(**config)
            for part in parts:
                more = {} if w is None else {"sample_weight": w[part]}
                metric.update_state(*(x[part] for x in data), **more)
                found.append(_value(keras, metric.result()))
            metric.reset_state()
            found.append(metric(*(x[parts[0]] for x in data)))
        return found

    return Prepared(call)


def _value(keras: Any, result: Any) -> np.ndarray:
    """Return a copy: Keras on TensorFlow may give the variable's own memory."""
    return np.array(keras.ops.convert_to_numpy(result))


def metric(cls: str, *data: Draw, weights: Any = None, **config: Any) -> Case:
    """A class of metrics; one weight a sample unless other weights are given."""
    if weights is None:
        weights = [WEIGHTS]
    return Case(f"metrics.{cls}", (data, weights), config, _prepared, gradient=False)


N = 9
REAL = floats(N, 3, low=-2, high=2)
POSITIVE = floats(N, 3, low=0.1, high=2)
LOGITS = floats(N, 3, low=-3, high=3)
PROBABILITIES = floats(N, 3, low=0.05, high=0.95)
WEIGHTS = given([0.5, 2, 0, 1, 1.5, 0.25, 3, 1, 0.75])
BITS = given([[1.0, 0, 1], [0, 0, 1], [1, 1, 0]] * 3)
SIGNS = given([[1.0, -1, 1], [-1, -1, 1], [1, 1, -1]] * 3)
CHOSEN = [1, 2, 0, 0, 1, 2, 2, 0, 1]
ONE_HOT = given(np.eye(3)[CHOSEN].tolist())
LABELS = given(CHOSEN, "int32")
TRUTH = given([0.0, 1, 1, 0, 1, 0, 1, 1, 0])
# No score equals a threshold: which side it falls on would depend on its rounding.
SCORES = given([0.11, 0.43, 0.36, 0.82, 0.73, 0.22, 0.91, 0.57, 0.51])
PIXELS = floats(N, 2, 3, low=0.05, high=0.95)
PIXEL_LABELS = ints(3, N, 2)
EACH = floats(N, 2, low=0.1, high=2)

MEANS = [
    metric("Mean", floats(N)),
    metric("Mean", floats(N, 2), weights=[WEIGHTS, EACH]),
    metric("Sum", floats(N)),
    metric("Sum", floats(N, 2), weights=[WEIGHTS, EACH]),
    *(
        metric(cls, y_true, REAL)
        for cls, y_true in (
            ("MeanSquaredError", REAL),
            ("RootMeanSquaredError", REAL),
            ("MeanAbsoluteError", REAL),
            ("MeanAbsolutePercentageError", REAL),
            ("MeanSquaredLogarithmicError", REAL),
            ("LogCoshError", REAL),
            ("CosineSimilarity", REAL),
            ("Hinge", SIGNS),
            ("Hinge", BITS),
            ("SquaredHinge", SIGNS),
            ("CategoricalHinge", ONE_HOT),
        )
    ),
    metric("MeanSquaredError", floats(N, 2, 3), floats(N, 2, 3), weights=[EACH]),
    metric("RootMeanSquaredError", floats(N), floats(N)),
    metric("CosineSimilarity", PIXELS, PIXELS, weights=[WEIGHTS], axis=1),
    metric("Poisson", POSITIVE, POSITIVE),
    metric("KLDivergence", POSITIVE, POSITIVE),
    metric("BinaryCrossentropy", BITS, PROBABILITIES),
    metric("BinaryCrossentropy", BITS, LOGITS, from_logits=True, label_smoothing=0.1),
    metric("CategoricalCrossentropy", ONE_HOT, PROBABILITIES),
    metric(
        "CategoricalCrossentropy",
        ONE_HOT,
        LOGITS,
        from_logits=True,
        label_smoothing=0.1,
    ),
    metric("SparseCategoricalCrossentropy", LABELS, PROBABILITIES),
    metric("SparseCategoricalCrossentropy", LABELS, LOGITS, from_logits=True),
    metric("SparseCategoricalCrossentropy", LABELS, PROBABILITIES, ignore_class=1),
    metric("SparseCategoricalCrossentropy", PIXEL_LABELS, PIXELS, weights=[EACH]),
]
ACCURACIES = [
    metric("Accuracy", ints(3, N), ints(3, N)),
    metric("Accuracy", ints(3, N, 2), ints(3, N, 2), weights=[EACH]),
    metric("BinaryAccuracy", BITS, PROBABILITIES),
    metric("BinaryAccuracy", TRUTH, SCORES, threshold=0.7),
    metric("BinaryAccuracy", given([[1.0]] * N), floats(N, 1, low=0)),
    metric("CategoricalAccuracy", ONE_HOT, PROBABILITIES),
    metric("CategoricalAccuracy", ints(2, N, 2, 3), PIXELS, weights=[EACH]),
    metric("SparseCategoricalAccuracy", LABELS, PROBABILITIES),
    metric("SparseCategoricalAccuracy", given([[c] for c in CHOSEN]), PROBABILITIES),
    metric("SparseCategoricalAccuracy", PIXEL_LABELS, PIXELS, weights=[EACH]),
    metric("TopKCategoricalAccuracy", ONE_HOT, PROBABILITIES, k=2),
    metric("TopKCategoricalAccuracy", ONE_HOT, PROBABILITIES, k=1),
    metric("SparseTopKCategoricalAccuracy", LABELS, PROBABILITIES, k=2),
    metric("SparseTopKCategoricalAccuracy", PIXEL_LABELS, PIXELS, k=2, weights=[EACH]),
    metric(
        "SparseTopKCategoricalAccuracy",
        LABELS,
        given(np.argsort(np.cos(np.arange(27.0)).reshape(9, 3)).tolist(), "int32"),
        k=2,
        from_sorted_ids=True,
    ),
]
COUNTS = [
    metric(cls, y_true, y_pred, weights=weights, **config)
    for cls in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
    for y_true, y_pred, weights, config in (
        (TRUTH, SCORES, None, {}),
        (TRUTH, SCORES, None, {"thresholds": 0.35}),
        (BITS, PROBABILITIES, None, {"thresholds": [0.2, 0.5, 0.8]}),
    )
]
RATES = [
    metric(cls, y_true, y_pred, weights=weights, **config)
    for cls in ("Precision", "Recall")
    for y_true, y_pred, weights, config in (
        (TRUTH, SCORES, None, {}),
        (TRUTH, SCORES, None, {"thresholds": [0.2, 0.5, 0.8]}),
        (BITS, PROBABILITIES, None, {"top_k": 2}),
        (BITS, PROBABILITIES, None, {"class_id": 1}),
        (BITS, PROBABILITIES, None, {"top_k": 1, "class_id": 2}),
    )
] + [
    metric(cls, y_true, y_pred, **config)
    for cls, target in (
        ("PrecisionAtRecall", {"recall": 0.55}),
        ("RecallAtPrecision", {"precision": 0.55}),
        ("SensitivityAtSpecificity", {"specificity": 0.45}),
        ("SpecificityAtSensitivity", {"sensitivity": 0.55}),
    )
    for y_true, y_pred, config in (
        (TRUTH, SCORES, target),
        (TRUTH, SCORES, {**target, "num_thresholds": 5}),
        (TRUTH, SCORES, {**target, "num_thresholds": 1}),
        (BITS, PROBABILITIES, {**target, "class_id": 1}),
    )
]
AREAS = [
    metric("AUC", y_true, y_pred, **config)
    for y_true, y_pred, config in (
        (TRUTH, SCORES, {}),
        (TRUTH, SCORES, {"num_thresholds": 5}),
        (TRUTH, SCORES, {"num_thresholds": 7, "summation_method": "minoring"}),
        (TRUTH, SCORES, {"num_thresholds": 7, "summation_method": "majoring"}),
        (TRUTH, SCORES, {"curve": "PR"}),
        (TRUTH, SCORES, {"curve": "PR", "summation_method": "majoring"}),
        (TRUTH, SCORES, {"thresholds": [0.3, 0.6]}),
        (TRUTH, floats(N, low=-3, high=3), {"from_logits": True}),
        (BITS, PROBABILITIES, {"multi_label": True}),
        (
            BITS,
            PROBABILITIES,
            {"multi_label": True, "label_weights": [0.2, 0.5, 0.3], "curve": "PR"},
        ),
        (BITS, PROBABILITIES, {}),
    )
]
SCORES_OF_CLASSES = [
    metric(cls, BITS, PROBABILITIES, **config, **more)
    for cls, more in (("F1Score", {}), ("FBetaScore", {"beta": 2.0}))
    for config in (
        {},
        {"average": "micro"},
        {"average": "macro", "threshold": 0.4},
        {"average": "weighted", "threshold": 0.6},
    )
] + [
    metric("R2Score", REAL, REAL, **config)
    for config in (
        {},
        {"class_aggregation": None},
        {"class_aggregation": "variance_weighted_average"},
        {"num_regressors": 1},
    )
]
OVERLAPS = [
    metric("IoU", ints(3, N), ints(3, N), num_classes=3, target_class_ids=[0, 2]),
    metric(
        "IoU",
        ONE_HOT,
        PROBABILITIES,
        num_classes=3,
        target_class_ids=[1],
        sparse_y_true=False,
        sparse_y_pred=False,
    ),
    metric("MeanIoU", ints(3, N), ints(3, N), num_classes=3),
    metric("MeanIoU", ints(3, N), ints(3, N), num_classes=3, ignore_class=1),
    metric("MeanIoU", ints(3, N, 2), ints(3, N, 2), num_classes=3, weights=[EACH]),
    metric("BinaryIoU", BITS, PROBABILITIES, weights=[]),
    metric("BinaryIoU", BITS, PROBABILITIES, weights=[], target_class_ids=[1]),
    metric("BinaryIoU", TRUTH, SCORES, threshold=0.3),
    metric("OneHotIoU", ONE_HOT, PROBABILITIES, num_classes=3, target_class_ids=[0, 1]),
    metric(
        "OneHotIoU",
        ONE_HOT,
        ints(3, N),
        num_classes=3,
        target_class_ids=[2],
        sparse_y_pred=True,
    ),
    metric("OneHotMeanIoU", ONE_HOT, PROBABILITIES, num_classes=3),
    metric("OneHotMeanIoU", ONE_HOT, ints(3, N), num_classes=3, sparse_y_pred=True),
    metric("PearsonCorrelation", REAL, REAL),
    metric("PearsonCorrelation", REAL, REAL, weights=[], axis=0),
    metric("ConcordanceCorrelation", REAL, REAL),
    metric("ConcordanceCorrelation", REAL, REAL, weights=[], axis=0),
]


def _of_function(keras: Any, case: Case) -> Prepared:
    def function(y_true: Any, y_pred: Any, power: float = 1.0) -> Any:
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** power, axis=-1)

    class Own(keras.metrics.Metric):
        def __init__(self, name: str = "own", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.total = self.add_variable((2,), initializer="zeros", name="total")
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None):
            change = keras.ops.abs(y_true - y_pred)
            self.total.assign_add(keras.ops.sum(change[:, :2], axis=0))
            self.count.assign(self.count + len(change))

        def result(self) -> Any:
            return self.total / self.count

    def call(*tensors: Any) -> Any:
        (y_true, y_pred, weights), _ = case.arguments(keras, list(tensors))
        wrapped = keras.metrics.MeanMetricWrapper(function, name="f", power=3.0)
        own = Own()
        found = []
        for part in (slice(0, 5), slice(5, None)):
            wrapped.update_state(y_true[part], y_pred[part], weights[part])
            own.update_state(y_true[part], y_pred[part])
            found += [wrapped.result(), own.result()]
        own.reset_state()
        return [*found, *own.variables]

    return Prepared(call)


OWN = [
    Case(
        "metrics.MeanMetricWrapper",
        (REAL, REAL, WEIGHTS),
        {},
        _of_function,
        gradient=False,
        covers=("metrics.Metric",),
    )
]
FUNCTIONS = [
    op(f"metrics.{name}", *args, about={"gradient": False}, **config)
    for name, args, config in (
        ("binary_accuracy", (BITS, PROBABILITIES), {}),
        ("binary_accuracy", (BITS, PROBABILITIES), {"threshold": 0.7}),
        ("categorical_accuracy", (ONE_HOT, PROBABILITIES), {}),
        ("sparse_categorical_accuracy", (LABELS, PROBABILITIES), {}),
        ("sparse_categorical_accuracy", (PIXEL_LABELS, PIXELS), {}),
        ("top_k_categorical_accuracy", (ONE_HOT, PROBABILITIES), {"k": 2}),
        ("sparse_top_k_categorical_accuracy", (LABELS, PROBABILITIES), {"k": 2}),
    )
]
CASES = [
    *MEANS,
    *ACCURACIES,
    *COUNTS,
    *RATES,
    *AREAS,
    *SCORES_OF_CLASSES,
    *OVERLAPS,
    *OWN,
    *FUNCTIONS,
]
