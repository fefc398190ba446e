"""Optimizer steps in place, in blocks that stay in the cache.

A plain NumPy expression walks all parameters once for each operation, and makes
a temporary each time. Here a block of every tensor involved is loaded once and
all operations run on it, with one scratch block.
"""

from __future__ import annotations

import math
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
_FAST: Final = (np.dtype(np.float32), np.dtype(np.float64))

Arrays = Sequence[Array]


def _fast(*lists: Arrays) -> bool:
    return all(x.dtype in _FAST for arrays in lists for x in arrays)


def _composed(name: str, *args: Any) -> Any:
    """Run the default composition, which also knows 16-bit floats."""
    from polykeras import ops

    return getattr(ops, name).__wrapped__(*args)


def _owned(arrays: Arrays, donate: bool) -> list[Array]:
    """Return arrays that may be written: the given ones or copies."""
    return [
        x
        if donate and x.flags.writeable and x.flags.c_contiguous
        else np.array(x, order="C")
        for x in arrays
    ]


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Yield corresponding flat blocks of arrays of one size, and a scratch block."""
    flat = [x.reshape(-1) for x in arrays]
    size = flat[0].size
    scratch = np.empty(min(size, _BLOCK), flat[0].dtype)
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        yield (*(x[start:stop] for x in flat), scratch[: stop - start])


@quiet
def sgd_update(
    params: Arrays, grads: Arrays, learning_rate: Any, donate: bool
) -> list[Array]:
    if not _fast(params, grads):
        result: list[Array] = _composed(
            "sgd_update", params, grads, learning_rate, donate
        )
        return result
    rate = float(learning_rate)
    new = _owned(params, donate)
    for param, grad in zip(new, grads, strict=True):
        for p, g, t in _blocks(param, grad):
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
    rate = float(learning_rate)
    new, moving = _owned(params, donate), _owned(momentums, donate)
    for arrays in zip(new, grads, moving, strict=True):
        for p, g, m, t in _blocks(*arrays):
            np.multiply(g, rate, out=t)
            np.multiply(m, momentum, out=m)
            np.subtract(m, t, out=m)
            if nesterov:
                np.subtract(p, t, out=p)
                np.multiply(m, momentum, out=t)
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
    rate = float(learning_rate)
    new = _owned(params, donate)
    slots = [_owned(x, donate) for x in (velocities, momentums, averages)]
    for i, (param, grad) in enumerate(zip(new, grads, strict=True)):
        present = [slot[i] for slot in slots if slot]
        for p, g, v, *rest, t in _blocks(param, grad, *present):
            np.multiply(g, g, out=t)
            np.multiply(t, 1 - rho, out=t)
            np.multiply(v, rho, out=v)
            np.add(v, t, out=v)
            if averages:
                a = rest[-1]
                np.multiply(g, 1 - rho, out=t)
                np.multiply(a, rho, out=a)
                np.add(a, t, out=a)
                np.multiply(a, a, out=t)
                np.subtract(v, t, out=t)
                np.add(t, epsilon, out=t)
            else:
                np.add(v, epsilon, out=t)
            np.sqrt(t, out=t)
            np.divide(g, t, out=t)
            np.multiply(t, rate, out=t)
            if momentums:
                m = rest[0]
                np.multiply(m, momentum, out=m)
                np.add(m, t, out=m)
                np.subtract(p, m, out=p)
            else:
                np.subtract(p, t, out=p)
    return (new, *slots)


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
    new = _owned(params, donate)
    slots = [_owned(x, donate) for x in (momentums, velocities, largest)]
    for i, (param, grad) in enumerate(zip(new, grads, strict=True)):
        present = [slot[i] for slot in slots if slot]
        for p, g, m, v, *rest, t in _blocks(param, grad, *present):
            np.subtract(g, m, out=t)
            np.multiply(t, 1 - beta_1, out=t)
            np.add(m, t, out=m)
            np.multiply(g, g, out=t)
            np.subtract(t, v, out=t)
            np.multiply(t, 1 - beta_2, out=t)
            np.add(v, t, out=v)
            variance = np.maximum(rest[0], v, out=rest[0]) if rest else v
            np.sqrt(variance, out=t)
            np.add(t, epsilon, out=t)
            np.divide(m, t, out=t)
            np.multiply(t, rate, out=t)
            np.subtract(p, t, out=p)
    return (new, *slots)


@quiet
def decay_update(params: Arrays, rate: Any, donate: bool) -> list[Array]:
    if not _fast(params):
        result: list[Array] = _composed("decay_update", params, rate, donate)
        return result
    share = float(rate)
    new = _owned(params, donate)
    for param in new:
        for p, t in _blocks(param):
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
    kept = float(momentum)
    new = _owned(averages, donate)
    for average, value in zip(new, values, strict=True):
        for a, x, t in _blocks(average, value):
            np.multiply(x, 1 - kept, out=t)
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
