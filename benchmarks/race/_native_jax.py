"""JAX by hand: one jitted step, and all steps of an epoch in one scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.race._jax_functions import Params, function_of
from benchmarks.race._waiting import finished
from benchmarks.race.workloads import Workload

__all__ = ["NativeJax", "adam_step", "squared"]


class NativeJax:
    """Pure functions of parameters and their training loop.

    Args:
        workload: What to train.
        scan: Whether an epoch is one call.
    """

    def __init__(self, workload: Workload, *, scan: bool = False) -> None:
        self.batch, self.epochs = workload.batch, workload.epochs
        x, y = workload.data()
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        self.sample = self.x[: self.batch]
        params = jax.tree.map(jnp.asarray, workload.weights())
        zeros = jax.tree.map(jnp.zeros_like, params)
        again = jax.tree.map(jnp.zeros_like, params)
        self.state = (params, zeros, again, jnp.zeros((), jnp.int32))
        self.rng = np.random.default_rng(0)
        model = function_of(workload.model)
        if workload.dtype == "bfloat16":
            model = _narrowed(model)
        loss_fn = squared if workload.regression else _crossentropy
        step = adam_step(model, loss_fn)

        def one(state: Any, rows: Any, x: Any, y: Any) -> Any:
            return step(state, x[rows], y[rows])

        def epoch(state: Any, rows: Any, x: Any, y: Any) -> Any:
            return lax.scan(lambda s, r: one(s, r, x, y), state, rows)

        self.scan = scan
        self.run = jax.jit(epoch if scan else one, donate_argnums=(0,))
        self.forward = jax.jit(lambda params, x: model(params, x)[0])
        self.loss = jax.jit(lambda params, x, y: loss_fn(model(params, x)[0], y))

    def first_step(self) -> None:
        """Learn from one batch."""
        float(self._advance(np.arange(self.batch)[None])[-1])

    def losses(self, steps: int) -> list[float]:
        """Return the loss of each of some steps on the first batch."""
        rows = np.tile(np.arange(self.batch), (steps, 1))
        return [float(loss) for loss in self._advance(rows)]

    def fit(self) -> None:
        """Train on shuffled batches."""
        for _ in range(self.epochs):
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

    def evaluate(self) -> float:
        """Return the mean loss of all samples."""
        parts = [slice(i, i + self.batch) for i in range(0, len(self.x), self.batch)]
        losses = [self.loss(self.state[0], self.x[p], self.y[p]) for p in parts]
        return float(jnp.stack(losses).mean())

    def call(self) -> Any:
        """Call the compiled function on one batch and wait for the outputs."""
        return finished(self.forward(self.state[0], self.sample))

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


def _narrowed(model: Callable[..., Any]) -> Callable[..., Any]:
    """Compute in bfloat16, all but normalization; outputs are float32."""

    def call(params: Params, x: Any, training: bool = False) -> Any:
        narrow = {
            name: arrays if name.startswith("norm") else _cast(arrays)
            for name, arrays in params.items()
        }
        (x,) = _cast([x])
        out, moving = model(narrow, x, training)
        return out.astype(jnp.float32), moving

    return call


def _cast(arrays: list[Any]) -> list[Any]:
    floats = jnp.floating
    return [
        a.astype(jnp.bfloat16) if jnp.issubdtype(a.dtype, floats) else a for a in arrays
    ]
