"""`AUC`: the area under a curve of rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from polykeras import config, ops
from polykeras.errors import ArgumentError, nearest
from polykeras.metrics._counts import (
    Counts,
    check_thresholds,
    count,
    even_thresholds,
)
from polykeras.metrics.base import Metric
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["AUC"]

_CURVES: Final = ("ROC", "PR", "PRGAIN")
_SUMMATIONS: Final = ("interpolation", "majoring", "minoring")


@public
class AUC(Metric):
    """The area under the ROC, precision-recall or gain curve, by a Riemann sum.

    Args:
        num_thresholds: How many points the curve has.
        curve: ``"ROC"``, ``"PR"`` or ``"PRGAIN"``.
        summation_method: ``"interpolation"``, ``"minoring"`` or ``"majoring"``.
        name: The metric's name.
        dtype: As for `Metric`.
        thresholds: The inner thresholds, in place of evenly spaced ones.
        multi_label: Whether to average the areas of the labels.
        num_labels: The number of labels; None takes it from the first batch.
        label_weights: Weights of the labels in that average.
        from_logits: Whether predictions go through a sigmoid first.

    Raises:
        ArgumentError: If an argument has a value not listed here.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75

    Reference: Davis and Goadrich, 2006, "The relationship between precision-recall
    and ROC curves", for the interpolation of precision; Flach and Kull, 2015,
    "Precision-recall-gain curves: PR analysis done right", section 3, for the gains.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        _check("curve", curve.upper(), _CURVES)
        _check("summation_method", summation_method.lower(), _SUMMATIONS)
        if thresholds is None and num_thresholds < 2:
            raise ArgumentError(
                f"num_thresholds must be at least 2, got {num_thresholds!r}."
            )
        tiny = config.epsilon()
        self.init_thresholds = thresholds
        if thresholds is None:
            self._thresholds = even_thresholds(num_thresholds, tiny, tiny)
        else:
            inner = sorted(check_thresholds(list(thresholds)))
            self._thresholds = [-tiny, *inner, 1 + tiny]
        self.num_thresholds = len(self._thresholds)
        self.curve = curve.upper()
        self.summation_method = summation_method.lower()
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        self.built = False
        if not multi_label:
            if label_weights is not None:
                raise ArgumentError("label_weights need multi_label=True.")
            self._build(())
        elif num_labels is not None:
            self._build((num_labels,))

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, from just below 0 to just above 1."""
        return list(self._thresholds)

    def _build(self, labels: tuple[int, ...]) -> None:
        for field in Counts._fields:
            shape = (self.num_thresholds, *labels)
            setattr(self, field, self.add_variable(shape, "zeros", name=field))
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Labels 0 or 1.
            y_pred: Probabilities, or with `from_logits` logits, of the same shape.
            sample_weight: Weights of the leading axes.
        """
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), self.dtype)
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        if not self.built:
            self._build((y_pred.shape[-1],))
        counts = count(
            y_true,
            y_pred,
            sample_weight,
            self._thresholds,
            self.dtype,
            evenly=self.init_thresholds is None,
            by_label=self.multi_label,
        )
        for variable, new in zip(self._variables, counts, strict=True):
            variable.assign(ops.add(variable.value, new))

    def result(self) -> Tensor:
        """Return the area, averaged over labels if there are several."""
        counts = Counts(*(v.value for v in self._variables))
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._average(_precision_recall_area(counts))
        x, y = self._curve_points(counts)
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = ops.divide(ops.add(left, right), 2.0)
        elif self.summation_method == "minoring":
            heights = ops.minimum(left, right)
        else:
            heights = ops.maximum(left, right)
        widths = ops.subtract(x[:-1], x[1:])
        return self._average(ops.sum(ops.multiply(widths, heights), axis=0))

    def _curve_points(self, c: Counts) -> tuple[Tensor, Tensor]:
        hits, false_alarms = c.true_positives, c.false_positives
        positives = ops.add(hits, c.false_negatives)
        negatives = ops.add(false_alarms, c.true_negatives)
        recall = ops.divide_no_nan(hits, positives)
        if self.curve == "ROC":
            return ops.divide_no_nan(false_alarms, negatives), recall
        if self.curve == "PR":
            return recall, ops.divide_no_nan(hits, ops.add(hits, false_alarms))
        odds = ops.divide_no_nan(positives, negatives)
        found = ops.greater(hits, 0)

        def gain(wrong: Tensor) -> Tensor:
            # The curve lives in the unit square; without hits there is no gain.
            ratio = ops.divide_no_nan(wrong, hits)
            value = ops.subtract(1.0, ops.multiply(odds, ratio))
            return ops.where(found, ops.maximum(value, 0.0), ops.zeros_like(value))

        return gain(c.false_negatives), gain(false_alarms)

    def _average(self, areas: Tensor) -> Tensor:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.cast(list(self.label_weights), self.dtype)
        total = ops.sum(ops.multiply(areas, weights))
        return ops.divide_no_nan(total, ops.sum(weights))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self.init_thresholds is not None:
            config["thresholds"] = list(self.init_thresholds)
        return config


def _check(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ArgumentError(f"Unknown {what} {value!r}. {nearest(value, allowed)}")


def _precision_recall_area(c: Counts) -> Tensor:
    """Integrate precision over recall; between two points precision is no line."""
    hits = c.true_positives
    flagged = ops.add(hits, c.false_positives)
    new_hits = ops.subtract(hits[:-1], hits[1:])
    new_flagged = ops.subtract(flagged[:-1], flagged[1:])
    slope = ops.divide_no_nan(new_hits, ops.maximum(new_flagged, 0.0))
    intercept = ops.subtract(hits[1:], ops.multiply(slope, flagged[1:]))
    both = ops.logical_and(ops.greater(flagged[:-1], 0), ops.greater(flagged[1:], 0))
    ratio = ops.divide_no_nan(flagged[:-1], ops.maximum(flagged[1:], 0.0))
    ratio = ops.where(both, ratio, ops.ones_like(ratio))
    pieces = ops.multiply(
        slope, ops.add(new_hits, ops.multiply(intercept, ops.log(ratio)))
    )
    positives = ops.maximum(ops.add(hits[1:], c.false_negatives[1:]), 0.0)
    return ops.sum(ops.divide_no_nan(pieces, positives), axis=0)
