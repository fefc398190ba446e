"""PyTorch by hand: modules, autograd and fused Adam, as its users write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.race.workloads import HEADS, Weights, Workload

__all__ = ["NativeTorch"]


class NativeTorch:
    """A module and its training loop.

    Args:
        workload: What to train.
        channels_last: Whether images and filters are laid out channels last.
    """

    def __init__(self, workload: Workload, *, channels_last: bool = False) -> None:
        self.batch = workload.batch
        self.memory_format = torch.contiguous_format
        x, y = workload.data()
        weights = workload.weights()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        if not workload.regression:
            self.y = self.y.long()
        self.module = _MODULES[workload.name](weights)
        self.loss = (
            functional.mse_loss if workload.regression else functional.cross_entropy
        )
        if workload.image:
            self.x = self.x.permute(0, 3, 1, 2)
            if channels_last:
                self.module.to(memory_format=torch.channels_last)
            else:
                self.x = self.x.contiguous()
        self.sample = self.x[: self.batch]
        self.optimizer = torch.optim.Adam(
            self.module.parameters(), lr=1e-3, eps=1e-7, fused=True
        )

    def _step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss(self.module(x), y)
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
        """Train for an epoch of shuffled batches."""
        self.module.train()
        order = torch.randperm(len(self.x))
        total = torch.zeros(())
        for rows in order.split(self.batch):
            total += self._step(self.x[rows], self.y[rows])
        float(total)

    def call(self) -> torch.Tensor:
        """Call the module on one batch."""
        self.module.eval()
        return self.module(self.sample)

    def predict(self) -> np.ndarray[Any, Any]:
        """Return the outputs for all samples."""
        self.module.eval()
        with torch.inference_mode():
            return torch.cat([self.module(x) for x in self.x.split(self.batch)]).numpy()


def _parameter(array: np.ndarray[Any, Any]) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(array)))


def _linear(kernel: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> nn.Linear:
    layer = nn.Linear(*kernel.shape)
    layer.weight, layer.bias = _parameter(kernel.T), _parameter(bias)
    return layer


def _convolution(kernel: np.ndarray[Any, Any], *bias: Any, **options: Any) -> nn.Conv2d:
    size, _, channels, filters = kernel.shape
    layer = nn.Conv2d(channels, filters, size, bias=bool(bias), **options)
    layer.weight = _parameter(kernel.transpose(3, 2, 0, 1))
    if bias:
        layer.bias = _parameter(bias[0])
    return layer


def _embedding(table: np.ndarray[Any, Any]) -> nn.Embedding:
    layer = nn.Embedding(*table.shape)
    layer.weight = _parameter(table)
    return layer


def _perceptron(weights: Weights) -> nn.Module:
    layers: list[nn.Module] = []
    for arrays in weights.values():
        layers += [_linear(*arrays), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _cnn(weights: Weights) -> nn.Module:
    kernel, bias = weights["dense"]
    # Flattened here is (C, H, W), there (H, W, C).
    kernel = kernel.reshape(5, 5, 64, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    return nn.Sequential(
        _convolution(*weights["conv0"]),
        nn.ReLU(),
        nn.MaxPool2d(2),
        _convolution(*weights["conv1"]),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        _linear(kernel, bias),
    )


class _Lstm(nn.Module):
    def __init__(self, weights: Weights) -> None:
        super().__init__()
        kernel, recurrent, bias = weights["lstm"]
        self.embedding = _embedding(*weights["embedding"])
        self.lstm = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
        self.lstm.weight_ih_l0 = _parameter(kernel.T)
        self.lstm.weight_hh_l0 = _parameter(recurrent.T)
        self.lstm.bias_ih_l0 = _parameter(bias)
        # The library adds two biases; one suffices, as in Keras.
        self.lstm.bias_hh_l0 = nn.Parameter(torch.zeros(len(bias)), requires_grad=False)
        self.dense = _linear(*weights["dense"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, _ = self.lstm(self.embedding(x))
        return self.dense(out[:, -1])


class _Block(nn.Module):
    def __init__(self, weights: Weights, i: int) -> None:
        super().__init__()
        *projections, kernel, bias = weights[f"attention{i}"]
        width = kernel.shape[-1]
        kernels = [k.reshape(width, width) for k in projections[::2]]
        biases = [b.reshape(width) for b in projections[1::2]]
        self.project = _linear(np.concatenate(kernels, 1), np.concatenate(biases))
        self.output = _linear(kernel.reshape(width, width), bias)
        self.norm_a = nn.LayerNorm(width, eps=1e-6)
        self.norm_b = nn.LayerNorm(width, eps=1e-6)
        self.dense_a = _linear(*weights[f"dense{i}a"])
        self.dense_b = _linear(*weights[f"dense{i}b"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in self.project(x).chunk(3, -1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        x = self.norm_a(x + self.output(mixed.transpose(1, 2).flatten(2)))
        return self.norm_b(x + self.dense_b(self.dense_a(x).relu()))


class _Transformer(nn.Module):
    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.embedding = _embedding(*weights["embedding"])
        self.blocks = nn.Sequential(_Block(weights, 0), _Block(weights, 1))
        self.dense = _linear(*weights["dense"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(self.blocks(self.embedding(x)).mean(1))


class _Residual(nn.Module):
    def __init__(self, weights: Weights, i: int) -> None:
        super().__init__()
        stride = 2 if f"conv{i}c" in weights else 1
        self.body = nn.Sequential(
            *_normalized(weights, f"{i}a", stride),
            nn.ReLU(),
            *_normalized(weights, f"{i}b", 1),
        )
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(*_normalized(weights, f"{i}c", stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.shortcut(x) + self.body(x)).relu()


def _normalized(weights: Weights, name: str, stride: int) -> list[nn.Module]:
    kernel = weights[f"conv{name}"][0]
    layers: list[nn.Module] = []
    padding = 0
    if kernel.shape[0] == 3 and stride == 1:
        padding = 1
    elif kernel.shape[0] == 3:
        # Keras' "same" pads an even size at its end only.
        layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
    layers.append(_convolution(kernel, stride=stride, padding=padding))
    layers.append(nn.BatchNorm2d(kernel.shape[-1], eps=1e-3, momentum=0.01))
    return layers


class _Resnet(nn.Module):
    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_normalized(weights, "", 1),
            nn.ReLU(),
            *(_Residual(weights, i) for i in range(3)),
        )
        self.dense = _linear(*weights["dense"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(self.body(x).mean((2, 3)))


_MODULES = {
    "mlp_small": _perceptron,
    "mlp_tiny": _perceptron,
    "cnn": _cnn,
    "lstm": _Lstm,
    "transformer": _Transformer,
    "resnet": _Resnet,
}
