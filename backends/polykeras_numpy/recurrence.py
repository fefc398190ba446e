"""Recurrences in NumPy: a loop over time that allocates nothing inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]


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
    units = h0.shape[1]
    hs = np.empty((*z.shape[:2], units), z.dtype)
    cs = np.empty_like(hs)
    gates = np.empty_like(z)
    h, c = h0, c0
    squashed = np.empty_like(h0)
    for t in range(z.shape[0]):
        now = np.matmul(h, recurrent_kernel, out=gates[t])
        now += z[t]
        gate(now[:, : 2 * units])
        act(now[:, 2 * units : 3 * units])
        gate(now[:, 3 * units :])
        i, f, a, o = (now[:, k * units : (k + 1) * units] for k in range(4))
        cell, hidden = cs[t], hs[t]
        np.multiply(f, c, out=cell)
        np.multiply(i, a, out=squashed)
        cell += squashed
        squashed[...] = cell
        act(squashed)
        np.multiply(o, squashed, out=hidden)
        _hold(mask, t, hidden, h)
        _hold(mask, t, cell, c)
        h, c = hidden, cell
    return hs, cs, gates


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
    units = h0.shape[1]
    back = np.ascontiguousarray(recurrent_kernel.T)
    dz = np.empty_like(gates)
    dh, dc = np.zeros_like(h0), np.zeros_like(c0)
    for t in range(gates.shape[0] - 1, -1, -1):
        before = c[t - 1] if t else c0
        now = gates[t]
        i, f, a, o = (now[:, k * units : (k + 1) * units] for k in range(4))
        di, df, da, do = (dz[t][:, k * units : (k + 1) * units] for k in range(4))
        dh, dh_old = _pass(mask, t, dh + gh[t])
        dc, dc_old = _pass(mask, t, dc + gc[t])
        squashed = f * before + i * a
        act(squashed)
        dc = dc + dh * o * act_slope(squashed)
        np.multiply(dc, a, out=di)
        np.multiply(dc, before, out=df)
        np.multiply(dc, i, out=da)
        np.multiply(dh, squashed, out=do)
        dz[t] += gg[t]
        two = slice(0, 2 * units)
        dz[t][:, two] *= gate_slope(now[:, two])
        da *= act_slope(a)
        do *= gate_slope(o)
        dh = dz[t] @ back + dh_old
        dc = dc * f + dc_old
    return dz, dh, dc


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
