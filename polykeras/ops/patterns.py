"""Reordering axes by a pattern of names."""

from __future__ import annotations

import math
import re

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops._values import as_tensor
from polykeras.ops.shaping import reshape, transpose

__all__ = ["rearrange", "rearranged"]

_MERGED = "(...)"
_TOKEN = re.compile(r"\.\.\.|[A-Za-z_]\w*|[()]|1|(\S)")


def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Tensor:
    """Return the tensor with axes split, reordered and merged as a pattern says.

    Args:
        tensor: A tensor of any shape.
        pattern: ``"before -> after"``: a name for each axis; names in parentheses
            are merged into one axis; ``1`` is an axis of size 1; ``...`` stands
            for any number of axes.
        axes_lengths: Sizes of names that the shape does not tell.

    Returns:
        A tensor with the same values.

    Raises:
        ArgumentError: If the pattern is malformed.
        ShapeError: If it does not fit the shape.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 6, 4, 3))
    >>> keras.ops.rearrange(x, "b (h k) w c -> b h w (k c)", k=2).shape
    (2, 3, 4, 6)

    Reference: Rogozhnikov, 2022, "Einops: Clear and Reliable Tensor Manipulations
    with Einstein-like Notation".
    """
    return rearranged(tensor, pattern, axes_lengths)


@op(tensor="tensor")
def rearranged(tensor: Tensor, pattern: str, axes_lengths: dict[str, int]) -> Tensor:
    """Return what `rearrange` does, the sizes in one argument.

    Args:
        tensor: A tensor of any shape.
        pattern: ``"before -> after"``.
        axes_lengths: Sizes of names that the shape does not tell.
    """
    tensor = as_tensor(tensor)
    shape = tuple(tensor.shape)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise _bad_pattern(pattern, "it needs one '->'")
    left, right = (_groups(side, pattern) for side in sides)
    left, right = _without_ellipsis(left, right, len(shape), pattern)
    before = [name for group in left for name in group]
    after = [name for group in right for name in group]
    if sorted(before) != sorted(after) or len(set(before)) != len(before):
        raise _bad_pattern(pattern, "both sides must hold the same names, each once")
    unknown = set(axes_lengths) - set(before)
    if unknown:
        raise _bad_pattern(pattern, f"it has no axes named {sorted(unknown)}")
    sizes = _sizes(left, shape, axes_lengths, pattern)
    tensor = reshape(tensor, tuple(sizes[name] for name in before))
    tensor = transpose(tensor, tuple(before.index(name) for name in after))
    return reshape(
        tensor, tuple(math.prod(sizes[name] for name in group) for group in right)
    )


Groups = list[list[str]]


def _bad_pattern(pattern: str, why: str) -> ArgumentError:
    return ArgumentError(
        f"polykeras.ops.rearrange cannot use the pattern {pattern!r}: {why}. Write it "
        "as 'b (h k) c -> b h (k c)'."
    )


def _groups(side: str, pattern: str) -> Groups:
    """Return the names of each axis; an axis of size 1 has none."""
    groups: Groups = []
    inside = False
    for match in _TOKEN.finditer(side):
        token = match.group()
        if match.group(1) is not None:
            raise _bad_pattern(pattern, f"{token!r} is no name")
        if token in "()":
            if inside == (token == "("):
                raise _bad_pattern(pattern, "its parentheses do not match")
            inside = token == "("
            if inside:
                groups.append([])
        elif token == "1":
            if not inside:
                groups.append([])
        elif inside:
            groups[-1].append(_MERGED if token == "..." else token)
        else:
            groups.append([token])
    if inside:
        raise _bad_pattern(pattern, "its parentheses do not match")
    return groups


def _without_ellipsis(
    left: Groups, right: Groups, rank: int, pattern: str
) -> tuple[Groups, Groups]:
    if ["..."] not in left:
        if len(left) != rank:
            raise ShapeError(
                f"polykeras.ops.rearrange got a tensor with {rank} axes, but the "
                f"pattern {pattern!r} names {len(left)}."
            )
        return left, right
    count = rank - len(left) + 1
    if count < 0:
        raise ShapeError(
            f"polykeras.ops.rearrange got a tensor with {rank} axes, but the pattern "
            f"{pattern!r} names at least {len(left) - 1}."
        )
    names = [f"...{i}" for i in range(count)]
    place = left.index(["..."])
    left = left[:place] + [[name] for name in names] + left[place + 1 :]
    expanded: Groups = []
    for group in right:
        if group == ["..."]:
            expanded += [[name] for name in names]
        else:
            expanded.append(
                [n for name in group for n in (names if name == _MERGED else [name])]
            )
    return left, expanded


def _sizes(
    groups: Groups, shape: tuple[int, ...], given: dict[str, int], pattern: str
) -> dict[str, int]:
    sizes = dict(given)
    for group, size in zip(groups, shape, strict=True):
        open_names = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(open_names) > 1:
            raise _bad_pattern(pattern, f"give the sizes of {open_names[1:]}")
        if open_names and known and size % known == 0:
            sizes[open_names[0]] = size // known
        elif open_names or known != size:
            raise ShapeError(
                f"polykeras.ops.rearrange cannot split size {size} of shape {shape} "
                f"into ({' '.join(group)}) with sizes {given}; pattern {pattern!r}."
            )
    return sizes
