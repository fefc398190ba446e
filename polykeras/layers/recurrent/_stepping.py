"""The loop over time that works with any cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polykeras import ops, tree
from polykeras.backend import Tensor
from polykeras.errors import ShapeError

__all__ = ["step_through"]

_LEAST_AXES = 2


def step_through(
    step: Callable[[Tensor, list[Any]], tuple[Tensor, Any]],
    sequences: Tensor,
    states: list[Any],
    mask: Tensor | None,
    *,
    go_backwards: bool,
    unroll: bool,
    zero_output_for_mask: bool,
) -> tuple[Tensor, Tensor, list[Any]]:
    """Apply a step along the second axis of sequences.

    Args:
        step: Returns outputs and new states for the inputs and states of a step.
        sequences: ``(batch, time, ...)``.
        states: What to begin with.
        mask: ``(batch, time)``, False where a step is skipped, or None. A skipped
            step keeps the states.
        go_backwards: Whether to begin at the end.
        unroll: Whether a compiling backend lays out all steps in a row.
        zero_output_for_mask: Whether skipped steps output zeros; otherwise they
            repeat the output before, which at first is zeros.

    Returns:
        The last output, all outputs in the order of the steps, the last states.

    Raises:
        ShapeError: If there is no step, or the mask does not fit.
    """
    shape = tuple(sequences.shape)
    if len(shape) < _LEAST_AXES or shape[1] == 0:
        raise ShapeError(
            "A recurrent layer expects sequences of shape (batch, time, ...) with at "
            f"least one step, got shape {shape}."
        )
    if mask is not None and tuple(mask.shape) != shape[:2]:
        raise ShapeError(
            f"A recurrent layer got sequences of shape {shape}, which need a mask of "
            f"shape {shape[:2]}, got shape {tuple(mask.shape)}."
        )
    xs = _steps_first(sequences, go_backwards)
    first, form = tree.flatten_leaves(states)

    def advance(x: Tensor, leaves: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        output, new = step(x, tree.unflatten_leaves(form, leaves))
        found = tree.flatten_leaves(new)[0]
        pairs = zip(leaves, found, strict=True)
        return output, [ops.cast(b, ops.dtype(a)) for a, b in pairs]

    if mask is None:

        def plain(leaves: list[Tensor], x: Tensor) -> tuple[list[Tensor], Tensor]:
            output, leaves = advance(x, leaves)
            return leaves, output

        last, outputs = ops.scan(plain, first, xs, unroll=unroll)
    else:
        keep = _steps_first(ops.cast(mask, "bool"), go_backwards)

        def masked(carry: Any, inputs: Any) -> tuple[Any, Tensor]:
            before, leaves = carry
            x, kept = inputs
            output, new = advance(x, leaves)
            output = _where(kept, output, 0 if zero_output_for_mask else before)
            pairs = zip(new, leaves, strict=True)
            return (output, [_where(kept, a, b) for a, b in pairs]), output

        # Only a step tells the shape of what stands before the first output: zeros.
        output, new = advance(ops.get_item(xs, 0), first)
        kept = ops.get_item(keep, 0)
        begun = [_where(kept, a, b) for a, b in zip(new, first, strict=True)]
        output = _where(kept, output, 0)
        (_, last), rest = ops.scan(
            masked,
            (output, begun),
            (ops.get_item(xs, slice(1, None)), ops.get_item(keep, slice(1, None))),
            unroll=unroll,
        )
        outputs = ops.concatenate([ops.expand_dims(output, 0), rest], axis=0)
    final = ops.get_item(outputs, -1)
    return final, ops.swapaxes(outputs, 0, 1), tree.unflatten_leaves(form, last)


def _steps_first(x: Tensor, reverse: bool) -> Tensor:
    x = ops.swapaxes(x, 0, 1)
    return ops.flip(x, axis=0) if reverse else x


def _where(keep: Tensor, new: Tensor, old: Any) -> Tensor:
    """Choose by a mask of shape ``(batch,)``."""
    rank = len(new.shape)
    return ops.where(ops.reshape(keep, (keep.shape[0],) + (1,) * (rank - 1)), new, old)
