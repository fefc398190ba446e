"""Recurrent layers as ops: whole sequences in one call.

The inputs of all steps are multiplied by the kernel at once; what remains is the
recurrence itself, an op with results for every step and a derivative of its own. So
a tape holds a few records instead of a few for each step, and a backend can run
the loop natively.

References: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; Cho et al.,
2014, "Learning Phrase Representations using RNN Encoder-Decoder".
"""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._recurrence_parts import check_activation
from polykeras.ops._rules import promoted
from polykeras.ops.recurrence_steps import (
    gru_steps,
    lstm_steps,
    rnn_steps,
)

__all__ = ["gru", "lstm", "simple_rnn"]

_SEQUENCE_AXES = 3


def _check(
    name: str,
    x: Tensor,
    states: tuple[Tensor, ...],
    kernel: Tensor,
    recurrent_kernel: Tensor,
    gates: int,
    mask: Tensor | None,
) -> None:
    if len(x.shape) != _SEQUENCE_AXES:
        raise ShapeError(
            f"polykeras.ops.{name} expected sequences of shape (batch, time, "
            f"features), got shape {tuple(x.shape)}."
        )
    batch, steps, features = x.shape
    units = recurrent_kernel.shape[0]
    expected = {
        "the kernel": (kernel, (features, gates * units)),
        "the recurrent kernel": (recurrent_kernel, (units, gates * units)),
        "the mask": (mask, (batch, steps)),
        **{f"initial state {i}": (s, (batch, units)) for i, s in enumerate(states)},
    }
    for what, (value, shape) in expected.items():
        if value is not None and tuple(value.shape) != shape:
            raise ShapeError(
                f"polykeras.ops.{name} expected {what} of shape {shape} for inputs of "
                f"shape {tuple(x.shape)} and {units} units, got {tuple(value.shape)}."
            )


def _projected(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``(T, B, gates * units)`` for inputs ``(B, T, F)``."""
    batch, steps, features = x.shape
    rows = ops.reshape(ops.transpose(x, (1, 0, 2)), (steps * batch, features))
    product = ops.matmul(rows, kernel)
    product = product if bias is None else ops.add(product, bias)
    return ops.reshape(product, (steps, batch, kernel.shape[1]))


def _time_first(
    z: Tensor, mask: Tensor | None, reverse: bool
) -> tuple[Tensor, Tensor | None]:
    if mask is not None:
        mask = ops.transpose(ops.cast(mask, "bool"), (1, 0))
    if not reverse:
        return z, mask
    return ops.flip(z, axis=0), None if mask is None else ops.flip(mask, axis=0)


def _sequence(states: Tensor, mask: Tensor | None) -> Tensor:
    """Return the outputs ``(B, T, units)``; before the first step they are zeros."""
    if mask is not None:
        started = ops.greater(ops.cumsum(ops.cast(mask, "int32"), axis=0), 0)
        states = ops.where(ops.expand_dims(started, -1), states, 0)
    return ops.transpose(states, (1, 0, 2))


def _last(states: Tensor) -> Tensor:
    return ops.get_item(states, -1)


@op(inexact="x h0 c0 kernel recurrent_kernel bias", boolean="mask")
def lstm(
    x: Tensor,
    h0: Tensor,
    c0: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    mask: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run a long short-term memory over sequences.

    Gates lie side by side in the order input, forget, cell, output. A masked step
    keeps the state and repeats the output, zeros before the first step.

    Args:
        x: ``(B, T, F)``.
        h0: The first hidden state, ``(B, U)``.
        c0: The first cell state, ``(B, U)``.
        kernel: ``(F, 4 U)``.
        recurrent_kernel: ``(U, 4 U)``.
        bias: ``(4 U,)`` or None.
        activation: Of the cell: ``"tanh"``, ``"relu"``, ``"sigmoid"``,
            ``"hard_sigmoid"`` or ``"linear"``.
        recurrent_activation: Of the gates, likewise.
        mask: ``(B, T)``, False where a step is skipped, or None.
        reverse: Whether to go from the last step to the first; the sequence is
            then in that order too.

    Returns:
        The outputs ``(B, T, U)``, the last hidden and the last cell state.

    Raises:
        ShapeError: If shapes do not fit.
        ArgumentError: If an activation is unknown.

    >>> import polykeras as keras
    >>> ones, state = keras.ops.ones, keras.ops.zeros((2, 3))
    >>> y, h, c = keras.ops.lstm(
    ...     ones((2, 5, 4)), state, state, ones((4, 12)), ones((3, 12))
    ... )
    >>> y.shape, h.shape
    ((2, 5, 3), (2, 3))
    """
    x, h0, c0, kernel, recurrent_kernel, bias = promoted(
        x, h0, c0, kernel, recurrent_kernel, bias, inexact=True
    )
    check_activation("lstm", activation, recurrent_activation)
    _check("lstm", x, (h0, c0), kernel, recurrent_kernel, 4, mask)
    z, steps_mask = _time_first(_projected(x, kernel, bias), mask, reverse)
    states, cells, _ = lstm_steps(
        z, h0, c0, recurrent_kernel, steps_mask, activation, recurrent_activation
    )
    return _sequence(states, steps_mask), _last(states), _last(cells)


@lstm.prepare
def _(
    x: Tensor,
    h0: Tensor,
    c0: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    activation: str,
    recurrent_activation: str,
    mask: Tensor | None,
    reverse: bool,
) -> tuple[Any, ...]:
    check_activation("lstm", activation, recurrent_activation)
    _check("lstm", x, (h0, c0), kernel, recurrent_kernel, 4, mask)
    return (
        *(x, h0, c0, kernel, recurrent_kernel, bias),
        *(activation, recurrent_activation, mask, bool(reverse)),
    )


@op(inexact="x h0 kernel recurrent_kernel bias", boolean="mask")
def gru(
    x: Tensor,
    h0: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    mask: Tensor | None = None,
    reverse: bool = False,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor]:
    """Run a gated recurrent unit over sequences.

    Gates lie side by side in the order update, reset, candidate. A masked step keeps
    the state and repeats the output, zeros before the first step.

    Args:
        x: ``(B, T, F)``.
        h0: The first state, ``(B, U)``.
        kernel: ``(F, 3 U)``.
        recurrent_kernel: ``(U, 3 U)``.
        bias: ``(2, 3 U)``, for inputs and state, with `reset_after`; else ``(3 U,)``;
            or None.
        activation: Of the candidate, a name as for `lstm`.
        recurrent_activation: Of the gates, likewise.
        mask: ``(B, T)``, False where a step is skipped, or None.
        reverse: Whether to go from the last step to the first; the sequence is
            then in that order too.
        reset_after: Whether the reset gate acts after the matrix product.

    Returns:
        The outputs ``(B, T, U)`` and the last state ``(B, U)``.

    Raises:
        ShapeError: If shapes do not fit.
        ArgumentError: If an activation is unknown.

    >>> import polykeras as keras
    >>> ones, state = keras.ops.ones, keras.ops.zeros((2, 3))
    >>> y, h = keras.ops.gru(ones((2, 5, 4)), state, ones((4, 9)), ones((3, 9)))
    >>> y.shape, h.shape
    ((2, 5, 3), (2, 3))
    """
    x, h0, kernel, recurrent_kernel, bias = promoted(
        x, h0, kernel, recurrent_kernel, bias, inexact=True
    )
    check_activation("gru", activation, recurrent_activation)
    _check("gru", x, (h0,), kernel, recurrent_kernel, 3, mask)
    _check_gru_bias(bias, recurrent_kernel.shape[1], reset_after)
    inner = None
    if bias is not None and reset_after:
        bias, inner = ops.get_item(bias, 0), ops.get_item(bias, 1)
    z, steps_mask = _time_first(_projected(x, kernel, bias), mask, reverse)
    states, _ = gru_steps(
        *(z, h0, recurrent_kernel, inner, steps_mask),
        *(activation, recurrent_activation, reset_after),
    )
    return _sequence(states, steps_mask), _last(states)


def _check_gru_bias(bias: Tensor | None, width: int, reset_after: bool) -> None:
    expected = (2, width) if reset_after else (width,)
    if bias is not None and tuple(bias.shape) != expected:
        raise ShapeError(
            f"polykeras.ops.gru expected a bias of shape {expected} with "
            f"reset_after={reset_after}, got {tuple(bias.shape)}."
        )


@gru.prepare
def _(
    x: Tensor,
    h0: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    activation: str,
    recurrent_activation: str,
    mask: Tensor | None,
    reverse: bool,
    reset_after: bool,
) -> tuple[Any, ...]:
    check_activation("gru", activation, recurrent_activation)
    _check("gru", x, (h0,), kernel, recurrent_kernel, 3, mask)
    _check_gru_bias(bias, recurrent_kernel.shape[1], reset_after)
    return (
        *(x, h0, kernel, recurrent_kernel, bias),
        *(activation, recurrent_activation, mask, bool(reverse), bool(reset_after)),
    )


@op(inexact="x h0 kernel recurrent_kernel bias", boolean="mask")
def simple_rnn(
    x: Tensor,
    h0: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    activation: str = "tanh",
    mask: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run a fully connected recurrence over sequences.

    A masked step keeps the state and repeats the output, zeros before the first
    step.

    Args:
        x: ``(B, T, F)``.
        h0: The first state, ``(B, U)``.
        kernel: ``(F, U)``.
        recurrent_kernel: ``(U, U)``.
        bias: ``(U,)`` or None.
        activation: A name as for `lstm`.
        mask: ``(B, T)``, False where a step is skipped, or None.
        reverse: Whether to go from the last step to the first; the sequence is
            then in that order too.

    Returns:
        The outputs ``(B, T, U)`` and the last state ``(B, U)``.

    Raises:
        ShapeError: If shapes do not fit.
        ArgumentError: If the activation is unknown.

    Reference: Elman, 1990, "Finding Structure in Time".

    >>> import polykeras as keras
    >>> ones = keras.ops.ones
    >>> y, h = keras.ops.simple_rnn(
    ...     ones((2, 5, 4)), ones((2, 3)), ones((4, 3)), ones((3, 3))
    ... )
    >>> y.shape, h.shape
    ((2, 5, 3), (2, 3))
    """
    x, h0, kernel, recurrent_kernel, bias = promoted(
        x, h0, kernel, recurrent_kernel, bias, inexact=True
    )
    check_activation("simple_rnn", activation)
    _check("simple_rnn", x, (h0,), kernel, recurrent_kernel, 1, mask)
    z, steps_mask = _time_first(_projected(x, kernel, bias), mask, reverse)
    states = rnn_steps(z, h0, recurrent_kernel, steps_mask, activation)
    return _sequence(states, steps_mask), _last(states)


@simple_rnn.prepare
def _(
    x: Tensor,
    h0: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    activation: str,
    mask: Tensor | None,
    reverse: bool,
) -> tuple[Any, ...]:
    check_activation("simple_rnn", activation)
    _check("simple_rnn", x, (h0,), kernel, recurrent_kernel, 1, mask)
    return x, h0, kernel, recurrent_kernel, bias, activation, mask, bool(reverse)
