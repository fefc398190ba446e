"""From uniform numbers to normal ones, by the same operations on every backend.

The inverse error function is a polynomial in ``w = -log(1 - x**2)`` or its square
root. Multiplications, additions and square roots round correctly everywhere; the
logarithm of each array library, and compilers that fuse a multiplication with an
addition, differ in the last places. Results of any two backends therefore agree
to `NORMAL_ULPS` units in the last place.

Reference: Giles, 2012, "Approximating the erfinv Function", tables 5 (single) and
6 (double precision).
"""

from __future__ import annotations

import math
from typing import Any, Final

from polykeras.backend import Tensor, active
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op
from polykeras.ops._operands import Traced
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape, broadcast_shapes
from polykeras.ops.random_bits import _check_float, _check_key, random_signed

__all__ = [
    "NORMAL_ULPS",
    "SINGLE",
    "erfinv_portable",
    "random_normal",
    "scale_where",
]

NORMAL_ULPS: Final = 8
"""How far normals of two backends may differ, in units in the last place."""

Branch = tuple[float, float, tuple[float, ...]]

# Each branch: it holds for w below the bound, in the variable w - shift or, for
# all but the first, sqrt(w) - shift; coefficients from the highest power down.
SINGLE: Final[tuple[Branch, ...]] = (
    (
        5.0,
        2.5,
        (
            2.81022636e-08,
            3.43273939e-07,
            -3.5233877e-06,
            -4.39150654e-06,
            0.00021858087,
            -0.00125372503,
            -0.00417768164,
            0.246640727,
            1.50140941,
        ),
    ),
    (
        math.inf,
        3.0,
        (
            -0.000200214257,
            0.000100950558,
            0.00134934322,
            -0.00367342844,
            0.00573950773,
            -0.0076224613,
            0.00943887047,
            1.00167406,
            2.83297682,
        ),
    ),
)
"""The branches for float32."""

_DOUBLE: Final[tuple[Branch, ...]] = (
    (
        6.25,
        3.125,
        (
            -3.6444120640178196996e-21,
            -1.685059138182016589e-19,
            1.2858480715256400167e-18,
            1.115787767802518096e-17,
            -1.333171662854620906e-16,
            2.0972767875968561637e-17,
            6.6376381343583238325e-15,
            -4.0545662729752068639e-14,
            -8.1519341976054721522e-14,
            2.6335093153082322977e-12,
            -1.2975133253453532498e-11,
            -5.4154120542946279317e-11,
            1.051212273321532285e-09,
            -4.1126339803469836976e-09,
            -2.9070369957882005086e-08,
            4.2347877827932403518e-07,
            -1.3654692000834678645e-06,
            -1.3882523362786468719e-05,
            0.0001867342080340571352,
            -0.00074070253416626697512,
            -0.0060336708714301490533,
            0.24015818242558961693,
            1.6536545626831027356,
        ),
    ),
    (
        16.0,
        3.25,
        (
            2.2137376921775787049e-09,
            9.0756561938885390979e-08,
            -2.7517406297064545428e-07,
            1.8239629214389227755e-08,
            1.5027403968909827627e-06,
            -4.013867526981545969e-06,
            2.9234449089955446044e-06,
            1.2475304481671778723e-05,
            -4.7318229009055733981e-05,
            6.8284851459573175448e-05,
            2.4031110387097893999e-05,
            -0.0003550375203628474796,
            0.00095328937973738049703,
            -0.0016882755560235047313,
            0.0024914420961078508066,
            -0.0037512085075692412107,
            0.005370914553590063617,
            1.0052589676941592334,
            3.0838856104922207635,
        ),
    ),
    (
        math.inf,
        5.0,
        (
            -2.7109920616438573243e-11,
            -2.5556418169965252055e-10,
            1.5076572693500548083e-09,
            -3.7894654401267369937e-09,
            7.6157012080783393804e-09,
            -1.4960026627149240478e-08,
            2.9147953450901080826e-08,
            -6.7711997758452339498e-08,
            2.2900482228026654717e-07,
            -9.9298272942317002539e-07,
            4.5260625972231537039e-06,
            -1.9681778105531670567e-05,
            7.5995277030017761139e-05,
            -0.00021503011930044477347,
            -0.00013871931833623122026,
            1.0103004648645343977,
            4.8499064014085844221,
        ),
    ),
)


def _dtype(x: Any) -> str:
    return x.dtype if isinstance(x, Traced | Spec) else active().dtype_name(x)


@op(tensor="x", differentiable=False)
def erfinv_portable(x: Tensor) -> Tensor:
    """Return the inverse of the error function, nearly the same on every backend.

    Args:
        x: A float32 or float64 tensor with values strictly between -1 and 1.

    Returns:
        A tensor of the shape and dtype of `x`.

    Reference: Giles, 2012, "Approximating the erfinv Function".
    """
    multiply, add = REGISTRY["multiply"], REGISTRY["add"]
    subtract = REGISTRY["subtract"]
    x = x if isinstance(x, Traced) else active().convert_to_tensor(x)
    branches = _DOUBLE if _dtype(x) == "float64" else SINGLE
    size = REGISTRY["abs"](x)
    # 1 - |x| is exact where 1 - x**2 would cancel.
    product = multiply(subtract(1.0, size), add(1.0, size))
    w = REGISTRY["negative"](REGISTRY["log"](product))
    root = REGISTRY["sqrt"](w)
    result = None
    for i, (_, shift, coefficients) in reversed(list(enumerate(branches))):
        t = subtract(root if i else w, shift)
        value = add(multiply(t, coefficients[0]), coefficients[1])
        for c in coefficients[2:]:
            value = add(multiply(value, t), c)
        if result is None:
            result = value
        else:
            result = REGISTRY["where"](
                REGISTRY["less"](w, branches[i][0]), value, result
            )
    return multiply(result, x)


@erfinv_portable.abstract
def _(x: Spec) -> Spec:
    return x


@op(tensor="seed", differentiable=False)
def random_normal(seed: Tensor, shape: Any, dtype: str = "float32") -> Tensor:
    """Return standard normal numbers, the same on every backend to `NORMAL_ULPS`.

    Args:
        seed: A key: uint32 of shape (2,).
        shape: Sizes of the result.
        dtype: A floating-point dtype; float16 and bfloat16 are rounded float32.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.
    """
    shape, dtype = as_shape(shape), _check_float("random_normal", dtype)
    wide = "float64" if dtype == "float64" else "float32"
    x = erfinv_portable(random_signed(seed, shape, wide))
    return REGISTRY["cast"](REGISTRY["multiply"](x, math.sqrt(2.0)), dtype)


@random_normal.prepare
def _(seed: Tensor, shape: Any, dtype: Any = "float32") -> tuple[Any, ...]:
    _check_key("random_normal", seed)
    return seed, as_shape(shape), _check_float("random_normal", dtype)


@random_normal.abstract
def _(seed: Spec, shape: tuple[int, ...], dtype: str) -> Spec:
    return Spec(shape, dtype)


@op(tensor="x", boolean="mask")
def scale_where(x: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Return `x` times a number where `mask` holds, and 0 elsewhere.

    Args:
        x: A floating-point tensor.
        mask: A bool tensor that broadcasts to the shape of `x`.
        scale: A number.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    return REGISTRY["where"](mask, REGISTRY["multiply"](x, scale), 0.0)


@scale_where.prepare
def _(x: Tensor, mask: Tensor, scale: float) -> tuple[Any, ...]:
    broadcast_shapes("scale_where", tuple(x.shape), tuple(mask.shape))
    return x, mask, float(scale)


@scale_where.abstract
def _(x: Spec, mask: Spec, scale: float) -> Spec:
    return Spec(broadcast_shapes("scale_where", x.shape, mask.shape), x.dtype)


@scale_where.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, mask: Tensor, scale: float) -> Tensor:
    return scale_where(g, mask, scale)
