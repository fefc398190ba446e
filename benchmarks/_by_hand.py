"""A multilayer perceptron in NumPy without any framework: the line to reach.

Written as one would for speed: float32 throughout, matrices multiplied into
buffers that are kept, updates in place. It does what a training loop reports, too:
the running loss and accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Perceptron"]

Array = np.ndarray[Any, np.dtype[Any]]
_TINY = np.float32(1e-7)
_BLOCK = 1 << 14


class Perceptron:
    """Dense layers with relu, trained by RMSprop or Adam.

    Args:
        weights: Kernel, bias, kernel, bias, ...; copied.
        batch: Samples in a step.
        classify: Whether the last layer is a softmax with crossentropy; otherwise it
            is linear with squared error.
        optimizer: ``"rmsprop"`` or ``"adam"``, with the defaults of Keras.
    """

    def __init__(
        self, weights: Sequence[Array], batch: int, *, classify: bool, optimizer: str
    ) -> None:
        """Allocate every buffer once."""
        self.classify = classify
        self.params = [np.array(w) for w in weights]
        sizes = [k.shape[1] for k in self.params[::2]]
        features = self.params[0].shape[0]
        self.x = np.empty((batch, features), np.float32)
        self.y = np.empty((batch, sizes[-1]), np.float32)
        self.outs = [np.empty((batch, n), np.float32) for n in sizes]
        self.deltas = [np.empty((batch, n), np.float32) for n in sizes]
        self.grads = [np.empty_like(w) for w in self.params]
        self.velocities = [np.zeros_like(w) for w in self.params]
        self.momentums = [np.zeros_like(w) for w in self.params]
        self.scratch = np.empty(_BLOCK, np.float32)
        self.ones = np.ones(batch, np.float32)
        self.update = self._adam if optimizer == "adam" else self._rmsprop
        self.count = 0

    def epoch(self, x: Array, y: Array, order: Array) -> tuple[float, float]:
        """Train on all whole batches of ``x[order]``; return loss and accuracy."""
        batch = self.x.shape[0]
        loss, right, steps = 0.0, 0, len(order) // batch
        for i in range(steps):
            rows = order[i * batch : (i + 1) * batch]
            np.take(x, rows, axis=0, out=self.x, mode="clip")
            np.take(y, rows, axis=0, out=self.y, mode="clip")
            part, hits = self.step()
            loss += part
            right += hits
        return loss / steps, right / (steps * batch)

    def step(self) -> tuple[float, int]:
        """Train on the batch in the buffers; return its loss and right answers."""
        h = self.x
        last = len(self.outs) - 1
        for i, out in enumerate(self.outs):
            np.matmul(h, self.params[2 * i], out=out)
            np.add(out, self.params[2 * i + 1], out=out)
            if i < last:
                np.maximum(out, 0, out=out)
            h = out
        loss, hits = self._head(h, self.deltas[last])
        for i in range(last, -1, -1):
            delta = self.deltas[i]
            below = self.outs[i - 1] if i else self.x
            np.matmul(below.T, delta, out=self.grads[2 * i])
            np.matmul(self.ones, delta, out=self.grads[2 * i + 1])
            if i:
                np.matmul(delta, self.params[2 * i].T, out=self.deltas[i - 1])
                self.deltas[i - 1] *= below > 0
        self.count += 1
        self.update()
        return loss, hits

    def _head(self, out: Array, delta: Array) -> tuple[float, int]:
        batch = len(out)
        if not self.classify:
            np.subtract(out, self.y, out=delta)
            loss = float(np.vdot(delta, delta)) / delta.size
            delta *= np.float32(2 / delta.size)
            return loss, 0
        out -= out.max(axis=1, keepdims=True)
        np.exp(out, out=out)
        out /= out.sum(axis=1, keepdims=True)
        picked = np.einsum("bc,bc->b", out, self.y)
        loss = -float(np.log(np.maximum(picked, _TINY)).sum()) / batch
        hits = int((out.argmax(axis=1) == self.y.argmax(axis=1)).sum())
        np.subtract(out, self.y, out=delta)
        delta *= np.float32(1 / batch)
        return loss, hits

    def _rmsprop(self) -> None:
        for param, grad, velocity in zip(
            self.params, self.grads, self.velocities, strict=True
        ):
            flat_p, flat_g, flat_v = param.ravel(), grad.ravel(), velocity.ravel()
            for start in range(0, flat_p.size, _BLOCK):
                p = flat_p[start : start + _BLOCK]
                g = flat_g[start : start + _BLOCK]
                v = flat_v[start : start + _BLOCK]
                t = self.scratch[: p.size]
                np.multiply(g, g, out=t)
                t *= np.float32(0.1)
                v *= np.float32(0.9)
                v += t
                np.add(v, _TINY, out=t)
                np.sqrt(t, out=t)
                np.divide(g, t, out=t)
                t *= np.float32(0.001)
                p -= t

    def _adam(self) -> None:
        rate = 0.001 * (1 - 0.999**self.count) ** 0.5 / (1 - 0.9**self.count)
        for param, grad, momentum, velocity in zip(
            self.params, self.grads, self.momentums, self.velocities, strict=True
        ):
            flat_p, flat_g = param.ravel(), grad.ravel()
            flat_m, flat_v = momentum.ravel(), velocity.ravel()
            for start in range(0, flat_p.size, _BLOCK):
                p = flat_p[start : start + _BLOCK]
                g = flat_g[start : start + _BLOCK]
                m = flat_m[start : start + _BLOCK]
                v = flat_v[start : start + _BLOCK]
                t = self.scratch[: p.size]
                m *= np.float32(0.9)
                np.multiply(g, np.float32(0.1), out=t)
                m += t
                np.multiply(g, g, out=t)
                t *= np.float32(0.001)
                v *= np.float32(0.999)
                v += t
                np.sqrt(v, out=t)
                t += _TINY
                np.divide(m, t, out=t)
                t *= np.float32(rate)
                p -= t
