"""What the recurrences share: activations with their slopes, masks and scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, nearest
from polykeras.ops.activations import relu, sigmoid
from polykeras.ops.piecewise import hard_sigmoid

__all__ = [
    "ACTIVATIONS",
    "check_activation",
    "hold",
    "outer",
    "pass_back",
    "scan_present",
    "split_gates",
    "states_before",
]


def _tanh_slope(y: Tensor) -> Tensor:
    return ops.subtract(1, ops.square(y))


def _sigmoid_slope(y: Tensor) -> Tensor:
    return ops.multiply(y, ops.subtract(1, y))


def _relu_slope(y: Tensor) -> Tensor:
    return ops.cast(ops.greater(y, 0), ops.dtype(y))


def _hard_sigmoid_slope(y: Tensor) -> Tensor:
    inside = ops.logical_and(ops.greater(y, 0), ops.less(y, 1))
    return ops.divide(ops.cast(inside, ops.dtype(y)), 6)


def _linear_slope(y: Tensor) -> Tensor:
    return ops.ones_like(y)


def _tanh(x: Tensor) -> Tensor:
    return ops.tanh(x)


def _linear(x: Tensor) -> Tensor:
    return x


Function = Callable[[Tensor], Tensor]

# Name to the function and its slope as a function of its value.
ACTIVATIONS: Final[dict[str, tuple[Function, Function]]] = {
    "tanh": (_tanh, _tanh_slope),
    "sigmoid": (sigmoid, _sigmoid_slope),
    "relu": (relu, _relu_slope),
    "hard_sigmoid": (hard_sigmoid, _hard_sigmoid_slope),
    "linear": (_linear, _linear_slope),
}


def check_activation(op_name: str, *names: str) -> None:
    """Refuse activations that recurrences do not know.

    Raises:
        ArgumentError: If one is none of the five.
    """
    for name in names:
        if name not in ACTIVATIONS:
            raise ArgumentError(
                f"polykeras.ops.{op_name} got the activation {name!r}. "
                f"{nearest(name, ACTIVATIONS)} For another one, scan over a cell."
            )


def split_gates(x: Tensor, parts: int) -> Any:
    return ops.split(x, parts, axis=-1)


def hold(keep: Tensor | None, new: Tensor, old: Tensor) -> Tensor:
    """Return `new` where the step counts, else `old`."""
    return new if keep is None else ops.where(ops.expand_dims(keep, -1), new, old)


def pass_back(keep: Tensor | None, g: Tensor) -> tuple[Tensor, Tensor]:
    """Split a gradient into that of the new value and that of the old one."""
    if keep is None:
        return g, ops.zeros_like(g)
    where = ops.expand_dims(keep, -1)
    return ops.where(where, g, 0), ops.where(where, 0, g)


def states_before(states: Tensor, first: Tensor) -> Tensor:
    """Return the state before every step."""
    if states.shape[0] == 1:
        return ops.expand_dims(first, 0)
    earlier = ops.get_item(states, slice(0, -1))
    return ops.concatenate([ops.expand_dims(first, 0), earlier], axis=0)


def scan_present(
    fn: Any,
    init: Any,
    xs: Sequence[Tensor | Sequence[Tensor] | None],
    *,
    reverse: bool = False,
) -> Any:
    """Scan over those of `xs` that exist; `fn` gets None for the others."""
    present = [x for x in xs if x is not None]

    def step(carry: Any, items: Any) -> Any:
        found = iter(items)
        return fn(carry, [None if x is None else next(found) for x in xs])

    return ops.scan(step, init, tuple(present), reverse=reverse)


def outer(left: Tensor, right: Tensor) -> Tensor:
    """Return the sum over time and batch of products: the kernel's gradient."""
    rows = left.shape[0] * left.shape[1]
    flat = ops.reshape(left, (rows, left.shape[2]))
    return ops.matmul(
        ops.transpose(flat, (1, 0)), ops.reshape(right, (rows, right.shape[2]))
    )
