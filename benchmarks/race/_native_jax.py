"""JAX by hand: one jitted step, and all steps of an epoch in one scan."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.race.workloads import Workload

__all__ = ["NativeJax", "adam_step", "perceptron", "squared"]

Params = dict[str, list[Any]]


class NativeJax:
    """Pure functions of parameters and their training loop.

    Args:
        workload: What to train.
        scan: Whether an epoch is one call.
    """

    def __init__(self, workload: Workload, *, scan: bool = False) -> None:
        self.batch = workload.batch
        x, y = workload.data()
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        self.sample = self.x[: self.batch]
        params = jax.tree.map(jnp.asarray, workload.weights())
        zeros = jax.tree.map(jnp.zeros_like, params)
        again = jax.tree.map(jnp.zeros_like, params)
        self.state = (params, zeros, again, jnp.zeros((), jnp.int32))
        self.rng = np.random.default_rng(0)
        model = _MODELS[workload.name]
        step = adam_step(model, squared if workload.regression else _crossentropy)

        def one(state: Any, rows: Any, x: Any, y: Any) -> Any:
            return step(state, x[rows], y[rows])

        def epoch(state: Any, rows: Any, x: Any, y: Any) -> Any:
            return lax.scan(lambda s, r: one(s, r, x, y), state, rows)

        self.scan = scan
        self.run = jax.jit(epoch if scan else one, donate_argnums=(0,))
        self.forward = jax.jit(lambda params, x: model(params, x)[0])

    def first_step(self) -> None:
        """Learn from one batch."""
        float(self._advance(np.arange(self.batch)[None])[-1])

    def losses(self, steps: int) -> list[float]:
        """Return the loss of each of some steps on the first batch."""
        rows = np.tile(np.arange(self.batch), (steps, 1))
        return [float(loss) for loss in self._advance(rows)]

    def fit(self) -> None:
        """Train for an epoch of shuffled batches."""
        rows = self.rng.permutation(len(self.x)).reshape(-1, self.batch)
        float(self._advance(rows)[-1])

    def _advance(self, rows: Any) -> Any:
        if self.scan:
            self.state, losses = self.run(self.state, rows, self.x, self.y)
            return losses
        losses = []
        for r in rows:
            self.state, loss = self.run(self.state, r, self.x, self.y)
            losses.append(loss)
        return losses

    def call(self) -> Any:
        """Call the compiled function on one batch."""
        return self.forward(self.state[0], self.sample).block_until_ready()

    def predict(self) -> np.ndarray[Any, Any]:
        """Return the outputs for all samples."""
        starts = range(0, len(self.x), self.batch)
        outs = [self.forward(self.state[0], self.x[i : i + self.batch]) for i in starts]
        return np.concatenate([np.asarray(out) for out in outs])


def adam_step(model: Callable[..., Any], loss_fn: Callable[..., Any]) -> Any:
    def loss_of(params: Params, x: Any, y: Any) -> Any:
        out, moving = model(params, x, training=True)
        return loss_fn(out, y), moving

    def step(state: Any, x: Any, y: Any) -> Any:
        params, first, second, count = state
        found = jax.value_and_grad(loss_of, has_aux=True)(params, x, y)
        (loss, moving), grads = found
        count = count + 1
        rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
        params = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), params, first, second
        )
        for name, statistics in moving.items():
            params[name] = [*params[name][:2], *statistics]
        return (params, first, second, count), loss

    return step


def squared(out: Any, y: Any) -> Any:
    return jnp.mean((out - y) ** 2)


def _crossentropy(out: Any, y: Any) -> Any:
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1))


def perceptron(params: Params, x: Any, training: bool = False) -> Any:
    *hidden, (kernel, bias) = params.values()
    for k, b in hidden:
        x = jax.nn.relu(x @ k + b)
    return x @ kernel + bias, {}


def _convolve(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _cnn(params: Params, x: Any, training: bool = False) -> Any:
    for name in ("conv0", "conv1"):
        kernel, bias = params[name]
        x = jax.nn.relu(_convolve(x, kernel, 1, "VALID") + bias)
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    kernel, bias = params["dense"]
    return x.reshape(len(x), -1) @ kernel + bias, {}


def _resnet(params: Params, x: Any, training: bool = False) -> Any:
    moving = {}

    def normalized(x: Any, name: str, stride: int) -> Any:
        x = _convolve(x, params[f"conv{name}"][0], stride, "SAME")
        scale, offset, mean, variance = params[f"norm{name}"]
        if training:
            now, spread = x.mean((0, 1, 2)), x.var((0, 1, 2))
            moving[f"norm{name}"] = [
                0.99 * mean + 0.01 * now,
                0.99 * variance + 0.01 * spread,
            ]
            mean, variance = now, spread
        return (x - mean) * (scale * lax.rsqrt(variance + 1e-3)) + offset

    x = jax.nn.relu(normalized(x, "", 1))
    for i in range(3):
        stride = 2 if f"conv{i}c" in params else 1
        y = jax.nn.relu(normalized(x, f"{i}a", stride))
        y = normalized(y, f"{i}b", 1)
        if stride > 1:
            x = normalized(x, f"{i}c", stride)
        x = jax.nn.relu(x + y)
    kernel, bias = params["dense"]
    return x.mean((1, 2)) @ kernel + bias, moving


def _lstm(params: Params, x: Any, training: bool = False) -> Any:
    kernel, recurrent, bias = params["lstm"]
    inputs = params["embedding"][0][x] @ kernel + bias

    def cell(state: Any, row: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(row + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((len(x), recurrent.shape[0]))
    (h, _), _ = lax.scan(cell, (zeros, zeros), inputs.swapaxes(0, 1))
    kernel, bias = params["dense"]
    return h @ kernel + bias, {}


def _transformer(params: Params, x: Any, training: bool = False) -> Any:
    def normalized(x: Any, name: str) -> Any:
        scale, offset = params[name]
        x = x - x.mean(-1, keepdims=True)
        return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6) * scale + offset

    x = params["embedding"][0][x]
    for i in range(2):
        wq, bq, wk, bk, wv, bv, wo, bo = params[f"attention{i}"]
        q, k, v = (
            jnp.einsum("btf,fhd->bthd", x, w) + b
            for w, b in ((wq, bq), (wk, bk), (wv, bv))
        )
        scores = jnp.einsum("bthd,bshd->bhts", q, k) / math.sqrt(q.shape[-1])
        mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores), v)
        x = normalized(x + jnp.einsum("bthd,hdf->btf", mixed, wo) + bo, f"norm{i}a")
        wa, ba = params[f"dense{i}a"]
        wb, bb = params[f"dense{i}b"]
        x = normalized(x + jax.nn.relu(x @ wa + ba) @ wb + bb, f"norm{i}b")
    kernel, bias = params["dense"]
    return x.mean(1) @ kernel + bias, {}


_MODELS: dict[str, Any] = {
    "mlp_small": perceptron,
    "mlp_tiny": perceptron,
    "cnn": _cnn,
    "lstm": _lstm,
    "transformer": _transformer,
    "resnet": _resnet,
}
