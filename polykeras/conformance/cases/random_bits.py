"""Cases of `polykeras.ops.random_bits` and `polykeras.ops.random_normal`.

The reference is the definition, one counter at a time; known answers, statistics and
agreement with the reference backend are the section "random".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.special

from polykeras import ops
from polykeras.backend import REFERENCE, get_backend, use_backend
from polykeras.conformance._bounds import EXACT, composed, elementary
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, given, real, truth
from polykeras.ops._registry import REGISTRY
from polykeras.ops.random_normal import NORMAL_ULPS

__all__ = ["CASES"]

_KEY: Final = given([5, 7], "uint32")
_F: Final = ("float32",)
_ROTATIONS: Final = ((13, 15, 26, 6), (17, 29, 16, 24))


def _threefry(key: Any, counter: tuple[int, int]) -> tuple[int, int]:
    """Encrypt one counter with Threefry-2x32, 20 rounds (Salmon et al., 2011)."""
    mask = 0xFFFFFFFF
    k = [int(key[0]), int(key[1])]
    keys = [*k, k[0] ^ k[1] ^ 0x1BD11BDA]
    x, y = (counter[0] + keys[0]) & mask, (counter[1] + keys[1]) & mask
    for block in range(5):
        for turn in _ROTATIONS[block % 2]:
            x = (x + y) & mask
            y = ((y << turn) | (y >> (32 - turn))) & mask
            y ^= x
        x = (x + keys[(block + 1) % 3]) & mask
        y = (y + keys[(block + 2) % 3] + block + 1) & mask
    return x, y


def _bits(seed: Any, shape: Any) -> Any:
    count = int(np.prod(shape))
    words = [_threefry(seed, (0, i)) for i in range(count)]
    return np.array([a ^ b for a, b in words], np.int64).reshape(shape)


def _split(seed: Any, num: int = 2) -> Any:
    return np.array([_threefry(seed, (0, i)) for i in range(num)])


def _fold_in(seed: Any, data: Any) -> Any:
    return np.array(_threefry(seed, (0, int(data))))


def _uniform(seed: Any, shape: Any, dtype: str = "float32") -> Any:
    return (_bits(seed, shape) >> 8) / 2.0**24


def _on_reference(name: str) -> Any:
    """Return the op on the reference backend: its integers define the others'."""

    def run(seed: Any, *args: Any) -> Any:
        with use_backend(get_backend(REFERENCE)):
            key = np.asarray(seed).astype(np.uint32)
            found = REGISTRY[name](key, *args)  # type: ignore[operator]
            return np.asarray(ops.convert_to_numpy(found))

    return run


def _same(op: str, result: str, *args: Any) -> OpCase:
    return OpCase(op, (call(_KEY, *args),), _on_reference(op), EXACT, _F, result)


CASES: Final = (
    OpCase(
        "random_bits",
        (call(_KEY, (3, 5)), call(_KEY, ()), call(_KEY, (0, 2))),
        _bits,
        EXACT,
        _F,
        "uint32",
    ),
    OpCase("random_split", (call(_KEY, 3),), _split, EXACT, _F, "uint32"),
    OpCase("random_fold_in", (call(_KEY, 42),), _fold_in, EXACT, _F, "uint32"),
    OpCase("random_uniform", (call(_KEY, (3, 5)),), _uniform, EXACT, _F, "float32"),
    _same("random_advance", "uint32"),
    _same("random_signed", "float32", (3, 5)),
    _same("random_mask", "bool", (3, 5), 0.25),
    _same("random_integers", "uint32", (3, 5), np.uint32(10)),
    _same("random_permutation", "int32", 20),
    OpCase(
        "random_normal",
        (call(_KEY, (3, 50)),),
        _on_reference("random_normal"),
        elementary(float(NORMAL_ULPS), "the stated bound between backends"),
        _F,
        "float32",
    ),
    OpCase(
        "erfinv_portable",
        (call(real(3, 4, low=-0.95, high=0.95)),),
        scipy.special.erfinv,
        elementary(8),
        ("float32", "float64"),
    ),
    OpCase(
        "scale_where",
        (call(real(2, 3), truth(2, 3), 2.0),),
        lambda x, mask, scale: np.where(mask > 0, x * scale, 0),
        composed(1, "one product"),
        gradient=1,
    ),
)
