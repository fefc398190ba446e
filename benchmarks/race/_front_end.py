"""polykeras and Keras as contenders: the same code on both."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.race._waiting import finished
from benchmarks.race.workloads import Workload

__all__ = ["FrontEnd"]


class FrontEnd:
    """A model of the public API.

    Args:
        workload: What to train.
        keras: The module, ``polykeras`` or ``keras``, on its backend.
    """

    def __init__(self, workload: Workload, keras: Any) -> None:
        self.batch, self.epochs = workload.batch, workload.epochs
        self.x, self.y = workload.data()
        self.model = workload.compiled(keras)
        self.sample = keras.ops.convert_to_tensor(self.x[: self.batch])

    def first_step(self) -> None:
        """Learn from one batch."""
        self.model.train_on_batch(self.x[: self.batch], self.y[: self.batch])

    def losses(self, steps: int) -> list[float]:
        """Return the loss of each of some steps on the first batch."""
        x, y = self.x[: self.batch], self.y[: self.batch]
        options = {"batch_size": self.batch, "shuffle": False, "verbose": 0}
        return self.model.fit(x, y, epochs=steps, **options).history["loss"]

    def fit(self) -> None:
        """Train on shuffled batches."""
        options = {"batch_size": self.batch, "epochs": self.epochs, "verbose": 0}
        self.model.fit(self.x, self.y, **options)

    def evaluate(self) -> float:
        """Return the mean loss of all samples."""
        return self.model.evaluate(self.x, self.y, batch_size=self.batch, verbose=0)

    def call(self) -> Any:
        """Call the model on one batch and wait for the outputs."""
        return finished(self.model(self.sample))

    def predict(self) -> np.ndarray[Any, Any]:
        """Return the outputs for all samples."""
        return self.model.predict(self.x, batch_size=self.batch, verbose=0)
