"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._shapes import broadcast_shapes, canonical_axis
from polykeras.ops.arithmetic import multiply, negative, subtract
from polykeras.ops.complex_numbers import conj
from polykeras.ops.conversion import convert_to_tensor
from polykeras.ops.joining import stack
from polykeras.ops.rearranging import diagonal
from polykeras.ops.reductions import sum as sum_
from polykeras.ops.shaping import expand_dims, moveaxis, reshape, swapaxes, transpose

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "outer",
    "sum_to_shape",
    "tensordot",
    "trace",
    "vdot",
]


def sum_to_shape(g: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum a gradient over the axes along which its argument was broadcast."""
    have = tuple(g.shape)
    if have == shape:
        return g
    extra = len(have) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and have[i + extra] != 1
    )
    g = sum_(g, axis=axes) if axes else g
    return g if tuple(g.shape) == shape else reshape(g, shape)


# -- matmul ----------------------------------------------------------------------


@primitive(common="x1 x2")
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the matrix product over the last two axes.

    A 1-D operand counts as a row on the left and as a column on the right, and its
    axis is absent from the result. Leading axes broadcast.

    Args:
        x1: A tensor of shape (..., M, K) or (K,).
        x2: A tensor of shape (..., K, N) or (K,).

    Returns:
        A tensor of shape (..., M, N) with the common dtype of the operands.

    Raises:
        ShapeError: If an operand has no axes, K differs, or the leading axes do
            not broadcast.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 3))
    >>> tuple(keras.ops.matmul(x, keras.ops.ones((3, 5))).shape)
    (2, 5)
    """


def _matmul_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    if not a or not b:
        raise ShapeError(
            f"polykeras.ops.matmul expected tensors with at least one axis, got the "
            f"shapes {a} and {b}. Use ops.multiply for scalars."
        )
    if a[-1] != b[-2 if len(b) > 1 else -1]:
        raise ShapeError(
            f"polykeras.ops.matmul cannot multiply the shapes {a} and {b}: the last "
            f"axis of the first has size {a[-1]}, and the axis of the second that it "
            f"meets has size {b[-2 if len(b) > 1 else -1]}. They must be equal."
        )
    batch = broadcast_shapes("matmul", a[:-2], b[:-2])
    return batch + (a[-2:-1] if len(a) > 1 else ()) + (b[-1:] if len(b) > 1 else ())


@matmul.abstract
def _(x1: Spec, x2: Spec) -> Spec:
    return Spec(_matmul_shape(x1.shape, x2.shape), x1.dtype)


def _last_swapped(x: Tensor) -> Tensor:
    n = len(x.shape)
    return transpose(x) if n == 2 else swapaxes(x, n - 2, n - 1)


@matmul.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    r1, r2 = len(x1.shape), len(x2.shape)
    if r2 == 1:
        gx = multiply(g if r1 == 1 else expand_dims(g, -1), x2)
    elif r1 == 1:
        gx = reshape(matmul(x2, expand_dims(g, -1)), tuple(x2.shape)[:-1])
    else:
        gx = matmul(g, _last_swapped(x2))
    return sum_to_shape(gx, tuple(x1.shape))


@matmul.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    r1, r2 = len(x1.shape), len(x2.shape)
    if r1 == 1:
        row = g if r2 == 1 else expand_dims(g, -2)
        gx = multiply(x1 if r2 == 1 else expand_dims(x1, -1), row)
        return sum_to_shape(gx, tuple(x2.shape))
    if r2 <= 2:
        # All leading axes of x1 are summed over: one 2-D product does it at once.
        if r1 > 2:
            x1 = reshape(x1, (-1, x1.shape[-1]))
            g = reshape(g, (-1,) if r2 == 1 else (-1, g.shape[-1]))
        return matmul(transpose(x1), g)
    return sum_to_shape(matmul(_last_swapped(x1), g), tuple(x2.shape))


# -- contractions ----------------------------------------------------------------


def _tensordot_axes(
    a: tuple[int, ...], b: tuple[int, ...], axes: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, list | tuple):
        if len(axes) != 2:
            raise ArgumentError(
                "polykeras.ops.tensordot expected axes to be an integer or a pair "
                f"with the axes of each operand, got {axes!r}."
            )
        first, second = (x if isinstance(x, list | tuple) else (x,) for x in axes)
    else:
        if not 0 <= axes <= min(len(a), len(b)):
            raise ArgumentError(
                f"polykeras.ops.tensordot cannot contract {axes} axes of the shapes "
                f"{a} and {b}."
            )
        first, second = tuple(range(len(a) - axes, len(a))), tuple(range(axes))
    left = tuple(canonical_axis("tensordot", i, len(a)) for i in first)
    right = tuple(canonical_axis("tensordot", i, len(b)) for i in second)
    if [a[i] for i in left] != [b[i] for i in right]:
        raise ShapeError(
            f"polykeras.ops.tensordot cannot contract the axes {left} of shape {a} "
            f"with the axes {right} of shape {b}: their sizes must be equal."
        )
    if len(set(left)) < len(left) or len(set(right)) < len(right):
        raise ArgumentError(f"polykeras.ops.tensordot got a repeated axis in {axes}.")
    return left, right


@op(common="x1 x2")
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """Return the sum of products over chosen axes of two tensors.

    Args:
        x1: A tensor of any shape.
        x2: A tensor of any shape.
        axes: How many axes to contract (the last of `x1` with the first of `x2`),
            or a pair with the axes of each.

    Returns:
        A tensor with the remaining axes of `x1`, then those of `x2`.

    Raises:
        ShapeError: If the sizes of contracted axes differ.
        ArgumentError: If `axes` names axes that do not exist, or repeats one.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 3, 4))
    >>> tuple(keras.ops.tensordot(x, keras.ops.ones((4, 3)), ([1, 2], [1, 0])).shape)
    (2,)
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    a, b = tuple(x1.shape), tuple(x2.shape)
    left, right = _tensordot_axes(a, b, axes)
    kept_left = tuple(i for i in range(len(a)) if i not in left)
    kept_right = tuple(i for i in range(len(b)) if i not in right)
    rows = tuple(a[i] for i in kept_left)
    columns = tuple(b[i] for i in kept_right)
    depth = _size(a[i] for i in left)
    first = reshape(transpose(x1, kept_left + left), (_size(rows), depth))
    second = reshape(transpose(x2, right + kept_right), (depth, _size(columns)))
    return reshape(matmul(first, second), rows + columns)


@tensordot.prepare
def _(x1: Tensor, x2: Tensor, axes: Any) -> tuple[Any, ...]:
    return x1, x2, _tensordot_axes(tuple(x1.shape), tuple(x2.shape), axes)


def _size(shape: Any) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


@op(common="x1 x2")
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the dot product: the last axis of `x1` with the next-to-last of `x2`.

    Args:
        x1: A tensor of shape (..., K), or a scalar.
        x2: A tensor of shape (..., K, N) or (K,), or a scalar.

    Returns:
        The product with a scalar, or a tensor with the other axes of `x1`, then
        the other axes of `x2`.

    Raises:
        ShapeError: If K differs.

    >>> import polykeras as keras
    >>> print(keras.ops.dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if not x1.shape or not x2.shape:
        return multiply(x1, x2)
    if len(x2.shape) <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, ((-1,), (-2,)))


@op(common="x1 x2")
def inner(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the sum of products over the last axis of both tensors.

    Args:
        x1: A tensor of shape (..., K), or a scalar.
        x2: A tensor of shape (..., K), or a scalar.

    Returns:
        A tensor with the other axes of `x1`, then those of `x2`.

    Raises:
        ShapeError: If K differs.

    >>> import polykeras as keras
    >>> print(keras.ops.inner([1, 2, 3], [0, 1, 0]))
    2
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if not x1.shape or not x2.shape:
        return multiply(x1, x2)
    return tensordot(x1, x2, ((-1,), (-1,)))


@op(common="x1 x2")
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the product of each value of `x1` with each value of `x2`.

    Args:
        x1: A tensor of M values, flattened if it has more axes.
        x2: A tensor of N values, flattened if it has more axes.

    Returns:
        A tensor of shape (M, N).

    >>> import polykeras as keras
    >>> tuple(keras.ops.outer([1, 2], [3, 4, 5]).shape)
    (2, 3)
    """
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@op(common="x1 x2")
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the dot product of two flattened tensors, the first conjugated.

    Args:
        x1: A tensor of N values.
        x2: A tensor of N values.

    Returns:
        A scalar tensor.

    Raises:
        ShapeError: If the tensors hold different numbers of values.

    >>> import polykeras as keras
    >>> print(keras.ops.vdot([[1, 2], [3, 4]], [[1, 0], [0, 1]]))
    5
    """
    return matmul(conj(reshape(x1, (-1,))), reshape(x2, (-1,)))


@op(common="x1 x2")
def kron(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the Kronecker product: blocks of `x2`, each scaled by a value of `x1`.

    Args:
        x1: A tensor of any shape.
        x2: A tensor of any shape; the one with fewer axes gets leading ones.

    Returns:
        A tensor whose sizes are the products of the operands' sizes.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.kron([1, 10], [1, 2])).tolist()
    [1, 2, 10, 20]
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    rank = max(len(x1.shape), len(x2.shape))
    a = (1,) * (rank - len(x1.shape)) + tuple(x1.shape)
    b = (1,) * (rank - len(x2.shape)) + tuple(x2.shape)
    spread = tuple(n for size in a for n in (size, 1))
    tiled = tuple(n for size in b for n in (1, size))
    product = multiply(reshape(x1, spread), reshape(x2, tiled))
    return reshape(product, tuple(m * n for m, n in zip(a, b, strict=True)))


@op(common="x1 x2")
def cross(
    x1: Tensor,
    x2: Tensor,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """Return the cross product of vectors of 3 (or 2) components.

    A vector of 2 components has 0 for its third. Where both have 2, only the third
    component of the product is returned.

    Args:
        x1: A tensor with an axis of size 2 or 3.
        x2: A tensor with an axis of size 2 or 3; the other axes broadcast.
        axisa: The axis of `x1` that holds the components.
        axisb: The axis of `x2` that holds the components.
        axisc: The axis of the result that holds the components.
        axis: One axis in place of the three.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: If the axes do not have size 2 or 3.

    >>> import polykeras as keras
    >>> z = keras.ops.cross([1, 0, 0], [0, 1, 0])
    >>> keras.ops.convert_to_numpy(z).tolist()
    [0, 0, 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    a = moveaxis(x1, canonical_axis("cross", axisa, len(x1.shape)), -1)
    b = moveaxis(x2, canonical_axis("cross", axisb, len(x2.shape)), -1)
    m, n = a.shape[-1], b.shape[-1]
    if m not in {2, 3} or n not in {2, 3}:
        raise ShapeError(
            "polykeras.ops.cross expected vectors of 2 or 3 components, got the "
            f"shapes {tuple(x1.shape)} (axis {axisa}) and {tuple(x2.shape)} "
            f"(axis {axisb})."
        )

    def product(i: int, j: int) -> Tensor:
        return multiply(a[..., i], b[..., j])

    third = subtract(product(0, 1), product(1, 0))
    if m == n == 2:
        return third
    if m == 2:
        first, second = product(1, 2), negative(product(0, 2))
    elif n == 2:
        first, second = negative(product(2, 1)), product(2, 0)
    else:
        first = subtract(product(1, 2), product(2, 1))
        second = subtract(product(2, 0), product(0, 2))
    return moveaxis(stack([first, second, third], axis=-1), -1, axisc)


@op(tensor="x")
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum along a diagonal.

    Args:
        x: A tensor with at least two axes.
        offset: How far the diagonal is above the main one.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Returns:
        A tensor without the two axes; small integers are summed as int32.

    Raises:
        ArgumentError: If an axis does not exist.

    >>> import polykeras as keras
    >>> print(keras.ops.trace([[1, 2], [3, 4]]))
    5
    """
    return sum_(diagonal(x, offset=offset, axis1=axis1, axis2=axis2), axis=-1)
