"""NumPy by hand: the perceptron of the other benchmarks as a contender."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._by_hand import Perceptron
from benchmarks.race.workloads import Workload

__all__ = ["NativeNumPy"]


class NativeNumPy:
    """A perceptron with its data.

    Args:
        workload: What to train; dense layers only.
    """

    def __init__(self, workload: Workload) -> None:
        self.batch, self.regression = workload.batch, workload.regression
        self.x, y = workload.data()
        one_hot = np.eye(workload.model.classes, dtype=np.float32)
        self.y = y if workload.regression else one_hot[y]
        self.rng = np.random.default_rng(0)
        self.model = Perceptron(
            [w for arrays in workload.weights().values() for w in arrays],
            self.batch,
            classify=not workload.regression,
            optimizer="adam",
        )

    def first_step(self) -> None:
        """Learn from one batch."""
        self.losses(1)

    def losses(self, steps: int) -> list[float]:
        """Return the loss of each of some steps on the first batch."""
        rows = np.arange(self.batch)
        return [self.model.epoch(self.x, self.y, rows)[0] for _ in range(steps)]

    def fit(self) -> None:
        """Train for an epoch of shuffled batches."""
        self.model.epoch(self.x, self.y, self.rng.permutation(len(self.x)))

    def evaluate(self) -> float:
        """Return the mean loss of all samples."""
        total = 0.0
        for start in range(0, len(self.x), self.batch):
            rows = slice(start, start + self.batch)
            out, y = self._forward(self.x[rows]), self.y[rows]
            total += self._loss(out, y) * len(y)
        return total / len(self.x)

    def _loss(self, out: Any, y: Any) -> float:
        if self.regression:
            out -= y
            return float(np.vdot(out, out)) / out.size
        out -= out.max(axis=1, keepdims=True)
        picked = np.vdot(out, y)
        np.exp(out, out=out)
        return float(np.log(out.sum(axis=1)).sum() - picked) / len(y)

    def call(self) -> Any:
        """Run the layers on one batch."""
        return self._forward(self.x[: self.batch])

    def predict(self) -> np.ndarray[Any, Any]:
        """Return the outputs for all samples."""
        starts = range(0, len(self.x), self.batch)
        return np.concatenate(
            [self._forward(self.x[i : i + self.batch]) for i in starts]
        )

    def _forward(self, x: Any) -> Any:
        params = self.model.params
        for kernel, bias in zip(params[:-2:2], params[1:-2:2], strict=True):
            x = x @ kernel
            x += bias
            np.maximum(x, 0, out=x)
        return x @ params[-2] + params[-1]
