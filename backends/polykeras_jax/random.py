"""Kernels of the domain random: JAX's own Threefry is the specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]


def _key(seed: Any) -> Any:
    return jax.random.wrap_key_data(seed, impl="threefry2x32")


def _random_bits(seed: Any, shape: tuple[int, ...]) -> Any:
    # The layout of counters follows a switch that users may have turned off.
    with jax.threefry_partitionable(True):
        return jax.random.bits(_key(seed), shape, "uint32")


def _random_split(seed: Any, num: int) -> Any:
    with jax.threefry_partitionable(True):
        return jax.random.key_data(jax.random.split(_key(seed), num))


def _random_fold_in(seed: Any, data: Any) -> Any:
    return jax.random.key_data(
        jax.random.fold_in(_key(seed), jnp.asarray(data).astype(jnp.uint32))
    )


def _random_advance(seed: Any) -> Any:
    return seed + jnp.array([0, 1], jnp.uint32)


def _scale_where(x: Any, mask: Any, scale: float) -> Any:
    factor = jnp.asarray(scale, x.dtype)
    return jnp.where(mask, x * factor, jnp.zeros((), x.dtype))


KERNELS: Final[dict[str, Kernel]] = {
    "random_bits": _random_bits,
    "random_split": _random_split,
    "random_fold_in": _random_fold_in,
    "random_advance": _random_advance,
    "scale_where": _scale_where,
}
