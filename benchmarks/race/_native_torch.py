"""PyTorch by hand: modules, autograd and fused Adam, as its users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.race._torch_modules import module_of
from benchmarks.race._waiting import finished
from benchmarks.race.workloads import Workload

__all__ = ["NativeTorch"]


class NativeTorch:
    """A module and its training loop, on the GPU if PyTorch sees one.

    Args:
        workload: What to train.
        channels_last: Whether images and filters are laid out channels last.
        compiled: Whether the library compiles module and loss; on a GPU images are then
            laid out channels last.
    """

    def __init__(
        self, workload: Workload, *, channels_last: bool = False, compiled: bool = False
    ) -> None:
        self.batch, self.epochs = workload.batch, workload.epochs
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        x, y = workload.data()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        if not workload.regression:
            self.y = self.y.long()
        self.x, self.y = self.x.to(self.device), self.y.to(self.device)
        module = module_of(workload.model, workload.weights())
        self.module = module.to(self.device)
        if workload.model.image:
            self.x = self.x.permute(0, 3, 1, 2)
            if channels_last or (compiled and self.device.type == "cuda"):
                self.module.to(memory_format=torch.channels_last)
            else:
                self.x = self.x.contiguous()
        self.sample = self.x[: self.batch]
        loss = functional.mse_loss if workload.regression else functional.cross_entropy
        self.forward: Callable[..., torch.Tensor] = self.module
        self.loss: Callable[..., torch.Tensor] = lambda x, y: loss(self.module(x), y)
        if workload.dtype == "bfloat16":
            self.forward = self._autocast(self.forward)
            self.loss = self._autocast(self.loss)
        if compiled:
            self.forward = torch.compile(self.forward)
            self.loss = torch.compile(self.loss)
        self.optimizer = torch.optim.Adam(
            self.module.parameters(), lr=1e-3, eps=1e-7, fused=True
        )

    def _autocast(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: torch.Tensor) -> Any:
            with torch.autocast(self.device.type, torch.bfloat16):
                return fn(*args)

        return call

    def _step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def first_step(self) -> None:
        """Learn from one batch."""
        self.module.train()
        float(self._step(self.sample, self.y[: self.batch]))

    def losses(self, steps: int) -> list[float]:
        """Return the loss of each of some steps on the first batch."""
        y = self.y[: self.batch]
        return [float(self._step(self.sample, y)) for _ in range(steps)]

    def fit(self) -> None:
        """Train on shuffled batches."""
        self.module.train()
        for _ in range(self.epochs):
            order = torch.randperm(len(self.x), device=self.device)
            total = torch.zeros((), device=self.device)
            for rows in order.split(self.batch):
                total += self._step(self.x[rows], self.y[rows])
            float(total)

    def evaluate(self) -> float:
        """Return the mean loss of all samples."""
        self.module.eval()
        total = torch.zeros((), device=self.device)
        pairs = zip(self.x.split(self.batch), self.y.split(self.batch), strict=True)
        with torch.inference_mode():
            for x, y in pairs:
                total += self.loss(x, y)
        return float(total) * self.batch / len(self.x)

    def call(self) -> Any:
        """Call the module on one batch and wait for the outputs."""
        self.module.eval()
        return finished(self.forward(self.sample))

    def predict(self) -> np.ndarray[Any, Any]:
        """Return the outputs for all samples."""
        self.module.eval()
        with torch.inference_mode():
            outs = [self.forward(x) for x in self.x.split(self.batch)]
            return torch.cat(outs).float().cpu().numpy()
