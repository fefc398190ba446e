"""Comparing values, and choosing between them."""

from __future__ import annotations

from typing import Any

from ml_dtypes import finfo

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._rules import binary, boolean, promoted, unary
from polykeras.ops._shapes import broadcast_shapes
from polykeras.ops.arithmetic import add, divide, multiply
from polykeras.ops.conversion import convert_to_tensor, dtype
from polykeras.ops.logical import logical_not, logical_or

__all__ = [
    "clip",
    "divide_no_nan",
    "equal",
    "fmax",
    "fmin",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "less",
    "less_equal",
    "maximum",
    "minimum",
    "nan_to_num",
    "not_equal",
    "select",
    "where",
]


@primitive(common="x1 x2", differentiable=False)
def equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Return where two tensors are equal; NaN equals nothing.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A boolean tensor of the broadcast shape.
    """


equal.abstract(binary("equal", result=boolean))


@primitive(common="x1 x2", differentiable=False)
def less(x1: Tensor, x2: Tensor) -> Tensor:
    """Return where the first value is below the second; never true of NaN.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A boolean tensor of the broadcast shape.
    """


less.abstract(binary("less", refused="complex", result=boolean))


@op(common="x1 x2", differentiable=False)
def not_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Return where two tensors differ; NaN differs from everything.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A boolean tensor of the broadcast shape.
    """
    return logical_not(equal(x1, x2))


not_equal.abstract(binary("not_equal", result=boolean))


@op(common="x1 x2", differentiable=False)
def greater(x1: Tensor, x2: Tensor) -> Tensor:
    """Return where the first value is above the second; never true of NaN.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A boolean tensor of the broadcast shape.
    """
    return less(x2, x1)


greater.abstract(binary("greater", refused="complex", result=boolean))


@op(common="x1 x2", differentiable=False)
def less_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Return where the first value is not above the second; never true of NaN.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A boolean tensor of the broadcast shape.
    """
    return logical_or(less(x1, x2), equal(x1, x2))


less_equal.abstract(binary("less_equal", refused="complex", result=boolean))


@op(common="x1 x2", differentiable=False)
def greater_equal(x1: Tensor, x2: Tensor) -> Tensor:
    """Return where the first value is not below the second; never true of NaN.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A boolean tensor of the broadcast shape.
    """
    return logical_or(less(x2, x1), equal(x1, x2))


greater_equal.abstract(binary("greater_equal", refused="complex", result=boolean))


# -- choosing ----------------------------------------------------------------------


@primitive(boolean="condition", common="x1 x2", elementwise=True)
def where(condition: Tensor, x1: Any = None, x2: Any = None) -> Any:
    """Return values of `x1` where the condition holds and of `x2` elsewhere.

    Args:
        condition: A tensor; numbers count as True unless zero.
        x1, x2: Tensors whose shapes broadcast with that of `condition`; or neither.

    Returns:
        A tensor of the broadcast shape and promoted dtype. Without `x1` and `x2`,
        what ``nonzero(condition)`` returns.

    Raises:
        ArgumentError: If only one of `x1` and `x2` is given.

    >>> import polykeras as keras
    >>> keras.ops.where([True, False], 1.0, [2.0, 3.0]).tolist()
    [1.0, 3.0]
    """


@where.prepare
def _(condition: Tensor, x1: Any = None, x2: Any = None) -> tuple[Any, ...]:
    if (x1 is None) != (x2 is None):
        raise ArgumentError(
            "polykeras.ops.where expected both x1 and x2, or neither; got one of them."
        )
    return condition, x1, x2


@where.abstract
def _(condition: Spec, x1: Any, x2: Any) -> Any:
    if x1 is None:
        return REGISTRY["nonzero"](condition)
    shapes = (condition.shape, tuple(x1.shape), tuple(x2.shape))
    return Spec(broadcast_shapes("where", *shapes), x1.dtype)


@where.vjp("x1")
def _(g: Tensor, out: Tensor, condition: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return where(condition, g, 0)


@where.vjp("x2")
def _(g: Tensor, out: Tensor, condition: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return where(condition, 0, g)


@primitive(common="x1 x2", elementwise=True)
def maximum(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the larger of two values; NaN if one of them is.

    The gradient of a tie goes to both, one half each.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.
    """


@primitive(common="x1 x2", elementwise=True)
def minimum(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the smaller of two values; NaN if one of them is.

    The gradient of a tie goes to both, one half each.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.
    """


maximum.abstract(binary("maximum", refused="complex"))
minimum.abstract(binary("minimum", refused="complex"))


def _share(g: Tensor, won: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    """Return the gradient of the argument that won, halved where both did."""
    return where(won, g, where(equal(x1, x2), multiply(g, 0.5), 0))


@maximum.vjp("x1")
@minimum.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return _share(g, less(x2, x1), x1, x2)


@maximum.vjp("x2")
@minimum.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return _share(g, less(x1, x2), x1, x2)


@op(common="x x_min x_max")
def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    """Return the values, moved to the nearer limit where they lie outside.

    The same as ``minimum(maximum(x, x_min), x_max)``, gradient included.

    Args:
        x: A real tensor of any shape.
        x_min, x_max: Limits that broadcast with `x`; None means no limit.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    >>> import polykeras as keras
    >>> keras.ops.clip([-2, 0, 9], 0, 5).tolist()
    [0, 0, 5]
    """
    x, x_min, x_max = promoted(x, x_min, x_max)
    if x_min is not None:
        x = maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


@op(common="x1 x2")
def fmax(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the larger of two values; where one of them is NaN, the other.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    >>> import polykeras as keras
    >>> keras.ops.fmax([1.0, float("nan")], [2.0, 3.0]).tolist()
    [2.0, 3.0]
    """
    x1, x2 = promoted(x1, x2)
    broadcast_shapes("fmax", tuple(x1.shape), tuple(x2.shape))
    return maximum(where(isnan(x1), x2, x1), where(isnan(x2), x1, x2))


@op(common="x1 x2")
def fmin(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the smaller of two values; where one of them is NaN, the other.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.
    """
    x1, x2 = promoted(x1, x2)
    broadcast_shapes("fmin", tuple(x1.shape), tuple(x2.shape))
    return minimum(where(isnan(x1), x2, x1), where(isnan(x2), x1, x2))


fmax.abstract(binary("fmax", refused="complex"))
fmin.abstract(binary("fmin", refused="complex"))


@op(tree="condlist choicelist default")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """Return, for each position, the value of the first choice whose condition holds.

    Args:
        condlist: A list of boolean tensors.
        choicelist: As many tensors; all shapes broadcast together.
        default: The value where no condition holds.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    Raises:
        ArgumentError: If the lists differ in length or are empty.

    >>> import polykeras as keras
    >>> x = keras.ops.arange(5)
    >>> keras.ops.select([x < 2, x > 3], [x, x * 10], -1).tolist()
    [0, 1, -1, -1, 40]
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ArgumentError(
            "polykeras.ops.select expected two lists of one length, at least 1; got "
            f"{len(condlist)} conditions and {len(choicelist)} choices."
        )
    *choices, result = promoted(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        result = where(condition, choice, result)
    return result


@op(inexact="x1 x2")
def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the quotient of two tensors, and 0 where the denominator is 0.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A float tensor of the broadcast shape; its gradient is 0 where `x2` is 0.

    >>> import polykeras as keras
    >>> keras.ops.divide_no_nan([1.0, 3.0], [0.0, 2.0]).tolist()
    [0.0, 1.5]
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    broadcast_shapes("divide_no_nan", tuple(x1.shape), tuple(x2.shape))
    zero = equal(x2, 0)
    # A quotient by zero in the branch not taken would make its gradient NaN.
    return where(zero, 0.0, divide(x1, where(zero, 1, x2)))


# -- NaN and infinity ----------------------------------------------------------------


@op(common="x", differentiable=False)
def isnan(x: Tensor) -> Tensor:
    """Return where the values are NaN.

    Args:
        x: A tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    return not_equal(x, x)


@op(common="x", differentiable=False)
def isinf(x: Tensor) -> Tensor:
    """Return where the values are infinite, of either sign.

    Args:
        x: A tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    return equal(REGISTRY["abs"](x), float("inf"))


@op(common="x", differentiable=False)
def isfinite(x: Tensor) -> Tensor:
    """Return where the values are neither infinite nor NaN.

    Args:
        x: A tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    return less(REGISTRY["abs"](x), float("inf"))


@op(common="x", differentiable=False)
def isposinf(x: Tensor) -> Tensor:
    """Return where the values are plus infinity.

    Args:
        x: A real tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    return equal(x, float("inf"))


@op(common="x", differentiable=False)
def isneginf(x: Tensor) -> Tensor:
    """Return where the values are minus infinity.

    Args:
        x: A real tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    return equal(x, float("-inf"))


for _test in (isnan, isinf, isfinite, isposinf, isneginf):
    _test.abstract(unary(_test.__name__, result=boolean))


@op(tensor="x")
def nan_to_num(
    x: Tensor,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Return the values with numbers in place of NaN and infinities.

    Args:
        x: A tensor of any shape.
        nan: What NaN becomes.
        posinf: What plus infinity becomes; None means the largest number.
        neginf: What minus infinity becomes; None means the lowest number.

    Returns:
        A tensor of the shape and dtype of `x`; the gradient is 0 at what was
        replaced.

    >>> import polykeras as keras
    >>> keras.ops.nan_to_num([float("nan"), 1.0]).tolist()
    [0.0, 1.0]
    """
    x = convert_to_tensor(x)
    name = dtype(x)
    if dtypes.is_complex(name):
        real, imag = REGISTRY["real"](x), REGISTRY["imag"](x)
        parts = [nan_to_num(part, nan, posinf, neginf) for part in (real, imag)]
        return add(parts[0], multiply(parts[1], 1j))
    if not dtypes.is_float(name):
        return x
    limits: Any = finfo(dtypes.as_numpy_dtype(name))  # type: ignore[no-untyped-call]
    posinf = float(limits.max) if posinf is None else posinf
    neginf = float(limits.min) if neginf is None else neginf
    x = where(isnan(x), nan, x)
    return where(isposinf(x), posinf, where(isneginf(x), neginf, x))
