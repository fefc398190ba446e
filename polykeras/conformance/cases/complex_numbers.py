"""Cases of `polykeras.ops.complex_numbers`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, composed, elementary
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, complex_, real
from polykeras.conformance.cases._builders import alias

__all__ = ["CASES"]

_BOTH: Final = (call(complex_(2, 3)), call(complex_()), call(complex_(0, 2)))


def _view_as_real(x: Any) -> Any:
    return np.stack([x.real, x.imag], -1)


_CONJ: Final = OpCase("conj", _BOTH, np.conj, EXACT, ("float32",), "complex64")

CASES: Final = (
    OpCase("real", _BOTH, np.real, EXACT, ("float32",)),
    OpCase("imag", _BOTH, np.imag, EXACT, ("float32",)),
    OpCase(
        "view_as_complex",
        (call(real(3, 2)), call(real(2, 0, 2))),
        lambda x: x[..., 0] + 1j * x[..., 1],
        EXACT,
        ("float32", "float64"),
        {"float32": "complex64", "float64": "complex128"}.__getitem__,
    ),
    OpCase("view_as_real", _BOTH, _view_as_real, EXACT, ("float32",)),
    _CONJ,
    alias(_CONJ, "conjugate"),
    OpCase("isreal", _BOTH, np.isreal, EXACT, ("float32",), "bool"),
    OpCase("angle", _BOTH, np.angle, elementary(6), ("float32",)),
    OpCase(
        "polar",
        (call(real(2, 3, low=0.5, high=2), real(2, 3)),),
        lambda abs_, angle: abs_ * np.exp(1j * angle),
        composed(6, "a sine or cosine and a product"),
        ("float32", "float64"),
        {"float32": "complex64", "float64": "complex128"}.__getitem__,
    ),
)
