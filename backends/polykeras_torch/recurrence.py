"""Recurrences in PyTorch's own layers, which order their gates differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras import ops
from polykeras_torch.surroundings import needs_composition

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

T = torch.Tensor


def _native(activation: str, gate: str, mask: T | None) -> bool:
    """Return whether the library's layer computes the same."""
    usual = activation == "tanh" and gate == "sigmoid"
    return usual and mask is None and not needs_composition()


def _weights(
    kernel: T, recurrent_kernel: T, bias: T | None, inner: T | None
) -> list[T]:
    """Return weights as the library wants them, zeros for a missing bias."""
    rows = kernel.shape[1]
    none = kernel.new_zeros(rows)
    return [
        kernel.t().contiguous(),
        recurrent_kernel.t().contiguous(),
        none if bias is None else bias,
        none if inner is None else inner,
    ]


def _steps(x: T, reverse: bool) -> T:
    return x.flip(1) if reverse else x


def _lstm(
    x: T,
    h0: T,
    c0: T,
    kernel: T,
    recurrent_kernel: T,
    bias: T | None,
    activation: str,
    recurrent_activation: str,
    mask: T | None,
    reverse: bool,
) -> tuple[T, T, T]:
    if not _native(activation, recurrent_activation, mask):
        body: Any = ops.lstm.__wrapped__  # type: ignore[attr-defined]
        found: tuple[T, T, T] = body(
            *(x, h0, c0, kernel, recurrent_kernel, bias),
            *(activation, recurrent_activation, mask, reverse),
        )
        return found
    # Input, forget, cell, output: the same order as here.
    weights = _weights(kernel, recurrent_kernel, bias, None)
    state = (h0.unsqueeze(0), c0.unsqueeze(0))
    # The library has another kernel where gradients are recorded, wanted or not, which
    # rounds otherwise; recorded programs run where they are not.
    wanted = any(t.requires_grad for t in (x, *state, *weights))
    with torch.set_grad_enabled(wanted and torch.is_grad_enabled()):
        out, h, c = torch.lstm(
            _steps(x, reverse), state, weights, True, 1, 0.0, False, False, True
        )
    return out, h[0], c[0]


def _swapped(weight: T | None) -> T | None:
    """Put the reset gate before the update gate."""
    if weight is None:
        return None
    update, reset, candidate = weight.chunk(3, -1)
    return torch.cat([reset, update, candidate], -1)


def _gru(
    x: T,
    h0: T,
    kernel: T,
    recurrent_kernel: T,
    bias: T | None,
    activation: str,
    recurrent_activation: str,
    mask: T | None,
    reverse: bool,
    reset_after: bool,
) -> tuple[T, T]:
    if not reset_after or not _native(activation, recurrent_activation, mask):
        body: Any = ops.gru.__wrapped__  # type: ignore[attr-defined]
        found: tuple[T, T] = body(
            *(x, h0, kernel, recurrent_kernel, bias),
            *(activation, recurrent_activation, mask, reverse, reset_after),
        )
        return found
    outer, inner = (None, None) if bias is None else (bias[0], bias[1])
    swapped = [_swapped(w) for w in (kernel, recurrent_kernel, outer, inner)]
    weights = _weights(*swapped)  # type: ignore[arg-type]
    out, h = torch.gru(
        _steps(x, reverse), h0.unsqueeze(0), weights, True, 1, 0.0, False, False, True
    )
    return out, h[0]


def _simple_rnn(
    x: T,
    h0: T,
    kernel: T,
    recurrent_kernel: T,
    bias: T | None,
    activation: str,
    mask: T | None,
    reverse: bool,
) -> tuple[T, T]:
    if not _native(activation, "sigmoid", mask):
        body: Any = ops.simple_rnn.__wrapped__  # type: ignore[attr-defined]
        found: tuple[T, T] = body(
            x, h0, kernel, recurrent_kernel, bias, activation, mask, reverse
        )
        return found
    weights = _weights(kernel, recurrent_kernel, bias, None)
    out, h = torch.rnn_tanh(
        _steps(x, reverse), h0.unsqueeze(0), weights, True, 1, 0.0, False, False, True
    )
    return out, h[0]


KERNELS: Final[dict[str, Kernel]] = {
    "lstm": _lstm,
    "gru": _gru,
    "simple_rnn": _simple_rnn,
}
