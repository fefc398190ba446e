"""Training on the NumPy backend against backpropagation written out by hand.

Both sides do the same work: shuffled batches, forward, loss, accuracy, backward,
optimizer. Before anything is timed their losses are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._by_hand import Perceptron
from benchmarks._measure import interleaved

__all__ = ["CASES", "TARGET", "run"]

TARGET = 1.15


@dataclass(frozen=True)
class Case:
    """One model to train.

    Args:
        name: For the table.
        sizes: Features, then units of each layer.
        batch: Samples in a step.
        steps: Steps in a measured epoch.
        classify: Softmax and crossentropy, or linear and squared error.
        optimizer: By name.
    """

    name: str
    sizes: tuple[int, ...]
    batch: int
    steps: int
    classify: bool
    optimizer: str


CASES = (
    Case("mlp 784-512-10, rmsprop", (784, 512, 10), 128, 60, True, "rmsprop"),
    Case("mlp 784-512-10, adam", (784, 512, 10), 128, 60, True, "adam"),
    Case("tiny 20-32-32-1, rmsprop", (20, 32, 32, 1), 32, 400, False, "rmsprop"),
    Case("tiny 20-32-32-1, adam", (20, 32, 32, 1), 32, 400, False, "adam"),
)


def run(rounds: int = 15) -> list[dict[str, Any]]:
    """Return one row a case: milliseconds a step on each side, and their ratio."""
    return [_measure(case, rounds) for case in CASES]


def _measure(case: Case, rounds: int) -> dict[str, Any]:
    ours, by_hand = _pair(case)
    times = interleaved({"polykeras": ours, "by hand": by_hand}, rounds=rounds)
    a, b = times["polykeras"], times["by hand"]
    return {
        "case": case.name,
        "polykeras_ms": a.cpu / case.steps * 1e3,
        "by_hand_ms": b.cpu / case.steps * 1e3,
        "ratio_cpu": a.cpu / b.cpu,
        "ratio_wall": a.wall / b.wall,
        "overhead_us": (a.cpu - b.cpu) / case.steps * 1e6,
        "target": TARGET if case.name.startswith("mlp") else None,
    }


def _pair(case: Case) -> tuple[Callable[[], Any], Callable[[], Any]]:
    import polykeras as keras

    keras.use_backend("numpy")
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    count = case.batch * case.steps
    x = rng.random((count, case.sizes[0]), dtype=np.float32)
    if case.classify:
        y = np.eye(case.sizes[-1], dtype=np.float32)[
            rng.integers(0, case.sizes[-1], count)
        ]
    else:
        y = x @ rng.normal(size=(case.sizes[0], 1)).astype(np.float32)
    layers: list[Any] = [keras.layers.Input((case.sizes[0],))]
    layers += [keras.layers.Dense(n, activation="relu") for n in case.sizes[1:-1]]
    last = "softmax" if case.classify else None
    layers.append(keras.layers.Dense(case.sizes[-1], activation=last))
    model = keras.Sequential(layers)
    model.compile(
        optimizer=case.optimizer,
        loss="categorical_crossentropy" if case.classify else "mse",
        metrics=["accuracy"] if case.classify else None,
    )
    hand = Perceptron(
        model.get_weights(),
        case.batch,
        classify=case.classify,
        optimizer=case.optimizer,
    )

    def ours(shuffle: bool = True) -> Any:
        history = model.fit(x, y, batch_size=case.batch, shuffle=shuffle, verbose=0)
        return history.history["loss"][-1]

    def by_hand() -> Any:
        return hand.epoch(x, y, rng.permutation(count))

    expected, _ = hand.epoch(x, y, np.arange(count))
    np.testing.assert_allclose(ours(shuffle=False), expected, rtol=1e-4)
    return ours, by_hand


if __name__ == "__main__":
    from benchmarks._measure import single_thread

    single_thread()
    for row in run():
        print(row)
