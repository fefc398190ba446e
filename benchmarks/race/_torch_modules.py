"""The models of the race as modules of PyTorch, as its users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.race.models import (
    Architecture,
    Convolutional,
    Perceptron,
    Recurrent,
    Transformer,
)
from benchmarks.race.residual import Block, Convolution, Residual
from benchmarks.race.workloads import Weights

__all__ = ["module_of"]


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


def _perceptron(model: Perceptron, weights: Weights) -> nn.Module:
    layers: list[nn.Module] = []
    for arrays in weights.values():
        layers += [_linear(*arrays), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _convolutional(model: Convolutional, weights: Weights) -> nn.Module:
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


class _Recurrent(nn.Module):
    def __init__(self, model: Recurrent, weights: Weights) -> None:
        super().__init__()
        kernel, recurrent, bias = weights["lstm"]
        self.embedding = _embedding(*weights["embedding"])
        self.lstm = nn.LSTM(model.width, model.units, batch_first=True)
        self.lstm.weight_ih_l0 = _parameter(kernel.T)
        self.lstm.weight_hh_l0 = _parameter(recurrent.T)
        self.lstm.bias_ih_l0 = _parameter(bias)
        # The library adds two biases; one suffices, as in Keras.
        self.lstm.bias_hh_l0 = nn.Parameter(torch.zeros(len(bias)), requires_grad=False)
        self.dense = _linear(*weights["dense"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, _ = self.lstm(self.embedding(x))
        return self.dense(out[:, -1])


class _TransformerBlock(nn.Module):
    def __init__(self, model: Transformer, weights: Weights, i: int) -> None:
        super().__init__()
        *projections, kernel, bias = weights[f"attention{i}"]
        width = model.width
        self.heads = model.heads
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
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.project(x).chunk(3, -1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        x = self.norm_a(x + self.output(mixed.transpose(1, 2).flatten(2)))
        return self.norm_b(x + self.dense_b(self.dense_a(x).relu()))


class _Transformer(nn.Module):
    def __init__(self, model: Transformer, weights: Weights) -> None:
        super().__init__()
        self.embedding = _embedding(*weights["embedding"])
        self.blocks = nn.Sequential(
            *(_TransformerBlock(model, weights, i) for i in range(model.layers))
        )
        self.dense = _linear(*weights["dense"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(self.blocks(self.embedding(x)).mean(1))


def _normalized(weights: Weights, c: Convolution, padding: int = 0) -> list[nn.Module]:
    layers: list[nn.Module] = []
    if not padding and c.stride == 1:
        padding = c.size // 2
    elif not padding and c.size > 1:
        # Keras' "same" pads an even size at its end only.
        layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
    kernel = weights[f"conv{c.name}"][0]
    layers.append(_convolution(kernel, stride=c.stride, padding=padding))
    layers.append(nn.BatchNorm2d(c.filters, eps=1e-3, momentum=0.01))
    return layers


class _ResidualBlock(nn.Module):
    def __init__(self, block: Block, weights: Weights) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for convolution in block.body:
            layers += [*_normalized(weights, convolution), nn.ReLU()]
        self.body = nn.Sequential(*layers[:-1])
        self.shortcut = nn.Sequential()
        if block.shortcut is not None:
            self.shortcut = nn.Sequential(*_normalized(weights, block.shortcut))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.shortcut(x) + self.body(x)).relu()


class _Residual(nn.Module):
    def __init__(self, model: Residual, weights: Weights) -> None:
        super().__init__()
        padding = 3 if model.reduces else 0
        layers = [*_normalized(weights, model.first, padding), nn.ReLU()]
        if model.reduces:
            layers.append(nn.MaxPool2d(3, 2, padding=1))
        layers += [_ResidualBlock(block, weights) for block in model.blocks()]
        self.body = nn.Sequential(*layers)
        self.dense = _linear(*weights["dense"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(self.body(x).mean((2, 3)))


_MODULES: dict[type[Any], Callable[[Any, Weights], nn.Module]] = {
    Perceptron: _perceptron,
    Convolutional: _convolutional,
    Recurrent: _Recurrent,
    Transformer: _Transformer,
    Residual: _Residual,
}


def module_of(model: Architecture, weights: Weights) -> nn.Module:
    """Return the module of a description.

    Args:
        model: What to write.
        weights: The first ones.
    """
    return _MODULES[type(model)](model, weights)
