"""Cases of `polykeras.ops.activations`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, Bound, composed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real
from polykeras.errors import ShapeError

__all__ = ["CASES", "activation", "sigmoid"]

_erf: Final = np.vectorize(math.erf, otypes=[float])
_SELU: Final = (1.0507009873554805, 1.6732632423543772)


def activation(
    op: str,
    reference: Callable[..., Any],
    bound: Bound,
    *options: dict[str, Any],
    **case: Any,
) -> OpCase:
    """Make the case of an activation function, out to where it saturates."""
    said = options or ({},)
    samples: list[Sample] = [
        call(real(*shape, low=-7, high=7), **said[0]) for shape in ((3, 4), (), (0, 2))
    ]
    samples += [call(real(8, low=-60, high=60), **how) for how in said]
    fields: dict[str, Any] = {
        "dtypes": FLOATS,
        "gradient": 2,
        "elementwise": True,
    } | case
    return OpCase(op, tuple(samples), reference, bound, **fields)


def sigmoid(x: Any) -> Any:
    """Return the logistic function without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _silu(x: Any) -> Any:
    return x * sigmoid(x)


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu(x: Any, approximate: bool = True) -> Any:
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _squareplus(x: Any, b: float = 4) -> Any:
    return x / 2 + np.hypot(x / 2, np.sqrt(b) / 2)


def _glu(x: Any, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


def _terms(x: Any, *args: Any, **kwargs: Any) -> Any:
    return np.abs(x) + 8.0


_ONE_EXP: Final = composed(12, "an exponential, a sum, a division and a product", low=8)

CASES: Final = (
    activation("relu", lambda x: np.maximum(x, 0), EXACT),
    activation("relu6", lambda x: np.clip(x, 0, 6), EXACT),
    activation(
        "leaky_relu",
        lambda x, negative_slope=0.2: np.where(x > 0, x, negative_slope * x),
        composed(2, "a constant and a product"),
        {},
        {"negative_slope": 0.25},
    ),
    activation("elu", _elu, _ONE_EXP, {}, {"alpha": 1.5}),
    activation("selu", lambda x: _SELU[0] * _elu(x, _SELU[1]), _ONE_EXP),
    activation(
        "celu",
        lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
        _ONE_EXP,
        {},
        {"alpha": 2.0},
    ),
    activation("sigmoid", sigmoid, _ONE_EXP),
    activation("log_sigmoid", lambda x: -_softplus(-x), _ONE_EXP),
    activation("softplus", _softplus, _ONE_EXP),
    activation("silu", _silu, _ONE_EXP),
    activation("swish", _silu, _ONE_EXP),
    activation(
        "gelu",
        _gelu,
        composed(12, "1 + tanh or 1 + erf, which cancels below 0", low=8, scale=_terms),
        {},
        {"approximate": False},
    ),
    activation(
        "softsign", lambda x: x / (1 + abs(x)), composed(3, "a sum, a division")
    ),
    activation(
        "squareplus",
        _squareplus,
        composed(4, "x and a root of x^2, which cancel below 0", low=4, scale=_terms),
        {},
        {"b": 3.0},
    ),
    activation(
        "tanh_shrink",
        lambda x: x - np.tanh(x),
        composed(12, "x and tanh x cancel near 0", low=8, scale=np.abs),
    ),
    OpCase(
        "glu",
        samples=(call(real(2, 4)), call(real(4, 3), axis=0), call(real(0, 2))),
        reference=_glu,
        bound=_ONE_EXP,
        gradient=2,
        errors=(ErrorSample(call(real(2, 3)), ShapeError, ("glu", "even", "(2, 3)")),),
    ),
)
