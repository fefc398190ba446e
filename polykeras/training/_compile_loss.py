"""The losses given to `compile`, one an output, as one scalar."""

from __future__ import annotations

from typing import Any

from polykeras import losses, metrics, ops, tree
from polykeras.errors import ArgumentError, DataError, nearest
from polykeras.losses import Loss
from polykeras.masking import get_mask

__all__ = ["CompileLoss", "by_output", "weights_with_mask"]


class CompileLoss:
    """Sums the weighted losses of all outputs.

    Args:
        loss: A name, function, `Loss`, or a list or dict of them.
        loss_weights: A factor, or a list or dict of factors.
        output_names: Names of the outputs, if known.

    Raises:
        ArgumentError: If a name is unknown.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None
    ) -> None:
        """Look names up."""
        self._given = loss
        self._weights = loss_weights
        self.output_names = output_names
        self._resolved = _map_losses(loss)
        self._trackers: list[Any] = []
        self._last: list[Any] = []

    @property
    def metrics(self) -> list[Any]:
        """A running mean of each output's loss, if there are several outputs."""
        return self._trackers

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the total loss of a batch, or None if no output has one."""
        outputs = tree.flatten(y_pred)
        names = self._names(y_pred, len(outputs))
        fns = by_output(self._resolved, names, "loss", repeat=True)
        factors = by_output(self._weights, names, "loss_weights", repeat=False)
        targets = by_output(y, names, "y", repeat=False)
        weights = by_output(sample_weight, names, "sample_weight", repeat=True)
        if len(outputs) > 1 and not self._trackers:
            self._trackers = [
                metrics.Mean(name=f"{name}_loss")
                for name, fn in zip(names, fns, strict=True)
                if fn is not None
            ]
        total: Any = None
        self._last = []
        for fn, factor, target, out, weight, name in zip(
            fns, factors, targets, outputs, weights, names, strict=True
        ):
            if fn is None:
                continue
            if target is None:
                raise DataError(
                    f"The output {name!r} has a loss, but the data hold no target for "
                    "it. Pass y, or loss=None for this output."
                )
            value = fn(target, out, weights_with_mask(fn, out, weight))
            self._last.append(value)
            if factor is not None:
                value = ops.multiply(value, factor)
            total = value if total is None else ops.add(total, value)
        return total

    def track(self, sample_weight: Any) -> None:
        """Add the last batch to the running means of the outputs."""
        for tracker, value in zip(self._trackers, self._last, strict=False):
            tracker.update_state(value, sample_weight=sample_weight)
        self._last = []

    def _names(self, y_pred: Any, count: int) -> list[str]:
        if isinstance(y_pred, dict):
            return sorted(y_pred)
        if self.output_names is not None and len(self.output_names) == count:
            return self.output_names
        return [f"output_{i}" for i in range(count)]


def _map_losses(loss: Any) -> Any:
    if isinstance(loss, dict) and "class_name" not in loss:
        return {k: _map_losses(v) for k, v in loss.items()}
    if isinstance(loss, list | tuple):
        return [_map_losses(v) for v in loss]
    found = losses.get(loss)
    if found is None or isinstance(found, Loss):
        return found
    return losses.LossFunctionWrapper(found, name=getattr(found, "__name__", "loss"))


def by_output(given: Any, names: list[str], what: str, *, repeat: bool) -> list[Any]:
    """Return one entry for each output.

    Args:
        given: One entry, or a list or dict of entries.
        names: Names of the outputs.
        what: For messages.
        repeat: Whether a single entry serves all outputs.

    Raises:
        ArgumentError: If the number or the names do not fit.
    """
    count = len(names)
    if given is None:
        return [None] * count
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise ArgumentError(
                f"{what} has the key {unknown[0]!r}, but the outputs of the model are "
                f"{names}. {nearest(unknown[0], names)}"
            )
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple):
        if count == 1 and len(given) != 1:
            return [given]
        if len(given) != count:
            raise ArgumentError(
                f"{what} has {len(given)} entries, but the model has {count} outputs "
                f"{names}."
            )
        return list(given)
    if count == 1 or repeat:
        return [given] * count
    raise ArgumentError(
        f"{what} is a single {type(given).__name__}, but the model has {count} outputs "
        f"{names}. Pass a list or a dict."
    )


def weights_with_mask(loss: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Combine sample weights with the mask that follows the outputs.

    A masked position has weight 0, and under a mean the others count for more, so
    that the mean is over what is not masked.
    """
    mask = get_mask(y_pred)
    if mask is None:
        return sample_weight
    factor = ops.cast(mask, "float32")
    if getattr(loss, "reduction", None) in ("mean", "sum_over_batch_size"):
        total = 1
        for n in mask.shape:
            total *= n
        valid = ops.maximum(ops.sum(factor), 1.0)
        factor = ops.multiply(factor, ops.divide(float(total), valid))
    if sample_weight is None:
        return factor
    while len(sample_weight.shape) < len(mask.shape):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return ops.multiply(ops.cast(sample_weight, "float32"), factor)
