"""Random bits, the same on every backend, and what follows from them exactly.

A key is a uint32 tensor of shape (2,). Bits come from Threefry-2x32 with 20
rounds: element ``i`` of a result is the exclusive or of the two words that the
cipher under the key makes of the 64-bit counter ``i``. There is no hidden state:
equal keys give equal bits, in any order, on any backend.

Everything in this file is integer arithmetic, or floating-point arithmetic in
which no step rounds, so results are bit-identical across backends, compiled or
not.

Reference: Salmon et al., 2011, "Parallel Random Numbers: As Easy as 1, 2, 3",
section 3.3; the layout of counters and the derivation of keys are those of JAX's
``threefry2x32`` with partitionable counters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape

__all__ = [
    "PARITY",
    "ROTATIONS",
    "SIGNIFICANT_BITS",
    "permutation_rounds",
    "random_advance",
    "random_bits",
    "random_fold_in",
    "random_integers",
    "random_mask",
    "random_permutation",
    "random_signed",
    "random_split",
    "random_uniform",
]

PARITY: Final = 0x1BD11BDA
"""The constant of the key schedule."""
ROTATIONS: Final = ((13, 15, 26, 6), (17, 29, 16, 24))
"""Rotation distances of even and odd groups of four rounds."""
SIGNIFICANT_BITS: Final = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
"""How many random bits a float in [0, 1) has: as many as its significand."""
_WORD: Final = 1 << 32


def permutation_rounds(num: int) -> int:
    """Return how many 32-bit keys a shuffle of `num` items sorts by.

    One key is enough while the chance of two equal ones is small; two make it
    negligible for every array that fits in memory.
    """
    return 1 if num <= 1 << 10 else 2


# -- keys ------------------------------------------------------------------------


def _check_key(op_name: str, seed: Any) -> None:
    dtype = getattr(seed, "dtype", None)
    if tuple(seed.shape) != (2,):
        raise ShapeError(
            f"polykeras.ops.{op_name} expected a key of shape (2,), got shape "
            f"{tuple(seed.shape)}. Use polykeras.random.SeedGenerator to make keys."
        )
    if dtype is not None and dtypes.standardize_dtype(dtype) != "uint32":
        raise DTypeError(
            f"polykeras.ops.{op_name} expected a key of dtype uint32, got "
            f"{dtypes.standardize_dtype(dtype)}. Use polykeras.random.SeedGenerator "
            "to make keys."
        )


def _check_float(op_name: str, dtype: Any) -> str:
    name = dtypes.standardize_dtype(dtype)
    if name not in SIGNIFICANT_BITS:
        raise DTypeError(
            f"polykeras.ops.{op_name} expected a floating-point dtype, got {name}. "
            f"Use one of {', '.join(SIGNIFICANT_BITS)}."
        )
    return name


def _check_probability(probability: float) -> float:
    if not 0.0 <= probability <= 1.0:
        raise ArgumentError(
            "polykeras.ops.random_mask expected a probability from 0 to 1, got "
            f"{probability}."
        )
    return float(probability)


def _words(seed: Tensor) -> tuple[Tensor, Tensor]:
    item = REGISTRY["get_item"]
    return item(seed, 0), item(seed, 1)


def _rotate(x: Tensor, distance: int) -> Tensor:
    return REGISTRY["bitwise_or"](
        REGISTRY["left_shift"](x, distance), REGISTRY["right_shift"](x, 32 - distance)
    )


def _threefry(seed: Tensor, x0: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
    """Encrypt counters of two uint32 words; additions are modulo 2**32."""
    add, xor = REGISTRY["add"], REGISTRY["bitwise_xor"]
    k0, k1 = _words(seed)
    schedule = (k0, k1, xor(xor(k0, k1), PARITY))
    x0, x1 = add(x0, k0), add(x1, k1)
    for group in range(5):
        for distance in ROTATIONS[group % 2]:
            x0 = add(x0, x1)
            x1 = xor(_rotate(x1, distance), x0)
        x0 = add(x0, schedule[(group + 1) % 3])
        x1 = add(add(x1, schedule[(group + 2) % 3]), group + 1)
    return x0, x1


@primitive(tensor="seed", has_default=True, differentiable=False)
def random_bits(seed: Tensor, shape: Any) -> Tensor:
    """Return uniform random 32-bit words.

    Args:
        seed: A key: uint32 of shape (2,).
        shape: Sizes of the result.

    Returns:
        A uint32 tensor of shape `shape`, a function of `seed` and `shape` alone.

    Reference: Salmon et al., 2011, "Parallel Random Numbers: As Easy as 1, 2, 3".

    >>> import numpy as np
    >>> import polykeras as keras
    >>> key = np.array([5, 7], "uint32")
    >>> keras.ops.convert_to_numpy(random_bits(key, (2,)))
    array([2209140761,  817127623], dtype=uint32)
    """
    shape = as_shape(shape)
    count = math.prod(shape)
    parts = []
    for start in range(0, max(count, 1), _WORD):
        low = REGISTRY["arange"](min(count - start, _WORD), dtype="uint32")
        high = REGISTRY["full"]((), start // _WORD, "uint32")
        parts.append(REGISTRY["bitwise_xor"](*_threefry(seed, high, low)))
    bits = parts[0] if len(parts) == 1 else REGISTRY["concatenate"](parts, 0)
    return REGISTRY["reshape"](bits, shape)


@random_bits.prepare
def _(seed: Tensor, shape: Any) -> tuple[Any, ...]:
    _check_key("random_bits", seed)
    return seed, as_shape(shape)


@random_bits.abstract
def _(seed: Spec, shape: tuple[int, ...]) -> Spec:
    return Spec(shape, "uint32")


@op(tensor="seed", differentiable=False)
def random_split(seed: Tensor, num: int = 2) -> Tensor:
    """Return independent new keys made from one.

    Args:
        seed: A key: uint32 of shape (2,). Do not use it for anything else.
        num: How many keys.

    Returns:
        A uint32 tensor of shape (`num`, 2); row ``i`` equals
        ``random_fold_in(seed, i)``.
    """
    low = REGISTRY["arange"](num, dtype="uint32")
    high = REGISTRY["full"]((), 0, "uint32")
    return REGISTRY["stack"](list(_threefry(seed, high, low)), -1)


@random_split.prepare
def _(seed: Tensor, num: int = 2) -> tuple[Any, ...]:
    _check_key("random_split", seed)
    return seed, int(num)


@random_split.abstract
def _(seed: Spec, num: int) -> Spec:
    return Spec((num, 2), "uint32")


@op(tensor="seed data", differentiable=False)
def random_fold_in(seed: Tensor, data: Any) -> Tensor:
    """Return a new key made from a key and a number.

    Args:
        seed: A key: uint32 of shape (2,).
        data: A non-negative integer below 2**32, or a 0-d integer tensor.

    Returns:
        A key: uint32 of shape (2,).
    """
    low = REGISTRY["cast"](data, "uint32")
    high = REGISTRY["full"]((), 0, "uint32")
    return REGISTRY["stack"](list(_threefry(seed, high, low)), -1)


@random_fold_in.prepare
def _(seed: Tensor, data: Tensor) -> tuple[Any, ...]:
    _check_key("random_fold_in", seed)
    if tuple(data.shape) != ():
        raise ShapeError(
            "polykeras.ops.random_fold_in expected one number, got a tensor of shape "
            f"{tuple(data.shape)}. Use random_split for many keys."
        )
    return seed, data


@random_fold_in.abstract
def _(seed: Spec, data: Spec) -> Spec:
    return Spec((2,), "uint32")


@op(tensor="seed", differentiable=False)
def random_advance(seed: Tensor) -> Tensor:
    """Return the state of a seed generator after one draw.

    Args:
        seed: A seed and a counter: uint32 of shape (2,).

    Returns:
        The same with the counter raised by one, modulo 2**32.
    """
    k0, k1 = _words(seed)
    return REGISTRY["stack"]([k0, REGISTRY["add"](k1, 1)], 0)


@random_advance.abstract
def _(seed: Spec) -> Spec:
    return Spec((2,), "uint32")


# -- exact consequences of bits --------------------------------------------------


def _leading(seed: Tensor, shape: tuple[int, ...], count: int) -> Tensor:
    """Return the top `count` bits of each word as int32, `count` <= 31."""
    bits = REGISTRY["right_shift"](random_bits(seed, shape), 32 - count)
    return REGISTRY["cast"](bits, "int32")


def _leading_wide(seed: Tensor, shape: tuple[int, ...], count: int) -> Tensor:
    """Return `count` <= 53 bits of two words as an exact float64."""
    words = random_bits(seed, (2, *shape))
    item, cast = REGISTRY["get_item"], REGISTRY["cast"]
    high, low = item(words, 0), item(words, 1)
    low = REGISTRY["right_shift"](low, 64 - count)
    return REGISTRY["add"](
        REGISTRY["multiply"](cast(high, "float64"), float(1 << (count - 32))),
        cast(low, "float64"),
    )


@op(tensor="seed", differentiable=False)
def random_uniform(seed: Tensor, shape: Any, dtype: str = "float32") -> Tensor:
    """Return uniform random floats in [0, 1), bit-identical on every backend.

    The value is the leading bits of a word, scaled exactly: 24 bits for float32,
    11 for float16, 8 for bfloat16; 53 bits of two words for float64.

    Args:
        seed: A key: uint32 of shape (2,).
        shape: Sizes of the result.
        dtype: A floating-point dtype.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.
    """
    shape, dtype = as_shape(shape), _check_float("random_uniform", dtype)
    count = SIGNIFICANT_BITS[dtype]
    if dtype == "float64":
        k = _leading_wide(seed, shape, count)
    else:
        k = REGISTRY["cast"](_leading(seed, shape, count), "float32")
    value = REGISTRY["multiply"](k, 2.0**-count)
    return REGISTRY["cast"](value, dtype)


@op(tensor="seed", differentiable=False)
def random_signed(seed: Tensor, shape: Any, dtype: str = "float32") -> Tensor:
    """Return uniform random floats in (-1, 1), symmetric, never 0, 1 or -1.

    The values are the odd multiples of 2**-24, or of 2**-53 for float64. They
    are what inverse distribution functions want, which are infinite at the ends.

    Args:
        seed: A key: uint32 of shape (2,).
        shape: Sizes of the result.
        dtype: ``"float32"`` or ``"float64"``.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.
    """
    shape = as_shape(shape)
    if dtype == "float64":
        k = _leading_wide(seed, shape, 53)
        # 2k + 1 - 2**53 in an order in which every step is exact.
        k = REGISTRY["subtract"](k, float(1 << 52))
        odd = REGISTRY["add"](REGISTRY["add"](k, k), 1.0)
        return REGISTRY["multiply"](odd, 2.0**-53)
    k = REGISTRY["subtract"](_leading(seed, shape, 24), 1 << 23)
    odd = REGISTRY["add"](REGISTRY["add"](k, k), 1)
    return REGISTRY["multiply"](REGISTRY["cast"](odd, "float32"), 2.0**-24)


def _prepare_float(name: str) -> Callable[..., tuple[Any, ...]]:
    def rule(seed: Tensor, shape: Any, dtype: Any = "float32") -> tuple[Any, ...]:
        _check_key(name, seed)
        return seed, as_shape(shape), _check_float(name, dtype)

    return rule


def _abstract_float(seed: Spec, shape: tuple[int, ...], dtype: str) -> Spec:
    return Spec(shape, dtype)


for _declared in (random_uniform, random_signed):
    _declared.prepare(_prepare_float(_declared.__name__))
    _declared.abstract(_abstract_float)


@op(tensor="seed", differentiable=False)
def random_mask(seed: Tensor, shape: Any, probability: float) -> Tensor:
    """Return independent random truth values, bit-identical on every backend.

    Args:
        seed: A key: uint32 of shape (2,).
        shape: Sizes of the result.
        probability: How likely True is, rounded to a multiple of 2**-32.

    Returns:
        A bool tensor of shape `shape`.
    """
    shape, probability = as_shape(shape), _check_probability(probability)
    threshold = round(probability * _WORD)
    if threshold in (0, _WORD):
        return REGISTRY["full"](shape, threshold == _WORD, "bool")
    bits = random_bits(seed, shape)
    return REGISTRY["less"](bits, REGISTRY["full"]((), threshold, "uint32"))


@random_mask.prepare
def _(seed: Tensor, shape: Any, probability: float) -> tuple[Any, ...]:
    _check_key("random_mask", seed)
    return seed, as_shape(shape), _check_probability(probability)


@random_mask.abstract
def _(seed: Spec, shape: tuple[int, ...], probability: float) -> Spec:
    return Spec(shape, "bool")


def _multiply_high(x: Tensor, y: Tensor) -> Tensor:
    """Return the upper 32 bits of the 64-bit product of uint32 tensors."""
    add, multiply = REGISTRY["add"], REGISTRY["multiply"]
    mask, shift = REGISTRY["bitwise_and"], REGISTRY["right_shift"]
    x0, x1, y0, y1 = mask(x, 0xFFFF), shift(x, 16), mask(y, 0xFFFF), shift(y, 16)
    low = multiply(x0, y0)
    cross = add(multiply(x1, y0), shift(low, 16))
    middle = add(multiply(x0, y1), mask(cross, 0xFFFF))
    return add(add(multiply(x1, y1), shift(cross, 16)), shift(middle, 16))


@op(tensor="seed span", differentiable=False)
def random_integers(seed: Tensor, shape: Any, span: Any) -> Tensor:
    """Return uniform random integers below `span`, bit-identical everywhere.

    A 64-bit random fraction is multiplied by the span and rounded down, so the
    probabilities of two values differ by less than one part in 2**32.

    Args:
        seed: A key: uint32 of shape (2,).
        shape: Sizes of the result.
        span: How many different values, at least 1 and below 2**32: a uint32
            tensor that broadcasts to `shape`.

    Returns:
        A uint32 tensor of shape `shape`.

    Reference: Lemire, 2019, "Fast Random Integer Generation in an Interval",
    section 4, without the rejection step.
    """
    shape = as_shape(shape)
    add, cast = REGISTRY["add"], REGISTRY["cast"]
    words = random_bits(seed, (2, *shape))
    high, low = (REGISTRY["get_item"](words, i) for i in range(2))
    span = cast(span, "uint32")
    kept = REGISTRY["multiply"](high, span)
    total = add(kept, _multiply_high(low, span))
    carry = cast(REGISTRY["less"](total, kept), "uint32")
    return add(_multiply_high(high, span), carry)


@random_integers.prepare
def _(seed: Tensor, shape: Any, span: Tensor) -> tuple[Any, ...]:
    _check_key("random_integers", seed)
    return seed, as_shape(shape), span


@random_integers.abstract
def _(seed: Spec, shape: tuple[int, ...], span: Spec) -> Spec:
    return Spec(shape, "uint32")


@op(tensor="seed", differentiable=False)
def random_permutation(seed: Tensor, num: int) -> Tensor:
    """Return the numbers below `num` in a random order, the same on every backend.

    Args:
        seed: A key: uint32 of shape (2,).
        num: How many numbers.

    Returns:
        An int32 tensor of shape (`num`,): indices stably sorted by random words,
        the most significant word last.
    """
    order = REGISTRY["arange"](num, dtype="int32")
    rounds = permutation_rounds(num)
    words = random_bits(seed, (rounds, num))
    for i in range(rounds):
        word = REGISTRY["take"](REGISTRY["get_item"](words, i), order)
        order = REGISTRY["take"](order, REGISTRY["argsort"](word))
    return REGISTRY["cast"](order, "int32")


@random_permutation.prepare
def _(seed: Tensor, num: int) -> tuple[Any, ...]:
    _check_key("random_permutation", seed)
    return seed, int(num)


@random_permutation.abstract
def _(seed: Spec, num: int) -> Spec:
    return Spec((num,), "int32")
