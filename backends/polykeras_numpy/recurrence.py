"""Recurrences in NumPy: a loop over time that allocates nothing inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras_numpy.buffers import empty

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

# Steps of which the backward pass prepares the factors together, within the cache.
_STEPS: Final = 8


def _sigmoid(x: Array) -> None:
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def _relu(x: Array) -> None:
    np.maximum(x, 0, out=x)


def _hard_sigmoid(x: Array) -> None:
    x += 3
    np.clip(x, 0, 6, out=x)
    x /= 6


def _tanh(x: Array) -> None:
    np.tanh(x, out=x)


def _linear(x: Array) -> None:
    del x


def _hard_sigmoid_slope(y: Array) -> Array:
    slope: Array = ((y > 0) & (y < 1)).astype(y.dtype) / y.dtype.type(6)
    return slope


# Name to the function, in place, and its slope as a function of its value.
_ACTIVATIONS: Final[
    dict[str, tuple[Callable[[Array], None], Callable[[Array], Array]]]
] = {
    "tanh": (_tanh, lambda y: 1 - y * y),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "relu": (_relu, lambda y: (y > 0).astype(y.dtype)),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
    "linear": (_linear, np.ones_like),
}


def _hold(mask: Array | None, t: int, new: Array, old: Array) -> None:
    """Put the old state back where the step does not count."""
    if mask is not None:
        np.copyto(new, old, where=~mask[t][:, None])


def _pass(mask: Array | None, t: int, g: Array) -> tuple[Array, Array | float]:
    if mask is None:
        return g, 0.0
    keep = mask[t][:, None]
    return np.where(keep, g, 0), np.where(keep, 0, g)


def _turned(x: Array) -> Array:
    """Return (..., F, B) for (..., B, F): rows of one gate then lie together."""
    return x.swapaxes(-1, -2)


def _lstm_steps(
    z: Array,
    h0: Array,
    c0: Array,
    recurrent_kernel: Array,
    mask: Array | None,
    activation: str,
    recurrent_activation: str,
) -> tuple[Array, Array, Array]:
    act, gate = _ACTIVATIONS[activation][0], _ACTIVATIONS[recurrent_activation][0]
    (batch, units), length = h0.shape, len(z)
    hs = empty((length, units, batch), z.dtype)
    cs = empty(hs.shape, z.dtype)
    gates = empty((length, 4 * units, batch), z.dtype)
    z = _turned(z)
    h, c = (np.array(_turned(x), order="C") for x in (h0, c0))
    across = np.ascontiguousarray(recurrent_kernel.T)
    squashed = np.empty_like(h)
    for t in range(length):
        now = np.matmul(across, h, out=gates[t])
        now += z[t]
        i, f, a, o = now.reshape(4, units, batch)
        gate(now[: 2 * units])
        act(a)
        gate(o)
        cell, hidden = cs[t], hs[t]
        np.multiply(f, c, out=cell)
        np.multiply(i, a, out=squashed)
        cell += squashed
        squashed[...] = cell
        act(squashed)
        np.multiply(o, squashed, out=hidden)
        if mask is not None:
            np.copyto(hidden, h, where=~mask[t])
            np.copyto(cell, c, where=~mask[t])
        h, c = hidden, cell
    return _turned(hs), _turned(cs), _turned(gates)


def _lstm_steps_grad(
    gh: Array,
    gc: Array,
    gg: Array,
    h: Array,
    c: Array,
    gates: Array,
    h0: Array,
    c0: Array,
    recurrent_kernel: Array,
    mask: Array | None,
    activation: str,
    recurrent_activation: str,
) -> tuple[Array, Array, Array]:
    act, act_slope = _ACTIVATIONS[activation]
    gate_slope = _ACTIVATIONS[recurrent_activation][1]
    (batch, units), length = h0.shape, len(gates)
    gh, gc, c = _turned(gh), _turned(gc), _turned(c)
    direct = _turned(gg).reshape(length, 4, units, batch) if gg.any() else None
    now = _turned(gates).reshape(length, 4, units, batch)
    dz = empty(now.shape, now.dtype)
    before = np.empty((_STEPS, units, batch), now.dtype)
    slopes, factors = np.empty((2, _STEPS, 4, units, batch), now.dtype)
    dh, dc = np.zeros((2, units, batch), now.dtype)
    scratch = np.empty_like(dh)
    for t in range(length - 1, -1, -1):
        k = t % _STEPS
        if t == length - 1 or k == _STEPS - 1:
            # What does not go round the loop is computed for several steps at once:
            # by what to multiply the cotangents of the cell and of the output.
            part, first = now[t - k : t + 1], t - k
            i, f, a, o = part.swapaxes(0, 1)
            before[0] = c[first - 1] if first else c0.T
            before[1 : k + 1] = c[first:t]
            squashed = f * before[: k + 1]
            squashed += i * a
            act(squashed)
            slopes[: k + 1, :2] = gate_slope(part[:, :2])
            slopes[: k + 1, 2], slopes[: k + 1, 3] = act_slope(a), gate_slope(o)
            for place, other in enumerate((a, before[: k + 1], i, squashed)):
                np.multiply(slopes[: k + 1, place], other, out=factors[: k + 1, place])
            through = act_slope(squashed)
            through *= o
        dh += gh[t]
        dc += gc[t]
        if mask is not None:
            dh, dh_old = np.where(mask[t], dh, 0), np.where(mask[t], 0, dh)
            dc, dc_old = np.where(mask[t], dc, 0), np.where(mask[t], 0, dc)
        dc += np.multiply(dh, through[k], out=scratch)
        step = dz[t]
        np.multiply(factors[k, :3], dc, out=step[:3])
        np.multiply(factors[k, 3], dh, out=step[3])
        if direct is not None:
            step += direct[t] * slopes[k]
        np.matmul(recurrent_kernel, step.reshape(4 * units, batch), out=dh)
        dc *= f[k]
        if mask is not None:
            dh += dh_old
            dc += dc_old
    turned = _turned(dz.reshape(length, 4 * units, batch))
    return _rows(turned), dh.T, dc.T


def _rows(x: Array) -> Array:
    """Return a copy whose last axis lies together, as products need it."""
    out = empty(x.shape, x.dtype)
    out[...] = x
    return out


def _gru_steps(
    z: Array,
    h0: Array,
    recurrent_kernel: Array,
    recurrent_bias: Array | None,
    mask: Array | None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[Array, Array]:
    act, gate = _ACTIVATIONS[activation][0], _ACTIVATIONS[recurrent_activation][0]
    units = h0.shape[1]
    hs = np.empty((*z.shape[:2], units), z.dtype)
    gates = np.empty((*z.shape[:2], 4 * units), z.dtype)
    two = np.ascontiguousarray(recurrent_kernel[:, : 2 * units])
    last = np.ascontiguousarray(recurrent_kernel[:, 2 * units :])
    h = h0
    for t in range(z.shape[0]):
        now, hidden = gates[t], hs[t]
        both = now[:, : 2 * units]
        u, r, a, ra = (now[:, k * units : (k + 1) * units] for k in range(4))
        if reset_after:
            inner = h @ recurrent_kernel
            if recurrent_bias is not None:
                inner += recurrent_bias
            np.add(z[t][:, : 2 * units], inner[:, : 2 * units], out=both)
            gate(both)
            ra[...] = inner[:, 2 * units :]
            np.multiply(r, ra, out=a)
        else:
            np.add(z[t][:, : 2 * units], h @ two, out=both)
            gate(both)
            ra[...] = h
            a[...] = (r * h) @ last
        a += z[t][:, 2 * units :]
        act(a)
        np.subtract(h, a, out=hidden)
        hidden *= u
        hidden += a
        _hold(mask, t, hidden, h)
        h = hidden
    return hs, gates


def _gru_steps_grad(
    gh: Array,
    gg: Array,
    h: Array,
    gates: Array,
    h0: Array,
    recurrent_kernel: Array,
    mask: Array | None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[Array, Array, Array]:
    act_slope = _ACTIVATIONS[activation][1]
    gate_slope = _ACTIVATIONS[recurrent_activation][1]
    units = h0.shape[1]
    back = np.ascontiguousarray(recurrent_kernel.T)
    dz = np.empty((*h.shape[:2], 3 * units), h.dtype)
    inner = np.empty_like(dz)
    dh: Any = np.zeros_like(h0)
    for t in range(h.shape[0] - 1, -1, -1):
        before = h[t - 1] if t else h0
        u, r, a, ra = (gates[t][:, k * units : (k + 1) * units] for k in range(4))
        gu, gr, ga, gra = (gg[t][:, k * units : (k + 1) * units] for k in range(4))
        dh, old = _pass(mask, t, dh + gh[t])
        du = (dh * (before - a) + gu) * gate_slope(u)
        da = (dh * (1 - u) + ga) * act_slope(a)
        old = old + dh * u
        if reset_after:
            dr = da * ra + gr
            dra = da * r + gra
        else:
            product = da @ back[2 * units :]
            dr = product * before + gr
            old = old + product * r + gra
            dra = da
        dr *= gate_slope(r)
        for k, part in enumerate((du, dr, da)):
            dz[t][:, k * units : (k + 1) * units] = part
        inner[t] = dz[t]
        inner[t][:, 2 * units :] = dra
        used = 3 * units if reset_after else 2 * units
        dh = inner[t][:, :used] @ back[:used] + old
    return dz, inner, dh


def _rnn_steps(
    z: Array, h0: Array, recurrent_kernel: Array, mask: Array | None, activation: str
) -> Array:
    act = _ACTIVATIONS[activation][0]
    hs = np.empty_like(z)
    h = h0
    for t in range(z.shape[0]):
        hidden = np.matmul(h, recurrent_kernel, out=hs[t])
        hidden += z[t]
        act(hidden)
        _hold(mask, t, hidden, h)
        h = hidden
    return hs


def _rnn_steps_grad(
    gh: Array,
    h: Array,
    h0: Array,
    recurrent_kernel: Array,
    mask: Array | None,
    activation: str,
) -> tuple[Array, Array]:
    act_slope = _ACTIVATIONS[activation][1]
    back = np.ascontiguousarray(recurrent_kernel.T)
    dz = np.empty_like(h)
    dh: Any = np.zeros_like(h0)
    for t in range(h.shape[0] - 1, -1, -1):
        dh, old = _pass(mask, t, dh + gh[t])
        np.multiply(dh, act_slope(h[t]), out=dz[t])
        dh = dz[t] @ back + old
    return dz, dh


def _in_float32(kernel: Callable[..., Any]) -> Kernel:
    """Compute 16-bit floats in float32: NumPy has no matrix product for them."""

    def call(first: Array, *args: Any) -> Any:
        with np.errstate(all="ignore"):
            if first.dtype.itemsize > 2:
                return kernel(first, *args)
            dtype = first.dtype
            wide = [
                a.astype(np.float32) if getattr(a, "dtype", None) == dtype else a
                for a in (first, *args)
            ]
            found = kernel(*wide)
            if isinstance(found, tuple):
                return tuple(x.astype(dtype) for x in found)
            return found.astype(dtype)

    return call


KERNELS: Final[dict[str, Kernel]] = {
    "lstm_steps": _in_float32(_lstm_steps),
    "lstm_steps_grad": _in_float32(_lstm_steps_grad),
    "gru_steps": _in_float32(_gru_steps),
    "gru_steps_grad": _in_float32(_gru_steps_grad),
    "rnn_steps": _in_float32(_rnn_steps),
    "rnn_steps_grad": _in_float32(_rnn_steps_grad),
}
