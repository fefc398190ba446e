"""Seeds: where keys come from.

A key is a seed and a counter, so a generator is reproducible from two integers.
Everything unseeded comes from one process-wide generator, kept as host integers:
it belongs to no backend and serves all of them.
"""

from __future__ import annotations

import operator
import random
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes, ops
from polykeras.backend import active
from polykeras.errors import ArgumentError
from polykeras.ops._operands import Operand
from polykeras.ops.random_bits import (
    PARITY,
    ROTATIONS,
    random_advance,
    random_fold_in,
)
from polykeras.registry import public
from polykeras.variables import Variable, name_scope

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "SeedGenerator",
    "draw_seed",
    "global_state",
    "key_words",
    "make_default_seed",
    "seed_scope",
    "set_global_state",
    "set_random_seed",
]

_MASK: Final = 0xFFFFFFFF
Words = tuple[int, int]


def _threefry(key: Words, counter: Words) -> Words:
    """Encrypt one counter on the host."""
    schedule = (*key, key[0] ^ key[1] ^ PARITY)
    x0, x1 = ((c + k) & _MASK for c, k in zip(counter, key, strict=True))
    for group in range(5):
        for r in ROTATIONS[group % 2]:
            x0 = (x0 + x1) & _MASK
            x1 = (((x1 << r) | (x1 >> (32 - r))) & _MASK) ^ x0
        x0 = (x0 + schedule[(group + 1) % 3]) & _MASK
        x1 = (x1 + schedule[(group + 2) % 3] + group + 1) & _MASK
    return x0, x1


def key_words(seed: int) -> Words:
    """Return the key of an integer: the seed and a counter at 0.

    Args:
        seed: Any integer. One that does not fit in 32 bits is hashed into them.

    Returns:
        Two unsigned 32-bit integers.

    Raises:
        ArgumentError: If `seed` is no integer.
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise ArgumentError(
            f"Expected an integer seed, got {seed!r} of type {type(seed).__name__}."
        ) from None
    low, rest = number & _MASK, number >> 32
    if rest == 0:
        return low, 0
    while True:
        low = _threefry((low, rest & _MASK), (0, 1))[0]
        if rest in (0, -1):
            break
        rest >>= 32
    return low, 0


class _Global:
    """The process-wide generator; safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seed = secrets.randbits(32)
        self._counter = 0

    def reset(self, seed: int) -> None:
        with self._lock:
            self._seed, self._counter = key_words(seed)[0], 0

    @property
    def words(self) -> Words:
        return self._seed, self._counter

    @words.setter
    def words(self, value: Words) -> None:
        with self._lock:
            self._seed, self._counter = value

    def draw(self) -> Words:
        with self._lock:
            words = (self._seed, self._counter & _MASK)
            self._counter += 1
            return words


_global: Final = _Global()


def set_random_seed(seed: int) -> None:
    """Make everything random that follows reproducible, in any process.

    Seeds polykeras' global generator, from which layers, initializers and unseeded
    draws get their seeds, and Python's and NumPy's global generators, which user
    code may use. The array libraries' own generators are neither used nor touched.

    Args:
        seed: An integer from 0 to 2**32 - 1.

    Raises:
        ArgumentError: If `seed` is no integer or out of range.

    >>> import polykeras as keras
    >>> keras.random.set_random_seed(1)
    >>> first = keras.random.uniform((3,))
    >>> keras.random.set_random_seed(1)
    >>> bool(keras.ops.all(first == keras.random.uniform((3,))))
    True
    """
    number: Any = seed
    if type(number) is not int or not 0 <= number <= _MASK:
        raise ArgumentError(
            f"Expected a seed that is an integer from 0 to {_MASK}, got {seed!r}."
        )
    random.seed(number)
    np.random.seed(number)
    _global.reset(number)


def global_state() -> list[int]:
    """Return the seed and the counter of the process-wide generator."""
    return list(_global.words)


def set_global_state(state: Sequence[int]) -> None:
    """Set what `global_state` returned."""
    seed, counter = (int(n) for n in state)
    _global.words = (seed & _MASK, counter)


def make_default_seed() -> int:
    """Return a seed for an object created without one, from the global generator.

    Returns:
        An integer from 0 to 2**31 - 1.
    """
    return _threefry(_global.draw(), (0, 0))[0] >> 1


class _Scope:
    """A key for unseeded draws inside a traced function."""

    def __init__(self, key: Tensor) -> None:
        self.key = key
        self.count = 0

    def draw(self) -> Tensor:
        self.count += 1
        return random_fold_in(self.key, self.count - 1)


_scope: ContextVar[_Scope | None] = ContextVar("polykeras_seed_scope", default=None)


@contextmanager
def seed_scope(key: Tensor) -> Iterator[None]:
    """Make unseeded draws in the block functions of `key`.

    A compiled function would otherwise hold the numbers that were drawn while it
    was traced. The trainer enters this with a key of the step.

    Args:
        key: A key: uint32 of shape (2,).
    """
    token = _scope.set(_Scope(key))
    try:
        yield
    finally:
        _scope.reset(token)


@public
class SeedGenerator:
    """Gives a new key at each call, from a seed and a counter.

    Its state is a non-trainable variable, so a compiled step carries it along and
    a checkpoint resumes it.

    Args:
        seed: An integer; None takes one from the global generator.
        name: The name of the state's owner.

    Raises:
        ArgumentError: If `seed` is no integer.

    >>> import polykeras as keras
    >>> generator = keras.random.SeedGenerator(7)
    >>> a = keras.random.uniform((2,), seed=generator)
    >>> b = keras.random.uniform((2,), seed=generator)
    >>> bool(keras.ops.any(a == b))
    False
    """

    _tracked_as = "seed"

    def __init__(
        self, seed: int | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        """Make the state on the current backend."""
        if kwargs:
            raise TypeError(f"SeedGenerator got unexpected arguments {sorted(kwargs)}.")
        self.name = name or "seed_generator"
        self.seed = make_default_seed() if seed is None else int(_checked(seed))
        with name_scope(self.name):
            self.state: Variable = Variable(
                np.array(key_words(self.seed), np.uint32),
                dtype="uint32",
                trainable=False,
                autocast=False,
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Tensor:
        """Return the next key and advance the counter.

        Args:
            ordered: Kept for Keras' signature; draws are always in order.

        Returns:
            A key: uint32 of shape (2,).
        """
        key = self.state.value
        self.state.assign(random_advance(key))
        return key

    def get_config(self) -> dict[str, Any]:
        """Return the seed and the name."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Return the generator that a config describes, at its start."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<SeedGenerator seed={self.seed}>"


def _checked(seed: Any) -> int:
    if isinstance(seed, bool):
        raise ArgumentError(f"Expected an integer seed, got {seed!r}.")
    key_words(seed)
    return operator.index(seed)


def draw_seed(seed: Any = None) -> Tensor:
    """Return a key from anything that public functions accept as ``seed=``.

    Args:
        seed: An integer (the same key at each call), a `SeedGenerator` (the next
            key), a key, or None (the next key of the global generator, or of the
            enclosing `seed_scope`).

    Returns:
        A key: uint32 of shape (2,), on the active backend.

    Raises:
        ArgumentError: If `seed` is nothing of these.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        scope = _scope.get()
        return _as_key(_global.draw()) if scope is None else scope.draw()
    if isinstance(seed, Operand):
        return seed.operand()
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool):
        return _as_key(key_words(int(seed)))
    if getattr(seed, "shape", None) == (2,):
        key = active().convert_to_tensor(seed)
        name = active().dtype_name(key)
        if dtypes.is_integer(name):
            return key if name == "uint32" else ops.cast(key, "uint32")
    raise ArgumentError(
        "Expected seed to be an integer, a SeedGenerator, a uint32 key of shape (2,) "
        f"or None, got {seed!r} of type {type(seed).__name__}."
    )


def _as_key(words: Words) -> Tensor:
    return active().convert_to_tensor(np.array(words, np.uint32))
