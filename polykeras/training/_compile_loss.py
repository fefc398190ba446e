"""The losses given to `compile`, one an output, as one scalar."""

from __future__ import annotations

from typing import Any

from polykeras import losses, metrics, ops, tree
from polykeras.errors import DataError
from polykeras.losses import Loss
from polykeras.losses.reduction import mask_weight
from polykeras.masking import get_mask
from polykeras.training._outputs import by_output, names_of_outputs

__all__ = ["CompileLoss"]


class CompileLoss:
    """Sums the weighted losses of all outputs.

    Attributes:
        losses: The loss, or a list or dict of losses, None where there is none.

    Args:
        loss: A name, function, `Loss`, or a list or dict of them.
        loss_weights: A factor, or a list or dict of factors.

    Raises:
        ArgumentError: If a name is unknown.
    """

    def __init__(self, loss: Any, loss_weights: Any = None) -> None:
        """Look names up."""
        self.losses = _resolve(loss)
        self._factors = loss_weights
        self._per_output: tuple[list[str], list[Any], list[Any]] | None = None
        self._trackers: dict[str, metrics.Mean] = {}

    @property
    def metrics(self) -> list[metrics.Mean]:
        """A running mean of each output's loss, if several outputs have one."""
        return list(self._trackers.values())

    def per_output(
        self, names: list[str]
    ) -> tuple[list[str], list[Loss | None], list[Any]]:
        """Return the names of the outputs, the loss of each, and its factor.

        Raises:
            ArgumentError: If losses or factors do not fit the outputs.
        """
        if self._per_output is None or self._per_output[0] != names:
            fns = by_output(self.losses, names, "loss", repeat=True)
            factors = by_output(self._factors, names, "loss_weights", repeat=False)
            used = [n for n, fn in zip(names, fns, strict=True) if fn is not None]
            if len(used) > 1:
                self._trackers = {n: metrics.Mean(name=f"{n}_loss") for n in used}
            self._per_output = names, fns, factors
        return self._per_output

    def __call__(
        self,
        y: Any,
        y_pred: Any,
        sample_weight: Any = None,
        output_names: list[str] | None = None,
        size: Any = None,
    ) -> Any:
        """Return the total loss of a batch, or None if no output has one.

        Args:
            y: Targets: one, or a list or dict of them.
            y_pred: Outputs.
            sample_weight: Likewise; one serves all outputs.
            output_names: The names that the model gives its outputs.
            size: Samples that count; None means all.

        Raises:
            ArgumentError: If targets, losses or weights do not fit the outputs.
            DataError: If a target is missing.
        """
        names = names_of_outputs(y_pred, output_names)
        names, fns, factors = self.per_output(names)
        targets = by_output(y, names, "y", repeat=False)
        weights = by_output(sample_weight, names, "sample_weight", repeat=True)
        total: Any = None
        for name, fn, factor, target, out, weight in zip(
            names, fns, factors, targets, tree.flatten(y_pred), weights, strict=True
        ):
            if fn is None:
                continue
            if target is None:
                raise DataError(
                    f"The output {name!r} has a loss, but the data hold no target for "
                    "it. Pass y, or loss=None for this output."
                )
            value = fn(target, out, _with_mask(fn, out, weight))
            if name in self._trackers:
                count = size
                if count is None and out.shape:
                    count = out.shape[0]
                self._trackers[name].update_state(ops.stop_gradient(value), count)
            if factor is not None:
                value = ops.multiply(value, factor)
            total = value if total is None else ops.add(total, value)
        return total


def _resolve(loss: Any) -> Any:
    if isinstance(loss, dict) and "class_name" not in loss:
        return {k: _resolve(v) for k, v in loss.items()}
    if isinstance(loss, list | tuple):
        return [_resolve(v) for v in loss]
    found = losses.get(loss)
    if found is None or isinstance(found, Loss):
        return found
    return losses.LossFunctionWrapper(found, name=getattr(found, "__name__", "loss"))


def _with_mask(loss: Loss, y_pred: Any, sample_weight: Any) -> Any:
    """Combine sample weights with the mask that follows the outputs."""
    mask = get_mask(y_pred)
    if mask is None:
        return sample_weight
    mean = loss.reduction in ("mean", "sum_over_batch_size")
    return mask_weight(mask, sample_weight, loss.dtype, mean)
