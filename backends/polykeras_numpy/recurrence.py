"""Recurrences in NumPy: a loop over time that allocates nothing inside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras_numpy.buffers import empty

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

# Steps of which the backward pass prepares the factors together: with fewer, calls of
# small layers weigh; with more, the factors of large ones leave the cache.
_STEPS: Final = 16
# Input, forget, output and candidate by their place in `z`; and the other way round.
_PLACES: Final = [0, 1, 3, 2]


@functools.cache
def _one(dtype: np.dtype[Any]) -> Array:
    """Return 1 as an array, which ufuncs take sooner than a number of Python."""
    return np.ones((), dtype)


def _sigmoid(x: Array, out: Array) -> None:
    one = _one(out.dtype)
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, one, out)
    # Division is faster than `np.reciprocal`, and rounds alike.
    np.divide(one, out, out)


def _relu(x: Array, out: Array) -> None:
    np.maximum(x, 0, out=out)


def _hard_sigmoid(x: Array, out: Array) -> None:
    np.add(x, 3, out=out)
    np.clip(out, 0, 6, out=out)
    out /= 6


def _linear(x: Array, out: Array) -> None:
    if x is not out:
        np.copyto(out, x)


def _sigmoid_slope(y: Array, out: Array) -> Array:
    np.subtract(1, y, out=out)
    out *= y
    return out


def _tanh_slope(y: Array, out: Array) -> Array:
    np.multiply(y, y, out=out)
    return np.subtract(1, out, out=out)


def _relu_slope(y: Array, out: Array) -> Array:
    return np.greater(y, 0, out=out)


def _hard_sigmoid_slope(y: Array, out: Array) -> Array:
    out[...] = (y > 0) & (y < 1)
    out /= 6
    return out


def _linear_slope(y: Array, out: Array) -> Array:
    del y
    out[...] = 1
    return out


# Name to the function, which may write over its argument, and its slope as a function
# of its value.
_ACTIVATIONS: Final[
    dict[str, tuple[Callable[[Array, Array], Any], Callable[[Array, Array], Array]]]
] = {
    "tanh": (np.tanh, _tanh_slope),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "relu": (_relu, _relu_slope),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
    "linear": (_linear, _linear_slope),
}


def _hold(mask: Array, t: int, new: Array, old: Array) -> None:
    """Put the old state back where the step does not count."""
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
    (batch, units), length = h0.shape, len(z)
    hs = empty((length, batch, units), z.dtype)
    cs = empty(hs.shape, z.dtype)
    # Each gate lies together, those with the same activation side by side.
    gates = empty((length, 4, batch, units), z.dtype)
    kernels = np.empty((4, units, units), z.dtype)
    columns = z.reshape(length, batch, 4, units)
    for k, place in enumerate(_PLACES):
        gates[:, k] = columns[:, :, place]
        kernels[k] = recurrent_kernel[:, place * units : (place + 1) * units]
    product = np.empty((4, batch, units), z.dtype)
    added = np.empty((batch, units), z.dtype)
    matmul, add, multiply = np.matmul, np.add, np.multiply
    h, c = h0, c0
    # Walking along an array makes its views faster than indexing.
    places = zip(gates, gates[:, :3], *gates.swapaxes(0, 1), hs, cs, strict=True)
    for t, (now, three, i, f, o, a, hidden, cell) in enumerate(places):
        add(now, matmul(h, kernels, product), now)
        gate(three, three)
        act(a, a)
        multiply(f, c, cell)
        add(cell, multiply(i, a, added), cell)
        act(cell, hidden)
        multiply(hidden, o, hidden)
        if mask is not None:
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
    *,
    rounded: bool = False,
) -> tuple[Array, Array, Array]:
    act, act_slope = _ACTIVATIONS[activation]
    gate_slope = _ACTIVATIONS[recurrent_activation][1]
    (batch, units), length, dtype = h0.shape, len(gates), gates.dtype
    dz = empty((length, batch, 4 * units), dtype)
    parts = dz.reshape(length, batch, 4, units).swapaxes(1, 2)
    direct = gg[:, _PLACES] if gg.any() else None
    of_cells = gc if gc.any() else None
    of_states: list[bool] = np.any(gh, axis=(1, 2)).tolist()
    back = np.ascontiguousarray(recurrent_kernel.T)
    room = np.empty((6, min(_STEPS, length), batch, units), dtype)
    dh, dc = np.zeros((2, batch, units), dtype)
    scratch = np.empty_like(dh)
    dh_old: Any = 0.0
    dc_old: Any = 0.0
    # A masked step holds another cell than its gates give. Output over gate is as good
    # as the function of the cell, and faster, unless both were rounded to 16 bits.
    names = activation, recurrent_activation
    divides = mask is None and names == ("tanh", "sigmoid") and not rounded
    # Smaller than the last digit of any gate that matters, but no division by zero.
    tiny = np.full((), np.finfo(dtype).tiny, dtype)
    matmul, add, multiply = np.matmul, np.add, np.multiply
    for first in range((length - 1) // _STEPS * _STEPS, -1, -_STEPS):
        # What does not go round the loop is computed for several steps at once:
        # by what to multiply the cotangents of the cell and of the output.
        steps = min(_STEPS, length - first)
        some = slice(first, first + steps)
        i, f, o, a = gates[some].swapaxes(0, 1)
        before = c[first - 1 : first + steps - 1]
        if not first:
            before = np.concatenate([c0[None], c[: steps - 1]])
        factors, through, squashed = room[:4, :steps], room[4, :steps], room[5, :steps]
        if divides:
            add(o, tiny, squashed)
            np.divide(h[some], squashed, squashed)
        elif mask is None:
            act(c[some], squashed)
        else:
            multiply(f, before, squashed)
            squashed += i * a
            act(squashed, squashed)
        for place, (y, other) in enumerate(
            ((i, a), (f, before), (a, i), (o, squashed))
        ):
            factor = factors[place]
            (act_slope if y is a else gate_slope)(y, factor)
            if direct is not None:
                direct[some, place] *= factor
            multiply(factor, other, factor)
        act_slope(squashed, through)
        multiply(through, o, through)
        last = first + steps - 1
        down = slice(last, first - 1 if first else None, -1)
        each = factors.swapaxes(0, 1)[::-1]
        for t, g, now, of_cell, of_output, inner, forget, part, to in zip(
            range(last, first - 1, -1),
            gh[down],
            each,
            each[:, :3],
            each[:, 3],
            through[::-1],
            f[::-1],
            parts[down],
            dz[down],
            strict=True,
        ):
            if of_states[t]:
                dh += g
            if of_cells is not None:
                dc += of_cells[t]
            if mask is not None:
                (dh, dh_old), (dc, dc_old) = _pass(mask, t, dh), _pass(mask, t, dc)
            add(dc, multiply(dh, inner, scratch), dc)
            multiply(of_cell, dc, of_cell)
            multiply(of_output, dh, of_output)
            if direct is not None:
                add(now, direct[t], now)
            # Runs of a gate's numbers are copied faster than computed in place.
            part[...] = now
            matmul(to, back, dh)
            multiply(dc, forget, dc)
            if mask is not None:
                dh += dh_old
                dc += dc_old
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
            gate(both, both)
            ra[...] = inner[:, 2 * units :]
            np.multiply(r, ra, out=a)
        else:
            np.add(z[t][:, : 2 * units], h @ two, out=both)
            gate(both, both)
            ra[...] = h
            a[...] = (r * h) @ last
        a += z[t][:, 2 * units :]
        act(a, a)
        np.subtract(h, a, out=hidden)
        hidden *= u
        hidden += a
        if mask is not None:
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
    slope = np.empty_like(h0)
    for t in range(h.shape[0] - 1, -1, -1):
        before = h[t - 1] if t else h0
        u, r, a, ra = (gates[t][:, k * units : (k + 1) * units] for k in range(4))
        gu, gr, ga, gra = (gg[t][:, k * units : (k + 1) * units] for k in range(4))
        dh, old = _pass(mask, t, dh + gh[t])
        du = (dh * (before - a) + gu) * gate_slope(u, slope)
        da = (dh * (1 - u) + ga) * act_slope(a, slope)
        old = old + dh * u
        if reset_after:
            dr = da * ra + gr
            dra = da * r + gra
        else:
            product = da @ back[2 * units :]
            dr = product * before + gr
            old = old + product * r + gra
            dra = da
        dr *= gate_slope(r, slope)
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
        act(hidden, hidden)
        if mask is not None:
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
    slope = np.empty_like(h0)
    for t in range(h.shape[0] - 1, -1, -1):
        dh, old = _pass(mask, t, dh + gh[t])
        np.multiply(dh, act_slope(h[t], slope), out=dz[t])
        dh = dz[t] @ back + old
    return dz, dh


def _in_float32(
    kernel: Callable[..., Any], rounded: Callable[..., Any] | None = None
) -> Kernel:
    """Compute 16-bit floats in float32: NumPy has no matrix product for them.

    Args:
        kernel: Computes.
        rounded: The same for arguments of so few digits, where it differs.
    """

    def call(first: Array, *args: Any) -> Any:
        with np.errstate(all="ignore"):
            if first.dtype.itemsize > 2:
                return kernel(first, *args)
            dtype = first.dtype
            wide = [
                a.astype(np.float32) if getattr(a, "dtype", None) == dtype else a
                for a in (first, *args)
            ]
            found = (rounded or kernel)(*wide)
            if isinstance(found, tuple):
                return tuple(x.astype(dtype) for x in found)
            return found.astype(dtype)

    return call


KERNELS: Final[dict[str, Kernel]] = {
    "lstm_steps": _in_float32(_lstm_steps),
    "lstm_steps_grad": _in_float32(
        _lstm_steps_grad, functools.partial(_lstm_steps_grad, rounded=True)
    ),
    "gru_steps": _in_float32(_gru_steps),
    "gru_steps_grad": _in_float32(_gru_steps_grad),
    "rnn_steps": _in_float32(_rnn_steps),
    "rnn_steps_grad": _in_float32(_rnn_steps_grad),
}
