"""Optimizer steps in place, in blocks that stay in the cache.

A plain NumPy expression walks all parameters once for each operation, and makes
a temporary each time. Here a block of every tensor involved is loaded once and
all operations run on it, with one scratch block.
"""

from __future__ import annotations

import itertools
import math
import operator
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras_numpy.quiet import quiet

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

# Elements: five float32 streams of 64 KiB and the scratch fit in a 1 MiB cache.
_BLOCK: Final = 1 << 14
# Elements of an array up to which calling NumPy costs more than the arithmetic.
_FEW: Final = 1 << 12
_FAST: Final = (np.dtype(np.float32), np.dtype(np.float64))

Arrays = Sequence[Array]


def _fast(*lists: Arrays) -> bool:
    return all(x.dtype in _FAST for arrays in lists for x in arrays)


def _composed(name: str, *args: Any) -> Any:
    """Run the default composition, which also knows 16-bit floats."""
    from polykeras import ops

    return getattr(ops, name).__wrapped__(*args)


class _Joined(np.ndarray):
    """Memory of several small arrays, which are views of one flat view of it.

    Attributes:
        parts: The arrays; weak, since they refer to this.
    """

    parts: tuple[weakref.ref[Array], ...] = ()

    def holds(self, arrays: Arrays) -> bool:
        """Return whether exactly these are the parts, in this order."""
        if len(arrays) != len(self.parts):
            return False
        return all(map(operator.is_, [part() for part in self.parts], arrays))


def _flat(arrays: Arrays) -> Array | None:
    """Return the flat array that `arrays` are all parts of, or None."""
    flat = arrays[0].base if arrays else None
    if flat is not None and isinstance(flat.base, _Joined) and flat.base.holds(arrays):
        return flat
    return None


def _join(arrays: Arrays) -> tuple[Array, Arrays]:
    """Return a flat array with the values of `arrays`, and views of it in their shapes.

    From the second step on the arrays are such views already.
    """
    known = _flat(arrays)
    if known is not None:
        return known, arrays
    owner = _Joined(sum(x.size for x in arrays), arrays[0].dtype)
    flat = owner.view(np.ndarray)
    np.concatenate([x.reshape(-1) for x in arrays], out=flat)
    ends = itertools.accumulate(x.size for x in arrays)
    views = [
        flat[end - x.size : end].reshape(x.shape)
        for x, end in zip(arrays, ends, strict=True)
    ]
    owner.parts = tuple(map(weakref.ref, views))
    return flat, views


def _owned(x: Array) -> Array:
    """Return an array that may be written: the given one or a copy."""
    if x.flags.writeable and x.flags.c_contiguous:
        return x
    return np.array(x, order="C")


def _streams(
    donate: bool, grads: Arrays, *lists: Arrays
) -> tuple[list[list[Array]], list[tuple[Array, ...]]]:
    """Return what is updated, and arrays of one size each to update it by.

    Calls on small arrays cost more than their arithmetic, so all small ones are
    updated as one.

    Args:
        donate: Whether the arrays of `lists` may be overwritten.
        grads: The gradients; none where an update needs none.
        lists: The parameters, then slots of the same sizes; empty where not in use.

    Returns:
        The new `lists`, and for each array, or several joined ones, itself, its
        gradient and its slots, flat.
    """
    params = lists[0]
    if donate:
        flats = [_flat(arrays) for arrays in lists if arrays]
        if params and not any(flat is None for flat in flats):
            if grads:
                flats.insert(1, np.concatenate([g.reshape(-1) for g in grads]))
            return [list(arrays) for arrays in lists], [tuple(flats)]  # type: ignore[arg-type]
        new = [list(arrays) for arrays in lists if arrays]
        small = [i for i, p in enumerate(params) if p.size <= _FEW]
    else:
        new = [[np.array(x, order="C") for x in arrays] for arrays in lists if arrays]
        small = []
    streams: list[tuple[Array, ...]] = []
    if len(small) > 1 and len({params[i].dtype for i in small}) == 1:
        joined = []
        for arrays in new:
            flat, views = _join([arrays[i] for i in small])
            joined.append(flat)
            for i, view in zip(small, views, strict=True):
                arrays[i] = view
        if grads:
            joined.insert(1, np.concatenate([grads[i].reshape(-1) for i in small]))
        streams.append(tuple(joined))
    else:
        small = []
    for i in sorted(set(range(len(params))).difference(small)):
        for arrays in new:
            arrays[i] = _owned(arrays[i])
        own = [arrays[i].reshape(-1) for arrays in new]
        if grads:
            own.insert(1, grads[i].reshape(-1))
        streams.append(tuple(own))
    rest = iter(new)
    return [next(rest) if x else [] for x in lists], streams


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Yield corresponding blocks of flat arrays of one size, and a scratch block."""
    size = arrays[0].size
    scratch = np.empty(min(size, _BLOCK), arrays[0].dtype)
    if size <= _BLOCK:
        yield (*arrays, scratch)
        return
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        yield (*(x[start:stop] for x in arrays), scratch[: stop - start])


def _scalars(like: Array, *values: float) -> Iterator[Array]:
    """Yield numbers as 0-d arrays, which NumPy takes faster than Python's floats."""
    return (np.array(value, like.dtype) for value in values)


@quiet
def sgd_update(
    params: Arrays, grads: Arrays, learning_rate: Any, donate: bool
) -> list[Array]:
    if not _fast(params, grads):
        result: list[Array] = _composed(
            "sgd_update", params, grads, learning_rate, donate
        )
        return result
    (new,), streams = _streams(donate, grads, params)
    for arrays in streams:
        (rate,) = _scalars(arrays[0], float(learning_rate))
        for p, g, t in _blocks(*arrays):
            np.multiply(g, rate, out=t)
            np.subtract(p, t, out=p)
    return new


@quiet
def momentum_update(
    params: Arrays,
    grads: Arrays,
    momentums: Arrays,
    learning_rate: Any,
    momentum: float,
    nesterov: bool,
    donate: bool,
) -> Any:
    if not _fast(params, grads, momentums):
        return _composed(
            "momentum_update",
            params,
            grads,
            momentums,
            learning_rate,
            momentum,
            nesterov,
            donate,
        )
    (new, moving), streams = _streams(donate, grads, params, momentums)
    for arrays in streams:
        rate, kept = _scalars(arrays[0], float(learning_rate), momentum)
        for p, g, m, t in _blocks(*arrays):
            np.multiply(g, rate, out=t)
            np.multiply(m, kept, out=m)
            np.subtract(m, t, out=m)
            if nesterov:
                np.subtract(p, t, out=p)
                np.multiply(m, kept, out=t)
                np.add(p, t, out=p)
            else:
                np.add(p, m, out=p)
    return new, moving


@quiet
def rmsprop_update(
    params: Arrays,
    grads: Arrays,
    velocities: Arrays,
    momentums: Arrays,
    averages: Arrays,
    learning_rate: Any,
    rho: float,
    momentum: float,
    epsilon: float,
    donate: bool,
) -> Any:
    if not _fast(params, grads, velocities, momentums, averages):
        return _composed(
            "rmsprop_update",
            params,
            grads,
            velocities,
            momentums,
            averages,
            learning_rate,
            rho,
            momentum,
            epsilon,
            donate,
        )
    lists = (params, velocities, momentums, averages)
    new, streams = _streams(donate, grads, *lists)
    for arrays in streams:
        rate, kept, taken, tiny, inertia = _scalars(
            arrays[0], float(learning_rate), rho, 1 - rho, epsilon, momentum
        )
        for p, g, v, *rest, t in _blocks(*arrays):
            np.multiply(g, g, out=t)
            np.multiply(t, taken, out=t)
            np.multiply(v, kept, out=v)
            np.add(v, t, out=v)
            if averages:
                a = rest[-1]
                np.multiply(g, taken, out=t)
                np.multiply(a, kept, out=a)
                np.add(a, t, out=a)
                np.multiply(a, a, out=t)
                np.subtract(v, t, out=t)
                np.add(t, tiny, out=t)
            else:
                np.add(v, tiny, out=t)
            np.sqrt(t, out=t)
            np.divide(g, t, out=t)
            np.multiply(t, rate, out=t)
            if momentums:
                m = rest[0]
                np.multiply(m, inertia, out=m)
                np.add(m, t, out=m)
                np.subtract(p, m, out=p)
            else:
                np.subtract(p, t, out=p)
    return tuple(new)


@quiet
def adam_update(
    params: Arrays,
    grads: Arrays,
    momentums: Arrays,
    velocities: Arrays,
    largest: Arrays,
    learning_rate: Any,
    step: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    donate: bool,
) -> Any:
    if not _fast(params, grads, momentums, velocities, largest):
        return _composed(
            "adam_update",
            params,
            grads,
            momentums,
            velocities,
            largest,
            learning_rate,
            step,
            beta_1,
            beta_2,
            epsilon,
            donate,
        )
    count = float(step)
    rate = float(learning_rate) * math.sqrt(1 - beta_2**count) / (1 - beta_1**count)
    lists = (params, momentums, velocities, largest)
    new, streams = _streams(donate, grads, *lists)
    for arrays in streams:
        speed, first, second, tiny = _scalars(
            arrays[0], rate, 1 - beta_1, 1 - beta_2, epsilon
        )
        for p, g, m, v, *rest, t in _blocks(*arrays):
            np.subtract(g, m, out=t)
            np.multiply(t, first, out=t)
            np.add(m, t, out=m)
            np.multiply(g, g, out=t)
            np.subtract(t, v, out=t)
            np.multiply(t, second, out=t)
            np.add(v, t, out=v)
            variance = np.maximum(rest[0], v, out=rest[0]) if rest else v
            np.sqrt(variance, out=t)
            np.add(t, tiny, out=t)
            np.divide(m, t, out=t)
            np.multiply(t, speed, out=t)
            np.subtract(p, t, out=p)
    return tuple(new)


@quiet
def decay_update(params: Arrays, rate: Any, donate: bool) -> list[Array]:
    if not _fast(params):
        result: list[Array] = _composed("decay_update", params, rate, donate)
        return result
    (new,), streams = _streams(donate, [], params)
    for arrays in streams:
        (share,) = _scalars(arrays[0], float(rate))
        for p, t in _blocks(*arrays):
            np.multiply(p, share, out=t)
            np.subtract(p, t, out=p)
    return new


@quiet
def moving_average_update(
    averages: Arrays, values: Arrays, momentum: Any, donate: bool
) -> list[Array]:
    if not _fast(averages, values):
        result: list[Array] = _composed(
            "moving_average_update", averages, values, momentum, donate
        )
        return result
    (new,), streams = _streams(donate, values, averages)
    for arrays in streams:
        kept, taken = _scalars(arrays[0], float(momentum), 1 - float(momentum))
        for a, x, t in _blocks(*arrays):
            np.multiply(x, taken, out=t)
            np.multiply(a, kept, out=a)
            np.add(a, t, out=a)
    return new


KERNELS: Final[dict[str, Kernel]] = {
    "adam_update": adam_update,
    "decay_update": decay_update,
    "momentum_update": momentum_update,
    "moving_average_update": moving_average_update,
    "rmsprop_update": rmsprop_update,
    "sgd_update": sgd_update,
}
