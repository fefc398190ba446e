"""The recurrences under `lstm`, `gru` and `simple_rnn`, and their derivatives.

All take and return tensors with time first. Besides the states they return what a
backward pass needs, so the forward pass is never run twice. Each backward pass is an
op too: its default is a scan in the other direction, which can be differentiated
again, and a backend may run it as a loop.

Activations are those whose slope follows from their value, so that nothing but the
values must be kept.

Gates are taken apart before a scan, not in its steps: XLA's CPU code for a part of a
step's entry works number by number, and takes twice as long as the whole step.

Reference: Werbos, 1990, "Backpropagation Through Time: What It Does and How to Do
It".
"""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.ops._declare import op
from polykeras.ops._recurrence_parts import (
    ACTIVATIONS,
    hold,
    outer,
    pass_back,
    scan_present,
    split_gates,
    states_before,
)

__all__ = [
    "gru_steps",
    "gru_steps_grad",
    "lstm_steps",
    "lstm_steps_grad",
    "rnn_steps",
    "rnn_steps_grad",
]


# -- long short-term memory --------------------------------------------------------


@op(inexact="z h0 c0 recurrent_kernel", boolean="mask")
def lstm_steps(
    z: Tensor,
    h0: Tensor,
    c0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
    recurrent_activation: str,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return hidden states, cell states, gates and candidates of every step.

    Args:
        z: Kernel times inputs plus bias, ``(T, B, 4 U)``.
        h0: ``(B, U)``.
        c0: ``(B, U)``.
        recurrent_kernel: ``(U, 4 U)``.
        mask: ``(T, B)`` or None.
        activation: Name of the cell's activation.
        recurrent_activation: Name of the gates' activation.

    Returns:
        ``(T, B, U)``, ``(T, B, U)`` and ``(T, 4, B, U)``: the gates of input, forget
        and output, and the candidate for the cell.
    """
    act, gate = ACTIVATIONS[activation][0], ACTIVATIONS[recurrent_activation][0]

    def step(carry: Any, items: Any) -> Any:
        h, c = carry
        now, keep = items
        product = split_gates(ops.matmul(h, recurrent_kernel), 4)
        i, f, a, o = map(ops.add, now, product)
        i, f, a, o = gate(i), gate(f), act(a), gate(o)
        cell = ops.add(ops.multiply(f, c), ops.multiply(i, a))
        hidden = ops.multiply(o, act(cell))
        gates = ops.stack([i, f, o, a])
        h, c = hold(keep, hidden, h), hold(keep, cell, c)
        return (h, c), (h, c, gates)

    return tuple(scan_present(step, (h0, c0), [split_gates(z, 4), mask])[1])


@lstm_steps.joint_vjp("z", "h0", "c0", "recurrent_kernel")
def _(
    g: Any,
    out: Any,
    z: Tensor,
    h0: Tensor,
    c0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
    recurrent_activation: str,
) -> tuple[Tensor, ...]:
    tensors: list[Any] = [*g, *out, h0, c0, recurrent_kernel, mask]
    names: list[Any] = [activation, recurrent_activation]
    dz, dh, dc = lstm_steps_grad(*tensors, *names)
    return dz, dh, dc, outer(states_before(out[0], h0), dz)


@op(inexact="gh gc gg h c gates h0 c0 recurrent_kernel", boolean="mask")
def lstm_steps_grad(
    gh: Tensor,
    gc: Tensor,
    gg: Tensor,
    h: Tensor,
    c: Tensor,
    gates: Tensor,
    h0: Tensor,
    c0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
    recurrent_activation: str,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of `lstm_steps` in `z`, `h0` and `c0`.

    Args:
        gh: Gradient of the hidden states, ``(T, B, U)``.
        gc: Gradient of the cell states.
        gg: Gradient of the gates and candidates, ``(T, 4, B, U)``.
        h: The hidden states.
        c: The cell states.
        gates: The gates and candidates.
        h0: As for `lstm_steps`, like the rest.
        c0: The first cell state.
        recurrent_kernel: ``(U, 4 U)``.
        mask: ``(T, B)`` or None.
        activation: Name of the cell's activation.
        recurrent_activation: Name of the gates' activation.

    Returns:
        ``(T, B, 4 U)``, ``(B, U)`` and ``(B, U)``.
    """
    act, act_slope = ACTIVATIONS[activation]
    gate_slope = ACTIVATIONS[recurrent_activation][1]
    back = ops.transpose(recurrent_kernel, (1, 0))

    def step(carry: Any, items: Any) -> Any:
        dh, dc = carry
        gh_now, gc_now, gg_now, before, now, keep = items
        dh, dh_old = pass_back(keep, ops.add(dh, gh_now))
        dc, dc_old = pass_back(keep, ops.add(dc, gc_now))
        (i, f, o, a), (gi, gf, go, ga) = now, gg_now
        # Masked steps hold another cell than this one; their gradient is zero.
        squashed = act(ops.add(ops.multiply(f, before), ops.multiply(i, a)))
        dc = ops.add(dc, ops.multiply(ops.multiply(dh, o), act_slope(squashed)))
        di = ops.multiply(ops.add(ops.multiply(dc, a), gi), gate_slope(i))
        df = ops.multiply(ops.add(ops.multiply(dc, before), gf), gate_slope(f))
        da = ops.multiply(ops.add(ops.multiply(dc, i), ga), act_slope(a))
        do = ops.multiply(ops.add(ops.multiply(dh, squashed), go), gate_slope(o))
        dz = ops.concatenate([di, df, da, do], axis=-1)
        dh = ops.add(ops.matmul(dz, back), dh_old)
        dc = ops.add(ops.multiply(dc, f), dc_old)
        return (dh, dc), dz

    start = (ops.zeros_like(h0), ops.zeros_like(c0))
    apart = [ops.unstack(x, axis=1) for x in (gg, gates)]
    (dh, dc), dz = scan_present(
        step,
        start,
        [gh, gc, apart[0], states_before(c, c0), apart[1], mask],
        reverse=True,
    )
    return dz, dh, dc


# -- gated recurrent unit ----------------------------------------------------------


@op(inexact="z h0 recurrent_kernel recurrent_bias", boolean="mask")
def gru_steps(
    z: Tensor,
    h0: Tensor,
    recurrent_kernel: Tensor,
    recurrent_bias: Tensor | None,
    mask: Tensor | None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[Tensor, Tensor]:
    """Return states and gates of every step.

    Args:
        z: Kernel times inputs plus bias, ``(T, B, 3 U)``.
        h0: ``(B, U)``.
        recurrent_kernel: ``(U, 3 U)``.
        recurrent_bias: ``(3 U,)`` or None; only with `reset_after`.
        mask: ``(T, B)`` or None.
        activation: Name of the candidate's activation.
        recurrent_activation: Name of the gates' activation.
        reset_after: Whether the reset gate acts after the matrix product.

    Returns:
        ``(T, B, U)`` and ``(T, B, 4 U)``: update, reset, candidate, and what the
        reset gate multiplies.
    """
    act, gate = ACTIVATIONS[activation][0], ACTIVATIONS[recurrent_activation][0]
    units = recurrent_kernel.shape[0]
    two = ops.get_item(recurrent_kernel, (slice(None), slice(0, 2 * units)))
    last = ops.get_item(recurrent_kernel, (slice(None), slice(2 * units, None)))

    def step(carry: Any, items: Any) -> Any:
        (h,) = carry
        (zu, zr, za), keep = items
        if reset_after:
            inner = ops.matmul(h, recurrent_kernel)
            inner = inner if recurrent_bias is None else ops.add(inner, recurrent_bias)
            ru, rr, ra = split_gates(inner, 3)
            u, r = gate(ops.add(zu, ru)), gate(ops.add(zr, rr))
            a = act(ops.add(za, ops.multiply(r, ra)))
        else:
            ru, rr = split_gates(ops.matmul(h, two), 2)
            u, r, ra = gate(ops.add(zu, ru)), gate(ops.add(zr, rr)), h
            a = act(ops.add(za, ops.matmul(ops.multiply(r, h), last)))
        new = ops.add(ops.multiply(u, h), ops.multiply(ops.subtract(1, u), a))
        h = hold(keep, new, h)
        return (h,), (h, ops.concatenate([u, r, a, ra], axis=-1))

    return tuple(scan_present(step, (h0,), [split_gates(z, 3), mask])[1])


@gru_steps.joint_vjp("z", "h0", "recurrent_kernel", "recurrent_bias")
def _(
    g: Any,
    out: Any,
    z: Tensor,
    h0: Tensor,
    recurrent_kernel: Tensor,
    recurrent_bias: Tensor | None,
    mask: Tensor | None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[Tensor | None, ...]:
    tensors: list[Any] = [*g, *out, h0, recurrent_kernel, mask]
    names: list[Any] = [activation, recurrent_activation, reset_after]
    dz, inner, dh = gru_steps_grad(*tensors, *names)
    before = states_before(out[0], h0)
    if reset_after:
        db = None if recurrent_bias is None else ops.sum(inner, (0, 1))
        return dz, dh, outer(before, inner), db
    units = h0.shape[-1]
    two = ops.get_item(inner, (..., slice(0, 2 * units)))
    last = ops.get_item(inner, (..., slice(2 * units, None)))
    reset = ops.get_item(out[1], (..., slice(units, 2 * units)))
    parts = [outer(before, two), outer(ops.multiply(reset, before), last)]
    return dz, dh, ops.concatenate(parts, axis=-1), None


@op(inexact="gh gg h gates h0 recurrent_kernel", boolean="mask")
def gru_steps_grad(
    gh: Tensor,
    gg: Tensor,
    h: Tensor,
    gates: Tensor,
    h0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of `gru_steps` in `z`, the recurrent product and `h0`.

    Args:
        gh: Gradient of the states, ``(T, B, U)``.
        gg: Gradient of the gates, ``(T, B, 4 U)``.
        h: The states.
        gates: The gates.
        h0: As for `gru_steps`, like the rest.
        recurrent_kernel: ``(U, 3 U)``.
        mask: ``(T, B)`` or None.
        activation: Name of the candidate's activation.
        recurrent_activation: Name of the gates' activation.
        reset_after: Whether the reset gate acts after the matrix product.

    Returns:
        ``(T, B, 3 U)``, ``(T, B, 3 U)`` and ``(B, U)``; the first two differ in the
        candidate's part, which the reset gate scales, with `reset_after`.
    """
    act_slope = ACTIVATIONS[activation][1]
    gate_slope = ACTIVATIONS[recurrent_activation][1]
    units = recurrent_kernel.shape[0]
    two = ops.get_item(recurrent_kernel, (slice(None), slice(0, 2 * units)))
    last = ops.get_item(recurrent_kernel, (slice(None), slice(2 * units, None)))
    back, back_two = ops.transpose(recurrent_kernel), ops.transpose(two)
    back_last = ops.transpose(last)

    def step(carry: Any, items: Any) -> Any:
        (dh,) = carry
        gh_now, gg_now, before, now, keep = items
        dh, old = pass_back(keep, ops.add(dh, gh_now))
        (u, r, a, ra), (gu, gr, ga, gra) = now, gg_now
        du = ops.add(ops.multiply(dh, ops.subtract(before, a)), gu)
        du = ops.multiply(du, gate_slope(u))
        da = ops.add(ops.multiply(dh, ops.subtract(1, u)), ga)
        da = ops.multiply(da, act_slope(a))
        old = ops.add(old, ops.multiply(dh, u))
        if reset_after:
            dr = ops.add(ops.multiply(da, ra), gr)
            dra = ops.add(ops.multiply(da, r), gra)
        else:
            product = ops.matmul(da, back_last)
            dr = ops.add(ops.multiply(product, before), gr)
            old = ops.add(ops.add(old, ops.multiply(product, r)), gra)
            dra = da
        dr = ops.multiply(dr, gate_slope(r))
        dz = ops.concatenate([du, dr, da], axis=-1)
        inner = ops.concatenate([du, dr, dra], axis=-1)
        if reset_after:
            dh = ops.add(ops.matmul(inner, back), old)
        else:
            both = ops.concatenate([du, dr], axis=-1)
            dh = ops.add(ops.matmul(both, back_two), old)
        return (dh,), (dz, inner)

    apart = [split_gates(x, 4) for x in (gg, gates)]
    (dh,), (dz, inner) = scan_present(
        step,
        (ops.zeros_like(h0),),
        [gh, apart[0], states_before(h, h0), apart[1], mask],
        reverse=True,
    )
    return dz, inner, dh


# -- fully connected recurrence ----------------------------------------------------


@op(inexact="z h0 recurrent_kernel", boolean="mask")
def rnn_steps(
    z: Tensor,
    h0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
) -> Tensor:
    """Return the state after every step.

    Args:
        z: Kernel times inputs plus bias, ``(T, B, U)``.
        h0: ``(B, U)``.
        recurrent_kernel: ``(U, U)``.
        mask: ``(T, B)`` or None.
        activation: Name of the activation.

    Returns:
        ``(T, B, U)``.
    """
    act = ACTIVATIONS[activation][0]

    def step(carry: Any, items: Any) -> Any:
        (h,) = carry
        now, keep = items
        h = hold(keep, act(ops.add(now, ops.matmul(h, recurrent_kernel))), h)
        return (h,), (h,)

    (states,) = scan_present(step, (h0,), [z, mask])[1]
    return states


@rnn_steps.joint_vjp("z", "h0", "recurrent_kernel")
def _(
    g: Tensor,
    out: Tensor,
    z: Tensor,
    h0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
) -> tuple[Tensor, ...]:
    dz, dh = rnn_steps_grad(g, out, h0, recurrent_kernel, mask, activation)
    return dz, dh, outer(states_before(out, h0), dz)


@op(inexact="gh h h0 recurrent_kernel", boolean="mask")
def rnn_steps_grad(
    gh: Tensor,
    h: Tensor,
    h0: Tensor,
    recurrent_kernel: Tensor,
    mask: Tensor | None,
    activation: str,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of `rnn_steps` in `z` and `h0`.

    Args:
        gh: Gradient of the states, ``(T, B, U)``.
        h: The states.
        h0: As for `rnn_steps`, like the rest.
        recurrent_kernel: ``(U, U)``.
        mask: ``(T, B)`` or None.
        activation: Name of the activation.

    Returns:
        ``(T, B, U)`` and ``(B, U)``.
    """
    act_slope = ACTIVATIONS[activation][1]
    back = ops.transpose(recurrent_kernel, (1, 0))

    def step(carry: Any, items: Any) -> Any:
        (dh,) = carry
        gh_now, now, keep = items
        # A masked step has an old state, but then its gradient here is zero.
        dh, old = pass_back(keep, ops.add(dh, gh_now))
        dz = ops.multiply(dh, act_slope(now))
        return (ops.add(ops.matmul(dz, back), old),), (dz,)

    (dh,), (dz,) = scan_present(
        step, (ops.zeros_like(h0),), [gh, h, mask], reverse=True
    )
    return dz, dh
