"""The derivative rules that ops declare, applied to one call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from polykeras import dtypes, tree
from polykeras.backend import set_rules
from polykeras.errors import ArgumentError
from polykeras.ops._registry import REGISTRY
from polykeras.ops.products import sum_to_shape

if TYPE_CHECKING:
    from polykeras.backend import Backend, Kernel
    from polykeras.ops._declare import Op

__all__ = ["give_rule", "pulled_back"]


def pulled_back(
    op: Op,
    args: list[Any],
    below: list[Any],
    out: Any,
    g: Any,
    wanted: Callable[[Any], bool],
) -> Iterator[tuple[Any, Any]]:
    """Yield arguments of an op with their gradients.

    Args:
        op: The op.
        args: Its canonical arguments, as `wanted` knows them.
        below: The same, as rules get them.
        out: The result.
        g: The cotangent of the result, in its form.
        wanted: Whether the gradient of an argument is asked for.
    """
    joint: tuple[int, ...] = ()
    if op.joint_vjp is not None:
        joint, together = op.joint_vjp
        if any(wanted(args[i]) for i in joint):
            for i, gx in zip(joint, together(g, out, *below), strict=True):
                if wanted(args[i]):
                    yield args[i], gx
    for i, rule in op.vjp_rules.items():
        arg = args[i]
        if i in joint:
            continue
        if type(arg) in (list, tuple):
            if any(wanted(x) for x in arg):
                for x, gx in zip(arg, rule(g, out, *below), strict=True):
                    if wanted(x):
                        yield x, gx
        elif wanted(arg):
            gx = rule(g, out, *below)
            if op.elementwise:
                gx = sum_to_shape(gx, tuple(below[i].shape))
            yield arg, gx


class _Place:
    """Stands for an argument that is differentiated."""

    def __init__(self, number: int) -> None:
        self.number = number


def give_rule(engine: Backend, name: str, kernel: Kernel) -> Kernel:
    """Return a kernel that the engine differentiates by the rules of its op.

    Raises:
        ArgumentError: If the op has none.
    """
    op = cast("Any", REGISTRY[name]).op
    if not op.vjp_rules and op.joint_vjp is None:
        raise ArgumentError(
            f"The backend {engine.name!r} names {name!r} in `ruled`, but that op has "
            "no rule: it is composed of ops that have. Supply no kernel for it, and "
            "name those."
        )

    def is_point(x: Any) -> bool:
        return engine.is_tensor(x) and dtypes.is_inexact(engine.dtype_name(x))

    def call(*args: Any) -> Any:
        if not any(type(x) in (list, tuple) or engine.tracks(x) for x in args):
            return kernel(*args)
        leaves, form = tree.flatten_leaves(list(args))
        at = [i for i, leaf in enumerate(leaves) if is_point(leaf)]

        def filled(points: Any) -> list[Any]:
            full = list(leaves)
            for i, point in zip(at, points, strict=True):
                full[i] = point
            return list(tree.unflatten_leaves(form, full))

        places = [_Place(k) for k in range(len(at))]

        def rule(points: Any, out: Any, g: Any) -> tuple[Any, ...]:
            grads: dict[int, Any] = {}
            for place, gx in pulled_back(
                op, filled(places), filled(points), out, g, _is_place
            ):
                k = place.number
                grads[k] = REGISTRY["add"](grads[k], gx) if k in grads else gx
            return tuple(
                grads[k] if k in grads else REGISTRY["zeros_like"](point)
                for k, point in enumerate(points)
            )

        def tangent(points: Any, out: Any, moves: Sequence[Any]) -> Any:
            full = filled(points)
            parts = [
                op.vjp_rules[i](move, out, *full)
                for i, move in zip(at, moves, strict=True)
                if move is not None
            ]
            return functools.reduce(REGISTRY["add"], parts)

        def of_points(*points: Any) -> Any:
            return kernel(*filled(points))

        if not at:
            return kernel(*args)
        # Each entry of the result depends on the entries at its place alone, so that
        # rules give tangents as they give gradients.
        known = tangent if op.elementwise else None
        return engine.with_rule(of_points, rule, known)(*(leaves[i] for i in at))

    return call


def _is_place(x: Any) -> bool:
    return type(x) is _Place


set_rules(give_rule)
