"""How cost grows: with the batch, the depth, the data, the layers of a graph.

Steps are compared with code written by hand for JAX, by turns on one core, and should
keep the same distance to it at every size. ``python -m benchmarks.bench_growth`` runs
it alone.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._measure import interleaved, single_thread

__all__ = ["BUILD_TARGET", "graphs", "steps"]

BUILD_TARGET = 5.0
_WIDTH = 32
_FEATURES = 20
_BATCHES = (8, 64, 512, 4096, 8192)
_DEPTHS = (2, 10, 50, 200)
_ROWS = (10**3, 10**4, 10**5, 10**6, 10**7)
_LAYERS = (125, 250, 500, 1000)
# Steps are repeated until an epoch is long enough to be measured.
_LEAST_STEPS = 16


def steps(rounds: int = 5) -> list[dict[str, Any]]:
    """Return one row for each size of the batch, of the depth and of the data.

    Args:
        rounds: Measurements of each.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        rows = [_step("batch", n, rounds, batch=n) for n in _BATCHES]
        rows += [_step("depth", n, rounds, depth=n) for n in _DEPTHS]
        return rows + [_step("rows", n, rounds, rows=n, batch=1024) for n in _ROWS]
    finally:
        os.sched_setaffinity(0, before)


def graphs(rounds: int = 5) -> list[dict[str, Any]]:
    """Return one row for each number of layers of a graph.

    Args:
        rounds: Measurements of each.
    """
    return [_build(n, rounds) for n in _LAYERS]


def _step(
    what: str, size: int, rounds: int, *, batch: int = 32, depth: int = 2, rows: int = 0
) -> dict[str, Any]:
    rows = rows or batch * max(_LEAST_STEPS, 4096 // batch)
    batch = min(batch, rows)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, _FEATURES), np.float32)
    y = x[:, :1] * 2
    steps = rows // batch
    candidates = {
        "polykeras": _polykeras(x, y, batch, depth),
        "by hand": _by_hand(x, y, batch, depth),
    }
    found = interleaved(candidates, rounds=rounds, warmup=2)
    ours, hand = (found[name].cpu / steps * 1e3 for name in candidates)
    return {
        "growth": what,
        "size": size,
        "step_ms": ours,
        "by_hand_ms": hand,
        "ratio": ours / hand,
    }


def _polykeras(x: Any, y: Any, batch: int, depth: int) -> Callable[[], Any]:
    import polykeras as keras

    with keras.use_backend("jax"):
        hidden = [
            keras.layers.Dense(_WIDTH, activation="relu") for _ in range(depth - 1)
        ]
        model = keras.Sequential(
            [keras.Input((_FEATURES,)), *hidden, keras.layers.Dense(1)]
        )
    model.compile("adam", "mse")
    return lambda: model.fit(x, y, batch_size=batch, verbose=0)


def _by_hand(x: Any, y: Any, batch: int, depth: int) -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    from benchmarks.race._jax_functions import perceptron
    from benchmarks.race._native_jax import adam_step, squared

    sizes = [_FEATURES, *[_WIDTH] * (depth - 1), 1]
    rng = np.random.default_rng(0)
    params = {
        f"dense{i:03}": [
            jnp.asarray(rng.standard_normal((n, m), np.float32) / np.sqrt(n)),
            jnp.zeros(m),
        ]
        for i, (n, m) in enumerate(itertools.pairwise(sizes))
    }
    zeros, again = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    state = (params, zeros, again, jnp.zeros((), jnp.int32))
    step = adam_step(perceptron, squared)

    def epoch(state: Any, order: Any, x: Any, y: Any) -> Any:
        return jax.lax.scan(lambda s, r: step(s, x[r], y[r]), state, order)

    compiled = jax.jit(epoch, donate_argnums=0)
    data = jnp.asarray(x), jnp.asarray(y)
    steps = len(x) // batch

    def advance() -> None:
        nonlocal state
        order = rng.permutation(len(x))[: steps * batch].reshape(steps, batch)
        state, losses = compiled(state, order.astype(np.int32), *data)
        float(losses[-1])

    return advance


def _build(count: int, rounds: int) -> dict[str, Any]:
    """Return the time to describe a model of many layers, and to build them."""
    import polykeras as keras

    def describe() -> None:
        with keras.use_backend("numpy"):
            inputs = x = keras.Input((16,))
            for _ in range(count):
                x = keras.layers.Dense(16)(x)
            keras.Model(inputs, x)

    times = sorted(_seconds(describe, rounds))
    return {
        "layers": count,
        "seconds": times[len(times) // 2],
        "ms_a_layer": times[len(times) // 2] / count * 1e3,
        "target_s": BUILD_TARGET if count == max(_LAYERS) else None,
    }


def _seconds(action: Callable[[], None], rounds: int) -> Iterable[float]:
    for _ in range(rounds):
        start = time.process_time()
        action()
        yield time.process_time() - start


def _main() -> None:
    from benchmarks.__main__ import report

    single_thread()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/growth.json"))
    options = parser.parse_args()
    report(
        {
            "growth": ("Growth of a step", steps(options.rounds)),
            "graphs": ("Growth of a graph", graphs(options.rounds)),
        },
        options.json,
    )


if __name__ == "__main__":
    _main()
