"""Cases of `polykeras.ops.control` and `polykeras.ops.mapping`, and of `vectorize`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras import ops
from polykeras.conformance._bounds import composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, given, real

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_FEW: Final = composed(8, "a few products and sums", scale=lambda *a, **k: 32.0)


def _cond(pred: Any, x: Any) -> Any:
    return ops.cond(pred, lambda: ops.multiply(x, 2), lambda: ops.add(x, 3))


def _switch(index: Any, x: Any) -> Any:
    return ops.switch(index, [ops.negative, ops.square, lambda y: ops.add(y, 1)], x)


def _while(x: Any) -> Any:
    def body(i: Any, y: Any) -> Any:
        return ops.add(i, 1), ops.multiply(y, x)

    return ops.while_loop(lambda i, y: ops.less(i, 3), body, (0, x), 5)[1]


def _fori(x: Any) -> Any:
    return ops.fori_loop(0, 4, lambda i, y: ops.multiply(y, x), x)


def _scan(x: Any) -> Any:
    def step(carry: Any, row: Any) -> Any:
        carry = ops.multiply(carry, row)
        return carry, ops.add(carry, row)

    return ops.scan(step, ops.ones_like(ops.take(x, 0, 0)), x)


def _scanned(x: Any) -> Any:
    product = np.cumprod(x, 0)
    return product[-1], product + x


def _map(x: Any) -> Any:
    return ops.map(lambda row: ops.sum(ops.square(row)), x)


def _vectorized(x: Any) -> Any:
    return ops.vectorized_map(lambda row: ops.sum(ops.square(row)), x)


def _squares(x: Any) -> Any:
    return np.sum(x * x, axis=tuple(range(1, x.ndim)))


def _associative(x: Any) -> Any:
    return ops.associative_scan(ops.multiply, x, axis=0)


def _vectorize(x: Any, y: Any) -> Any:
    return ops.vectorize(lambda a, b: ops.add(ops.multiply(a, b), 1))(x, y)


_PRED: Final = given(True, "bool")
_NOT: Final = given(False, "bool")


def _case(op: str, run: Any, reference: Any, *samples: Any, **case: Any) -> OpCase:
    fields: dict[str, Any] = {"gradient": 2, "call": run} | case
    return OpCase(op, samples, reference, _FEW, _WIDE, **fields)


CASES: Final = (
    _case(
        "cond",
        _cond,
        lambda pred, x: x * 2 if pred else x + 3,
        call(_PRED, real(2, 3)),
        call(_NOT, real(2, 3)),
    ),
    _case(
        "switch",
        _switch,
        lambda index, x: [-x, x * x, x + 1][int(np.clip(index, 0, 2))],
        call(given(1, "int32"), real(2, 3)),
        call(given(0, "int32"), real(3)),
        call(given(9, "int32"), real(3)),
    ),
    _case("while_loop", _while, lambda x: x**4, call(real(2, 3)), call(real())),
    _case("fori_loop", _fori, lambda x: x**5, call(real(2, 3)), call(real())),
    _case("scan", _scan, _scanned, call(real(4, 3)), call(real(3))),
    _case("map", _map, _squares, call(real(3, 4)), call(real(2, 3, 2))),
    _case("vectorized_map", _vectorized, _squares, call(real(3, 4))),
    _case(
        "associative_scan",
        _associative,
        lambda x: np.cumprod(x, 0),
        call(real(5, 2)),
        call(real(4)),
    ),
    _case(
        "vectorize",
        _vectorize,
        lambda x, y: x * y + 1,
        call(real(2, 1), real(3)),
        call(real(3), real(3)),
    ),
)
