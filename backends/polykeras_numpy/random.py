"""Kernels of the domain random: Threefry in blocks that stay in the cache.

A result is made block by block: all rounds of the cipher, and what turns words
into floats or masks, run in place on buffers of one block, so memory is touched
once. Measured on two cores, float32: 6 ns a word, 60 us for one word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from polykeras.backend import Array, Kernel
from polykeras.dtypes import as_numpy_dtype
from polykeras.ops.random_bits import (
    PARITY,
    ROTATIONS,
    SIGNIFICANT_BITS,
    permutation_rounds,
)
from polykeras.ops.random_normal import SINGLE, erfinv_portable

__all__ = ["KERNELS"]

_BLOCK: Final = 1 << 15
_MASK: Final = 0xFFFFFFFF
_SHIFTS: Final = [
    [(np.uint32(r), np.uint32(32 - r)) for r in group] for group in ROTATIONS
]
_EIGHT: Final = np.uint32(8)


def _schedule(seed: Array) -> tuple[int, int, int]:
    k0, k1 = int(seed[0]), int(seed[1])
    return k0, k1, k0 ^ k1 ^ PARITY


def _encrypt(
    schedule: tuple[int, int, int], x0: Array, x1: Array, scratch: Array
) -> None:
    """Run the twenty rounds in place; the first key is added already."""
    for group in range(5):
        for left, right in _SHIFTS[group % 2]:
            np.add(x0, x1, out=x0)
            np.left_shift(x1, left, out=scratch)
            np.right_shift(x1, right, out=x1)
            np.bitwise_or(x1, scratch, out=x1)
            np.bitwise_xor(x1, x0, out=x1)
        k0, k1 = schedule[(group + 1) % 3], schedule[(group + 2) % 3]
        np.add(x0, np.uint32(k0), out=x0)
        np.add(x1, np.uint32((k1 + group + 1) & _MASK), out=x1)


def _pair(seed: Array, low: Array) -> tuple[Array, Array]:
    """Return both words for the counters (0, low)."""
    schedule = _schedule(seed)
    x1 = low + np.uint32(schedule[1])
    x0 = np.full_like(x1, schedule[0])
    _encrypt(schedule, x0, x1, np.empty_like(x1))
    return x0, x1


def _blocks(seed: Array, count: int, first: int = 0) -> Iterator[tuple[slice, Array]]:
    """Yield where a block goes and its words, in a buffer that is used again."""
    schedule = k0, k1, _ = _schedule(seed)
    size = min(_BLOCK, count)
    counters = np.arange(size, dtype=np.uint32)
    first_word, second_word, scratch = np.empty((3, size), np.uint32)
    start = 0
    while start < count:
        at = first + start
        # A block ends where the low word of the counter starts again.
        stop = min(start + size, count, start + (_MASK + 1) - (at & _MASK))
        n = stop - start
        x0, x1 = first_word[:n], second_word[:n]
        np.add(counters[:n], np.uint32((at + k1) & _MASK), out=x1)
        x0.fill((k0 + (at >> 32)) & _MASK)
        _encrypt(schedule, x0, x1, scratch[:n])
        np.bitwise_xor(x0, x1, out=x0)
        yield slice(start, stop), x0
        start = stop


def _random_bits(seed: Array, shape: tuple[int, ...]) -> Array:
    out = np.empty(math.prod(shape), np.uint32)
    for where, words in _blocks(seed, out.size):
        out[where] = words
    return out.reshape(shape)


def _random_split(seed: Array, num: int) -> Array:
    return np.stack(_pair(seed, np.arange(num, dtype=np.uint32)), axis=-1)


def _random_fold_in(seed: Array, data: Array) -> Array:
    low = np.array([int(data) & _MASK], np.uint32)
    return np.concatenate(_pair(seed, low))


def _random_advance(seed: Array) -> Array:
    return np.array([seed[0], (int(seed[1]) + 1) & _MASK], np.uint32)


def _random_uniform(seed: Array, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype == "float64":
        value = _wide(seed, shape)
        value *= 2.0**-53
        return value
    count = SIGNIFICANT_BITS[dtype]
    out = np.empty(math.prod(shape), as_numpy_dtype(dtype))
    scale = np.float32(2.0**-count)
    for where, words in _blocks(seed, out.size):
        np.right_shift(words, np.uint32(32 - count), out=words)
        # A conversion from signed integers is one instruction, from unsigned many.
        out[where] = np.multiply(words.view(np.int32), scale, dtype=np.float32)
    return out.reshape(shape)


def _wide(seed: Array, shape: tuple[int, ...]) -> Array:
    words = _random_bits(seed, (2, *shape))
    value: Array = words[0].astype(np.float64)
    value *= float(1 << 21)
    value += words[1] >> np.uint32(11)
    return value


def _signed_block(words: Array, out: Array) -> None:
    """Write the odd multiples of 2**-24 that the words stand for."""
    np.right_shift(words, _EIGHT, out=words)
    odd = words.view(np.int32)
    np.subtract(odd, np.int32(1 << 23), out=odd)
    np.add(odd, odd, out=odd)
    np.add(odd, np.int32(1), out=odd)
    np.multiply(odd, np.float32(2.0**-24), out=out, dtype=np.float32)


def _random_signed(seed: Array, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype == "float64":
        value = _wide(seed, shape)
        value -= float(1 << 52)
        value += value
        value += 1.0
        value *= 2.0**-53
        return value
    out = np.empty(math.prod(shape), np.float32)
    for where, words in _blocks(seed, out.size):
        _signed_block(words, out[where])
    return out.reshape(shape)


def _polynomial(coefficients: tuple[float, ...], t: Array, out: Array) -> None:
    np.multiply(t, np.float32(coefficients[0]), out=out)
    np.add(out, np.float32(coefficients[1]), out=out)
    for c in coefficients[2:]:
        np.multiply(out, t, out=out)
        np.add(out, np.float32(c), out=out)


def _erfinv_block(x: Array, w: Array, t: Array) -> None:
    """Replace float32 `x` by its inverse error function; `w`, `t` are scratch."""
    (bound, shift, central), (_, tail_shift, tail) = SINGLE
    one = np.float32(1)
    np.abs(x, out=t)
    np.subtract(one, t, out=w)
    np.add(one, t, out=t)
    np.multiply(w, t, out=w)
    np.log(w, out=w)
    np.negative(w, out=w)
    (far,) = np.nonzero(w >= np.float32(bound))
    rare = np.sqrt(w[far]) - np.float32(tail_shift)
    np.subtract(w, np.float32(shift), out=w)
    _polynomial(central, w, t)
    if far.size:
        value = np.empty_like(rare)
        _polynomial(tail, rare, value)
        t[far] = value
    np.multiply(t, x, out=x)


def _random_normal(seed: Array, shape: tuple[int, ...], dtype: str) -> Array:
    count = math.prod(shape)
    if dtype == "float64":
        x = _random_signed(seed, shape, dtype)
        return np.asarray(erfinv_portable(x) * math.sqrt(2.0))
    out = np.empty(count, as_numpy_dtype(dtype))
    x, w, t = np.empty((3, min(count, _BLOCK)), np.float32)
    for where, words in _blocks(seed, count):
        n = words.size
        _signed_block(words, x[:n])
        _erfinv_block(x[:n], w[:n], t[:n])
        out[where] = np.multiply(x[:n], np.float32(math.sqrt(2.0)), out=x[:n])
    return out.reshape(shape)


def _random_mask(seed: Array, shape: tuple[int, ...], probability: float) -> Array:
    threshold = round(probability * (_MASK + 1))
    out = np.empty(math.prod(shape), np.bool_)
    if threshold > _MASK:
        out.fill(True)
        return out.reshape(shape)
    bound = np.uint32(threshold)
    for where, words in _blocks(seed, out.size):
        np.less(words, bound, out=out[where])
    return out.reshape(shape)


def _random_integers(seed: Array, shape: tuple[int, ...], span: Array) -> Array:
    high, low = _random_bits(seed, (2, *shape)).astype(np.uint64)
    span = span.astype(np.uint64)
    half = np.uint64(32)
    value = (high * span + ((low * span) >> half)) >> half
    return np.asarray(value.astype(np.uint32))


def _random_permutation(seed: Array, num: int) -> Array:
    # A word above its position: sorting the pairs sorts the words stably, and is
    # several times faster than an indirect sort.
    order = np.arange(num, dtype=np.uint64)
    position = order.copy()
    for words in _random_bits(seed, (permutation_rounds(num), num)):
        key = words.astype(np.uint64)[order]
        key <<= np.uint64(32)
        key |= position
        key.sort()
        order = order[key & np.uint64(_MASK)]
    return order.astype(np.int32)


_BITS_OF: Final[dict[int, Any]] = {2: np.int16, 4: np.int32, 8: np.int64}


def _scale_where(x: Array, mask: Array, scale: float) -> Array:
    out: Array = np.multiply(x, x.dtype.type(scale))
    if out.shape != mask.shape:
        out = np.where(mask, out, x.dtype.type(0))
        return out
    # All ones or all zeros as an integer: no branch, and NaN becomes 0 too.
    integer = _BITS_OF[out.itemsize]
    keep = np.negative(mask.view(np.int8)).astype(integer)
    bits = np.asarray(out).view(integer)
    np.bitwise_and(bits, keep, out=bits)
    return np.asarray(out)


KERNELS: Final[dict[str, Kernel]] = {
    "random_bits": _random_bits,
    "random_split": _random_split,
    "random_fold_in": _random_fold_in,
    "random_advance": _random_advance,
    "random_uniform": _random_uniform,
    "random_signed": _random_signed,
    "random_normal": _random_normal,
    "random_mask": _random_mask,
    "random_integers": _random_integers,
    "random_permutation": _random_permutation,
    "scale_where": _scale_where,
}
