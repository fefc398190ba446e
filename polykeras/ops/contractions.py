"""Einstein summation: a parser, and its contraction by batched matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops.arithmetic import multiply
from polykeras.ops.conversion import cast, convert_to_tensor, dtype
from polykeras.ops.products import matmul
from polykeras.ops.rearranging import diagonal
from polykeras.ops.reductions import sum as sum_
from polykeras.ops.shaping import reshape, transpose

__all__ = ["einsum"]


@op(sequence="operands")
def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """Return the sum of products that a subscript formula describes.

    Each letter names an axis. Letters that are absent from the output are summed
    over; ``...`` stands for leading axes that broadcast. Without ``->`` the output
    has the letters that occur once, in alphabetical order.

    Args:
        subscripts: The formula, for example ``"bij,bjk->bik"``.
        *operands: One tensor for each comma-separated part.

    Returns:
        A tensor with the axes of the formula's output, in the common dtype.

    Raises:
        ArgumentError: If the formula is malformed or has another number of parts.
        ShapeError: If a tensor's axes or sizes do not fit the formula.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 3))
    >>> tuple(keras.ops.einsum("ij,kj->ki", x, keras.ops.ones((4, 3))).shape)
    (4, 2)

    Reference: Laue et al., 2020, "A Simple and Efficient Tensor Calculus".
    """
    tensors = [convert_to_tensor(x) for x in operands]
    shapes = tuple(tuple(x.shape) for x in tensors)
    terms, output = _labels(subscripts, shapes)
    parts = [
        _without_units(x, labels, units)
        for x, (labels, units) in zip(tensors, terms, strict=True)
    ]
    first, labels = parts[0]
    for i, (second, others) in enumerate(parts[1:], start=1):
        wanted = set(output).union(*(part[1] for part in parts[i + 1 :]))
        first, labels = _contract(first, labels, second, others, wanted)
    first, labels = _reduce(first, labels, set(output))
    order = tuple(labels.index(label) for label in output)
    if order == tuple(range(len(order))):
        return first
    return transpose(first, order)


@einsum.prepare
def _(subscripts: str, operands: Sequence[Tensor]) -> tuple[Any, ...]:
    shapes = tuple(tuple(x.shape) for x in operands)
    _labels(subscripts, shapes)
    terms, output = _parse(subscripts)
    return ",".join(terms) + "->" + output, tuple(operands)


@lru_cache(maxsize=1024)
def _parse(subscripts: str) -> tuple[tuple[str, ...], str]:
    """Return the inputs' terms and the output's, made explicit."""
    formula = subscripts.replace(" ", "")
    left, arrow, output = formula.partition("->")
    terms = tuple(left.split(","))
    for term in (*terms, output):
        letters = term.replace("...", "", 1)
        if letters and not (letters.isascii() and letters.isalpha()):
            raise ArgumentError(
                f"polykeras.ops.einsum cannot read the subscripts {subscripts!r}. "
                "Use letters, commas, '...' and one '->', as in 'bij,bjk->bik'."
            )
    letters = left.replace(",", "").replace("...", "")
    if not arrow:
        output = "..." if "..." in left else ""
        output += "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    named = output.replace("...", "")
    unknown = sorted(set(named) - set(letters))
    if unknown or len(set(named)) < len(named):
        raise ArgumentError(
            f"polykeras.ops.einsum got the subscripts {subscripts!r}, whose output "
            f"{output!r} must hold each letter once, and only letters of the inputs."
        )
    if "..." in left and "..." not in output:
        raise ArgumentError(
            f"polykeras.ops.einsum got the subscripts {subscripts!r}: '...' in an "
            "input must also stand in the output."
        )
    return terms, output


@lru_cache(maxsize=1024)
def _labels(
    subscripts: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[tuple[tuple[str, ...], tuple[int, ...]], ...], tuple[str, ...]]:
    """Return each operand's labels and axes to squeeze, and the output's labels.

    The axes of an ellipsis are labelled by their distance from its end. One of size
    1 that broadcasts against a larger one is squeezed away beforehand, so that
    equal labels have equal sizes from then on.
    """
    terms, output = _parse(subscripts)
    if len(terms) != len(shapes):
        raise ArgumentError(
            f"polykeras.ops.einsum got the subscripts {subscripts!r} for {len(terms)} "
            f"tensors, and {len(shapes)} tensors."
        )
    expanded = [_expand(subscripts, t, s) for t, s in zip(terms, shapes, strict=True)]
    sizes: dict[str, int] = {}
    for labels, shape in zip(expanded, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            known = sizes.setdefault(label, size)
            if known == size:
                continue
            if len(label) == 1 or 1 not in {known, size}:
                raise ShapeError(
                    f"polykeras.ops.einsum got the subscripts {subscripts!r} for the "
                    f"shapes {', '.join(map(str, shapes))}: axis {label!r} has the "
                    f"sizes {known} and {size}. They must be equal."
                )
            sizes[label] = size if known == 1 else known
    depth = max((sum(len(x) > 1 for x in labels) for labels in expanded), default=0)
    dots = tuple(f"..{i}" for i in range(depth, 0, -1))
    before, ellipsis, after = output.partition("...")
    wanted = (*before, *(dots if ellipsis else ()), *after)
    found = []
    for labels, shape in zip(expanded, shapes, strict=True):
        units = tuple(
            i
            for i, (label, size) in enumerate(zip(labels, shape, strict=True))
            if size != sizes[label]
        )
        kept = tuple(x for i, x in enumerate(labels) if i not in units)
        found.append((kept, units))
    return tuple(found), wanted


def _expand(subscripts: str, term: str, shape: tuple[int, ...]) -> tuple[str, ...]:
    before, ellipsis, after = term.partition("...")
    depth = len(shape) - len(before) - len(after)
    if depth < 0 or (depth > 0 and not ellipsis):
        raise ShapeError(
            f"polykeras.ops.einsum got the subscripts {subscripts!r}, where {term!r} "
            f"names {len(before) + len(after)} axes, for a tensor of shape {shape}."
        )
    return (*before, *(f"..{i}" for i in range(depth, 0, -1)), *after)


def _without_units(
    x: Tensor, labels: tuple[str, ...], units: tuple[int, ...]
) -> tuple[Tensor, tuple[str, ...]]:
    """Squeeze broadcast axes and take the diagonal of repeated labels."""
    if units:
        x = reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in units))
    while len(set(labels)) < len(labels):
        label = next(c for c in labels if labels.count(c) > 1)
        i = labels.index(label)
        j = labels.index(label, i + 1)
        x = diagonal(x, axis1=i, axis2=j)
        labels = (*(c for k, c in enumerate(labels) if k not in {i, j}), label)
    return x, labels


def _reduce(
    x: Tensor, labels: tuple[str, ...], wanted: set[str]
) -> tuple[Tensor, tuple[str, ...]]:
    """Sum over the labels that nothing else needs."""
    axes = tuple(i for i, label in enumerate(labels) if label not in wanted)
    if not axes:
        return x, labels
    kept = tuple(label for label in labels if label in wanted)
    # A sum widens small integers, which products do not.
    return cast(sum_(x, axis=axes), dtype(x)), kept


def _size(x: Tensor, axes: Sequence[int]) -> int:
    total = 1
    for i in axes:
        total *= x.shape[i]
    return total


def _contract(
    x: Tensor,
    left: tuple[str, ...],
    y: Tensor,
    right: tuple[str, ...],
    wanted: set[str],
) -> tuple[Tensor, tuple[str, ...]]:
    """Return the product of two tensors, summed over what nothing else needs."""
    x, left = _reduce(x, left, wanted | set(right))
    y, right = _reduce(y, right, wanted | set(left))
    shared = [c for c in left if c in right]
    batch = [c for c in shared if c in wanted]
    summed = [c for c in shared if c not in wanted]
    rows = [c for c in left if c not in right]
    columns = [c for c in right if c not in left]
    first = [left.index(c) for c in (*batch, *rows, *summed)]
    second = [right.index(c) for c in (*batch, *summed, *columns)]
    outer = tuple(x.shape[left.index(c)] for c in batch)
    m = tuple(x.shape[left.index(c)] for c in rows)
    n = tuple(y.shape[right.index(c)] for c in columns)
    k = _size(x, [left.index(c) for c in summed])
    a, b = transpose(x, tuple(first)), transpose(y, tuple(second))
    if not summed:
        a = reshape(a, outer + m + (1,) * len(n))
        product = multiply(a, reshape(b, outer + (1,) * len(m) + n))
    else:
        flat = matmul(
            reshape(a, (*outer, _product(m), k)), reshape(b, (*outer, k, _product(n)))
        )
        product = reshape(flat, outer + m + n)
    return product, (*batch, *rows, *columns)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total
