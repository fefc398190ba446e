"""The metrics given to `compile`, for each output."""

from __future__ import annotations

from typing import Any, Final

from polykeras import metrics, ops, tree
from polykeras.errors import ArgumentError
from polykeras.masking import get_mask
from polykeras.metrics import MeanMetricWrapper, Metric
from polykeras.training._compile_loss import by_output

__all__ = ["CompileMetrics"]

_ACCURACY: Final = ("accuracy", "acc")
_CROSSENTROPY: Final = ("crossentropy", "ce")


class CompileMetrics:
    """Updates every metric with the targets and outputs it belongs to.

    Args:
        plain: Names, functions or `Metric` objects, in lists or dicts.
        weighted: The same, computed with the sample weights.
        output_names: Names of the outputs, if known.

    Raises:
        ArgumentError: If a name is unknown.
    """

    def __init__(
        self, plain: Any, weighted: Any = None, output_names: list[str] | None = None
    ) -> None:
        """Check the names; shapes settle which accuracy is meant."""
        self._plain = plain
        self._weighted = weighted
        self.output_names = output_names
        self._built: list[tuple[int, Metric, bool]] | None = None
        for given in tree.flatten((plain, weighted)):
            if isinstance(given, str) and given not in _ACCURACY + _CROSSENTROPY:
                metrics.get(given)

    @property
    def metrics(self) -> list[Metric]:
        """All metrics; empty before the first batch unless given as objects."""
        if self._built is not None:
            return [m for _, m, _ in self._built]
        leaves = tree.flatten((self._plain, self._weighted))
        return [m for m in leaves if isinstance(m, Metric)]

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch to every metric."""
        outputs = tree.flatten(y_pred)
        names = self._names(y_pred, len(outputs))
        targets = by_output(y, names, "y", repeat=False)
        weights = by_output(sample_weight, names, "sample_weight", repeat=True)
        if self._built is None:
            self._built = self._build(names, targets, outputs)
        for i, metric, weighted in self._built:
            if targets[i] is None:
                continue
            weight = weights[i] if weighted else None
            mask = get_mask(outputs[i])
            if mask is not None:
                factor = ops.cast(mask, "float32")
                weight = factor if weight is None else ops.multiply(weight, factor)
            if weight is None:
                metric.update_state(targets[i], outputs[i])
            else:
                metric.update_state(targets[i], outputs[i], sample_weight=weight)

    def _names(self, y_pred: Any, count: int) -> list[str]:
        if isinstance(y_pred, dict):
            return sorted(y_pred)
        if self.output_names is not None and len(self.output_names) == count:
            return self.output_names
        return [f"output_{i}" for i in range(count)]

    def _build(
        self, names: list[str], targets: list[Any], outputs: list[Any]
    ) -> list[tuple[int, Metric, bool]]:
        built: list[tuple[int, Metric, bool]] = []
        for given, weighted in ((self._plain, False), (self._weighted, True)):
            for i, entry in enumerate(_per_output(given, names)):
                for one in tree.flatten(entry):
                    if one is None:
                        continue
                    metric = _resolve(one, targets[i], outputs[i])
                    if len(names) > 1 and not isinstance(one, Metric):
                        metric.name = f"{names[i]}_{metric.name}"
                    elif len(names) > 1 and not metric.name.startswith(names[i]):
                        metric.name = f"{names[i]}_{metric.name}"
                    built.append((i, metric, weighted))
        return built


def _per_output(given: Any, names: list[str]) -> list[Any]:
    if given is None:
        return [None] * len(names)
    if len(names) == 1:
        return [given]
    if isinstance(given, dict):
        return by_output(given, names, "metrics", repeat=False)
    if isinstance(given, list | tuple) and len(given) == len(names):
        return list(given)
    raise ArgumentError(
        f"The model has the outputs {names}, so metrics must be a dict by output name "
        f"or a list with one entry (or list) an output; got {given!r}."
    )


def _resolve(given: Any, target: Any, output: Any) -> Metric:
    if isinstance(given, Metric):
        return given
    if isinstance(given, str) and given in _ACCURACY + _CROSSENTROPY:
        form = _form(target, output)
        kind = "accuracy" if given in _ACCURACY else "crossentropy"
        fn: Any = getattr(metrics, f"{form}_{kind}")
        return MeanMetricWrapper(fn, name=given)
    found = metrics.get(given)
    if isinstance(found, Metric):
        if isinstance(given, str) and given.islower():
            found.name = given
        return found
    name = given if isinstance(given, str) else getattr(found, "__name__", "metric")
    return MeanMetricWrapper(found, name=name)


def _form(target: Any, output: Any) -> str:
    """Tell from the shapes whether classes are binary, one-hot or numbered."""
    y, p = tuple(target.shape), tuple(output.shape)
    if p and p[-1] == 1 or len(p) <= 1:
        return "binary"
    if len(y) == len(p) and y[-1] == p[-1]:
        return "categorical"
    return "sparse_categorical"
