"""The metrics given to `compile`, for each output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from polykeras import dtypes, metrics, tree
from polykeras.errors import ArgumentError
from polykeras.losses.reduction import mask_weight
from polykeras.masking import get_mask
from polykeras.metrics import MeanMetricWrapper, Metric
from polykeras.training._outputs import by_output, names_of_outputs

__all__ = ["CompileMetrics"]

_ACCURACY: Final = ("accuracy", "acc")
_CROSSENTROPY: Final = ("crossentropy", "ce")


@dataclass
class _Entry:
    """A metric with its key in the logs and the output it belongs to."""

    key: str
    metric: Metric
    output: int
    weighted: bool


class CompileMetrics:
    """Updates every metric with the targets and outputs it belongs to.

    Args:
        plain: Names, functions or `Metric` objects, in lists or dicts.
        weighted: The same, computed with the sample weights.

    Raises:
        ArgumentError: If a name is unknown.
    """

    def __init__(self, plain: Any, weighted: Any = None) -> None:
        """Check the names; shapes settle which accuracy is meant."""
        self._plain = plain
        self._weighted = weighted
        self._entries: list[_Entry] | None = None
        for given in tree.flatten((plain, weighted)):
            if given is not None and given not in _ACCURACY + _CROSSENTROPY:
                metrics.get(given)

    @property
    def metrics(self) -> list[Metric]:
        """All metrics; before the first batch only those given as objects."""
        if self._entries is not None:
            return [entry.metric for entry in self._entries]
        leaves = tree.flatten((self._plain, self._weighted))
        return [m for m in leaves if isinstance(m, Metric)]

    def result(self) -> dict[str, Any]:
        """Return the value of each metric by its key in the logs.

        A key is the string a metric was chosen by, or its name, with the output's
        name in front if there are several.
        """
        found: dict[str, Any] = {}
        for entry in self._entries or ():
            value = entry.metric.result()
            found.update(value if isinstance(value, dict) else {entry.key: value})
        return found

    def update_state(
        self,
        y: Any,
        y_pred: Any,
        sample_weight: Any = None,
        output_names: list[str] | None = None,
    ) -> None:
        """Add a batch to every metric.

        Args:
            y: Targets: one, or a list or dict of them.
            y_pred: Outputs.
            sample_weight: Likewise; one serves all outputs.
            output_names: The names that the model gives its outputs.

        Raises:
            ArgumentError: If metrics or targets do not fit the outputs.
        """
        outputs = tree.flatten(y_pred)
        names = names_of_outputs(y_pred, output_names)
        targets = by_output(y, names, "y", repeat=False)
        weights = by_output(sample_weight, names, "sample_weight", repeat=True)
        if self._entries is None:
            self._entries = self._build(names, targets, outputs)
        for entry in self._entries:
            target, output = targets[entry.output], outputs[entry.output]
            if target is None:
                continue
            weight = weights[entry.output] if entry.weighted else None
            mask = get_mask(output)
            if mask is not None:
                own = entry.metric.dtype
                dtype = own if dtypes.is_float(own) else "float32"
                weight = mask_weight(mask, weight, dtype, mean=False)
            if weight is None:
                entry.metric.update_state(target, output)
            else:
                entry.metric.update_state(target, output, sample_weight=weight)

    def _build(
        self, names: list[str], targets: list[Any], outputs: list[Any]
    ) -> list[_Entry]:
        entries: list[_Entry] = []
        for given, weighted in ((self._plain, False), (self._weighted, True)):
            for i, chosen in enumerate(_per_output(given, names)):
                for one in tree.flatten(chosen):
                    if one is None or targets[i] is None:
                        continue
                    key, metric = _resolve(one, targets[i], outputs[i])
                    prefix = f"{names[i]}_" if len(names) > 1 else ""
                    key = _free_key(prefix, key, {e.key for e in entries}, weighted)
                    entries.append(_Entry(key, metric, i, weighted))
        return entries


def _free_key(prefix: str, name: str, taken: set[str], weighted: bool) -> str:
    key = prefix + name
    if weighted and key in taken:
        key = f"{prefix}weighted_{name}"
    if key not in taken:
        return key
    number = 1
    while f"{key}_{number}" in taken:
        number += 1
    return f"{key}_{number}"


def _per_output(given: Any, names: list[str]) -> list[Any]:
    if isinstance(given, dict):
        return by_output(given, names, "metrics", repeat=False)
    if given is None or len(names) == 1:
        return [given] * len(names)
    if isinstance(given, list | tuple) and len(given) == len(names):
        return list(given)
    raise ArgumentError(
        f"The model has the outputs {names}, so metrics must be a dict by output name "
        f"or a list with one entry (or list) an output; got {given!r}."
    )


def _resolve(given: Any, target: Any, output: Any) -> tuple[str, Metric]:
    if isinstance(given, Metric):
        return given.name, given
    if isinstance(given, str) and given in _ACCURACY + _CROSSENTROPY:
        form = _form(target, output)
        kind = "accuracy" if given in _ACCURACY else "crossentropy"
        fn: Any = getattr(metrics, f"{form}_{kind}")
        return given, MeanMetricWrapper(fn, name=given)
    found = metrics.get(given)
    if not isinstance(found, Metric):
        found = MeanMetricWrapper(found)
    if isinstance(given, str):
        found.name = given
    return found.name, found


def _form(target: Any, output: Any) -> str:
    """Tell from the shapes whether classes are binary, one-hot or numbered."""
    y, p = tuple(target.shape), tuple(output.shape)
    if len(p) <= 1 or p[-1] == 1:
        return "binary"
    if len(y) == len(p) and y[-1] == p[-1]:
        return "categorical"
    return "sparse_categorical"
