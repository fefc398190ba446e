"""Applying a function along axes: maps, vectorisation and associative scans."""

from __future__ import annotations

import builtins
import functools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from polykeras import tree
from polykeras.backend import active, refusing_state
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op
from polykeras.ops._operands import Operand
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import broadcast_shapes, canonical_axis
from polykeras.ops._values import as_tensor
from polykeras.ops.control import scan, stacked, tensors
from polykeras.ops.indexing import get_item
from polykeras.ops.joining import unstack
from polykeras.ops.shaping import broadcast_to, concatenate, flip, reshape

__all__ = ["associative_scan", "broadcast_map", "map", "vectorize", "vectorized_map"]

Function = Callable[..., Any]


@op(tree="xs")
def map(f: Function, xs: Any) -> Any:
    """Return the results of a function for each row, stacked.

    Rows are handled one after the other; `vectorized_map` handles them at once.

    Args:
        f: A function of a structure of tensors that returns another.
        xs: A structure of tensors of shape ``(N, ...)``.

    Returns:
        The structure that `f` returns, of tensors of shape ``(N, ...)``.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.map(lambda x: x * x, keras.ops.array([1, 2, 3]))]
    [1, 4, 9]
    """
    return scan(lambda carry, x: (carry, f(x)), (), xs)[1]


@op(tree="elements")
def vectorized_map(function: Function, elements: Any) -> Any:
    """Return the results of a function for each row, computed together.

    Args:
        function: A function of one structure of tensors that uses ops only.
        elements: A structure of tensors of shape ``(N, ...)``.

    Returns:
        The structure that `function` returns, of tensors of shape ``(N, ...)``.

    Raises:
        ShapeError: If the first sizes differ.
        PolykerasError: If `function` assigns a variable, which would get one value a
            row; `map` takes rows in turn.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((3, 2))
    >>> keras.ops.vectorized_map(keras.ops.sum, x).shape
    (3,)
    """
    elements, n = _rows(elements)
    leaves, form = tree.flatten_leaves(elements)
    native = not any(isinstance(x, Operand) for x in leaves)
    mapped = active().vmap(lambda x: tensors(function(x))) if native and n else None
    if mapped is not None:
        return mapped(elements)
    columns = [unstack(x) for x in leaves]
    rows = [
        tree.unflatten_leaves(form, list(row)) for row in zip(*columns, strict=True)
    ]
    if not rows:
        return map(function, elements)
    return refusing_state(lambda: stacked([function(row) for row in rows]))()


def _rows(elements: Any) -> tuple[Any, int]:
    elements = tensors(elements)
    sizes = {tuple(x.shape[:1]) for x in tree.flatten_leaves(elements)[0]}
    if len(sizes) != 1 or () in sizes:
        raise ShapeError(
            "polykeras.ops.vectorized_map expected tensors with one first size, got "
            f"the shapes {[tuple(x.shape) for x in tree.flatten_leaves(elements)[0]]}."
        )
    return elements, int(sizes.pop()[0])


@vectorized_map.abstract
def _(function: Function, elements: Any) -> Any:
    elements, n = _rows(elements)
    row = tree.map_leaves(lambda x: Spec(x.shape[1:], x.dtype), elements)
    return tree.map_leaves(
        lambda s: Spec((n, *s.shape), s.dtype), tensors(function(row))
    )


_CORE = re.compile(r"\(([^()]*)\)")


def vectorize(
    pyfunc: Function,
    *,
    excluded: Sequence[int | str] | None = None,
    signature: str | None = None,
) -> Function:
    """Return a function that broadcasts its tensors and maps `pyfunc` over them.

    Args:
        pyfunc: A function of tensors that uses ops only.
        excluded: Positions and names of arguments to pass on unchanged.
        signature: The axes that one call of `pyfunc` sees, for example
            ``"(n,m),(m)->(n)"``; None means single values.

    Returns:
        A function of tensors with additional leading axes.

    Raises:
        ArgumentError: If the signature is malformed or does not fit the arguments.

    >>> import polykeras as keras
    >>> dot = keras.ops.vectorize(keras.ops.vdot, signature="(n),(n)->()")
    >>> dot(keras.ops.ones((4, 3)), keras.ops.ones(3)).shape
    (4,)
    """
    skipped = frozenset(excluded or ())

    @functools.wraps(pyfunc)
    def call(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in range(len(args)) if i not in skipped]
        names = [k for k in kwargs if k not in skipped]
        given = [args[i] for i in places] + [kwargs[k] for k in names]
        ranks = _core_ranks(signature, len(given))

        def once(*values: Any) -> Any:
            positional = list(args)
            for i, value in zip(places, values, strict=False):
                positional[i] = value
            named = dict(kwargs)
            named.update(zip(names, values[len(places) :], strict=True))
            return pyfunc(*positional, **named)

        return broadcast_map(once, given, ranks)

    return call


def _core_ranks(signature: str | None, count: int) -> list[int]:
    if signature is None:
        return [0] * count
    inputs = _CORE.findall(signature.partition("->")[0])
    if "->" not in signature or len(inputs) != count:
        raise ArgumentError(
            f"polykeras.ops.vectorize got {count} tensors for the signature "
            f"{signature!r}. Write one group of axes each, as '(n),(n)->()'."
        )
    return [len([n for n in group.split(",") if n.strip()]) for group in inputs]


@op(tree="given")
def broadcast_map(
    function: Function, given: Sequence[Any], ranks: Sequence[int]
) -> Any:
    """Return the results of a function, its tensors broadcast but for core axes.

    Args:
        function: A function of as many tensors as given.
        given: Tensors whose leading axes broadcast together.
        ranks: How many axes of each one call sees.
    """
    given = [as_tensor(x) for x in given]
    loops, cores = [], []
    for x, rank in zip(given, ranks, strict=True):
        shape = tuple(x.shape)
        if len(shape) < rank:
            raise ShapeError(
                f"polykeras.ops.vectorize expected at least {rank} axes, got shape "
                f"{shape}."
            )
        loops.append(shape[: len(shape) - rank])
        cores.append(shape[len(shape) - rank :])
    loop = broadcast_shapes("vectorize", *loops)
    if not loop:
        return function(*given)
    flat = [
        reshape(broadcast_to(x, loop + core), (math.prod(loop), *core))
        for x, core in zip(given, cores, strict=True)
    ]
    out = vectorized_map(lambda rows: function(*rows), tuple(flat))
    return tree.map_leaves(lambda y: reshape(y, loop + tuple(y.shape[1:])), out)


@op(tree="elems")
def associative_scan(
    f: Function, elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Return all partial results of combining rows with an associative function.

    Needs a number of calls that grows as the logarithm of the number of rows.

    Args:
        f: An associative function of two structures of tensors, that combines them
            row by row.
        elems: A structure of tensors of equal size along `axis`.
        reverse: Whether to begin at the end.
        axis: The axis of the rows.

    Returns:
        A structure like `elems`; row i combines the rows up to i.

    Raises:
        ShapeError: If the sizes along `axis` differ.

    >>> import polykeras as keras
    >>> total = keras.ops.associative_scan(keras.ops.add, keras.ops.array([1, 2, 3]))
    >>> [int(v) for v in total]
    [1, 3, 6]

    Reference: Blelloch, 1990, "Prefix Sums and Their Applications".
    """
    leaves, form = tree.flatten_leaves(tensors(elems))
    axes = [canonical_axis("associative_scan", axis, len(x.shape)) for x in leaves]
    sizes = {int(x.shape[a]) for x, a in zip(leaves, axes, strict=True)}
    if len(sizes) != 1:
        raise ShapeError(
            "polykeras.ops.associative_scan expected tensors of one size along axis "
            f"{axis}, got the shapes {[tuple(x.shape) for x in leaves]}."
        )

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        return tree.flatten_leaves(
            f(tree.unflatten_leaves(form, a), tree.unflatten_leaves(form, b))
        )[0]

    if reverse:
        leaves = [flip(x, a) for x, a in zip(leaves, axes, strict=True)]
    leaves = _prefixes(combine, leaves, axes)
    if reverse:
        leaves = [flip(x, a) for x, a in zip(leaves, axes, strict=True)]
    return tree.unflatten_leaves(form, leaves)


def _prefixes(
    combine: Callable[[list[Any], list[Any]], list[Any]],
    rows: list[Any],
    axes: Sequence[int],
) -> list[Any]:
    """Scan the sums of pairs; they are the odd results, the even ones need one more."""
    n = int(rows[0].shape[axes[0]])
    if n < 2:
        return rows

    def part(xs: list[Any], *bounds: int | None) -> list[Any]:
        return [
            get_item(x, (builtins.slice(None),) * a + (builtins.slice(*bounds),))
            for x, a in zip(xs, axes, strict=True)
        ]

    pairs = combine(part(rows, 0, n - 1, 2), part(rows, 1, None, 2))
    odd = _prefixes(combine, pairs, axes)
    even = part(rows, 0, 1)
    if n > 2:
        before = odd if n % 2 else part(odd, 0, -1)
        later = combine(before, part(rows, 2, None, 2))
        even = [
            concatenate([x, y], a) for x, y, a in zip(even, later, axes, strict=True)
        ]
    return [_interleaved(e, o, a) for e, o, a in zip(even, odd, axes, strict=True)]


def _interleaved(even: Any, odd: Any, axis: int) -> Any:
    """Return the rows of two tensors in turn; the first may have one row more."""
    shape = tuple(even.shape)
    extra = shape[axis] - odd.shape[axis]
    whole = (builtins.slice(None),) * axis
    body = get_item(even, (*whole, builtins.slice(0, odd.shape[axis])))
    both = REGISTRY["stack"]([body, odd], axis + 1)
    merged = (*shape[:axis], 2 * odd.shape[axis], *shape[axis + 1 :])
    both = reshape(both, merged)
    if not extra:
        return both
    return concatenate([both, get_item(even, (*whole, builtins.slice(-1, None)))], axis)
