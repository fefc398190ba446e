"""The models of the race as pure functions on JAX."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.race.models import (
    Architecture,
    Convolutional,
    Perceptron,
    Recurrent,
    Transformer,
)
from benchmarks.race.residual import Convolution, Residual

__all__ = ["Function", "Params", "function_of", "perceptron"]

Params = dict[str, list[Any]]
Function = Callable[..., Any]


def perceptron(params: Params, x: Any, training: bool = False) -> Any:
    *hidden, (kernel, bias) = params.values()
    for k, b in hidden:
        x = jax.nn.relu(x @ k + b)
    return x @ kernel + bias, {}


def _convolve(x: Any, kernel: Any, stride: int, padding: Any) -> Any:
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _pooled(x: Any, size: int, padding: Any) -> Any:
    window = (1, size, size, 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, (1, 2, 2, 1), padding)


def _convolutional(params: Params, x: Any, training: bool = False) -> Any:
    for name in ("conv0", "conv1"):
        kernel, bias = params[name]
        x = jax.nn.relu(_convolve(x, kernel, 1, "VALID") + bias)
        x = _pooled(x, 2, "VALID")
    kernel, bias = params["dense"]
    return x.reshape(len(x), -1) @ kernel + bias, {}


def _recurrent(params: Params, x: Any, training: bool = False) -> Any:
    kernel, recurrent, bias = params["lstm"]
    inputs = params["embedding"][0][x] @ kernel + bias

    def cell(state: Any, row: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(row + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((len(x), recurrent.shape[0]), inputs.dtype)
    (h, _), _ = lax.scan(cell, (zeros, zeros), inputs.swapaxes(0, 1))
    kernel, bias = params["dense"]
    return h @ kernel + bias, {}


def _transformer(model: Transformer) -> Function:
    def normalized(x: Any, params: list[Any]) -> Any:
        scale, offset = params
        wide = x.astype(scale.dtype)
        wide -= wide.mean(-1, keepdims=True)
        factor = lax.rsqrt((wide * wide).mean(-1, keepdims=True) + 1e-6)
        return (wide * factor * scale + offset).astype(x.dtype)

    def softmax(scores: Any) -> Any:
        return jax.nn.softmax(scores.astype(jnp.float32)).astype(scores.dtype)

    def call(params: Params, x: Any, training: bool = False) -> Any:
        x = params["embedding"][0][x]
        for i in range(model.layers):
            wq, bq, wk, bk, wv, bv, wo, bo = params[f"attention{i}"]
            q, k, v = (
                jnp.einsum("btf,fhd->bthd", x, w) + b
                for w, b in ((wq, bq), (wk, bk), (wv, bv))
            )
            scores = jnp.einsum("bthd,bshd->bhts", q, k) / math.sqrt(q.shape[-1])
            mixed = jnp.einsum("bhts,bshd->bthd", softmax(scores), v)
            mixed = jnp.einsum("bthd,hdf->btf", mixed, wo) + bo
            x = normalized(x + mixed, params[f"norm{i}a"])
            wa, ba = params[f"dense{i}a"]
            wb, bb = params[f"dense{i}b"]
            y = jax.nn.relu(x @ wa + ba) @ wb + bb
            x = normalized(x + y, params[f"norm{i}b"])
        kernel, bias = params["dense"]
        return x.mean(1) @ kernel + bias, {}

    return call


def _residual(model: Residual) -> Function:
    def call(params: Params, x: Any, training: bool = False) -> Any:
        moving = {}

        def normalized(x: Any, c: Convolution, padding: Any = "SAME") -> Any:
            x = _convolve(x, params[f"conv{c.name}"][0], c.stride, padding)
            scale, offset, mean, variance = params[f"norm{c.name}"]
            wide = x.astype(scale.dtype)
            if training:
                now, spread = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
                moving[f"norm{c.name}"] = [
                    0.99 * mean + 0.01 * now,
                    0.99 * variance + 0.01 * spread,
                ]
                mean, variance = now, spread
            factor = scale * lax.rsqrt(variance + 1e-3)
            return ((wide - mean) * factor + offset).astype(x.dtype)

        if model.reduces:
            x = jax.nn.relu(normalized(x, model.first, ((3, 3), (3, 3))))
            x = _pooled(x, 3, ((0, 0), (1, 1), (1, 1), (0, 0)))
        else:
            x = jax.nn.relu(normalized(x, model.first))
        for body, shortcut in model.blocks():
            y = x
            for convolution in body[:-1]:
                y = jax.nn.relu(normalized(y, convolution))
            y = normalized(y, body[-1])
            if shortcut is not None:
                x = normalized(x, shortcut)
            x = jax.nn.relu(x + y)
        kernel, bias = params["dense"]
        return x.mean((1, 2)) @ kernel + bias, moving

    return call


_FUNCTIONS: dict[type[Any], Callable[[Any], Function]] = {
    Perceptron: lambda model: perceptron,
    Convolutional: lambda model: _convolutional,
    Recurrent: lambda model: _recurrent,
    Transformer: _transformer,
    Residual: _residual,
}


def function_of(model: Architecture) -> Function:
    """Return the function of a description.

    It takes parameters, inputs and whether to train, and returns outputs and the moving
    statistics of each normalization.

    Args:
        model: What to write.
    """
    return _FUNCTIONS[type(model)](model)
