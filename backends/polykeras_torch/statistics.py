"""Kernels of means, variances and log-sum-exp.

PyTorch reads an empty tuple of axes as all axes; here it means none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras_torch.surroundings import needs_composition

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS", "WIDE", "feature_moments"]

Axes = tuple[int, ...]
WIDE: Final = (torch.float32, torch.float64)


def _mean(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    return torch.mean(x, axis, keepdims) if axis else x


def _var_mean(
    x: torch.Tensor, axis: Axes, keepdims: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    if not axis:
        real = torch.abs(x) if x.is_complex() else x
        return torch.zeros_like(real) + 0 * real, x
    if 0 in x.shape and any(x.shape[a] == 0 for a in axis):
        # PyTorch warns here.
        center = torch.mean(x, axis, keepdims)
        return center.real if x.is_complex() else center, center
    return torch.var_mean(x, axis, correction=0, keepdim=keepdims)


def _var(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    return _var_mean(x, axis, keepdims)[0]


def _moments(
    x: torch.Tensor, axes: Axes, keepdims: bool, synchronized: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    features_last = axes == tuple(range(x.ndim - 1)) and x.ndim > 1 and x.numel()
    if features_last and x.dtype in WIDE and not needs_composition():
        center, variance = _FeatureMoments.apply(x)  # type: ignore[no-untyped-call]
        if keepdims:
            shape = (1,) * (x.ndim - 1) + center.shape
            return center.reshape(shape), variance.reshape(shape)
        return center, variance
    variance, center = _var_mean(x, axes, keepdims)
    return center, variance


def feature_moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and variance of each feature on the last axis.

    `torch.var_mean` over leading axes takes ten times as long as sums over rows, which
    are as exact where the mean is subtracted first.
    """
    rows = x.reshape(-1, x.shape[-1])
    center = rows.mean(0)
    return center, (rows - center).square_().mean(0)


class _FeatureMoments(torch.autograd.Function):
    """Mean and variance of each feature on the last axis."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        center, variance = feature_moments(x)
        ctx.save_for_backward(x, center)
        return center, variance

    @staticmethod
    def backward(ctx: Any, to_center: Any, to_variance: Any) -> torch.Tensor:
        x, center = ctx.saved_tensors
        count = x.numel() // x.shape[-1]
        return torch.addcmul(to_center / count, x - center, to_variance * (2 / count))


def _logsumexp(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    if not axis:
        return x
    if 0 in x.shape:
        return torch.log(torch.sum(torch.exp(x), axis, keepdims))
    level = torch.amax(x.detach(), axis, keepdim=True)
    # PyTorch's derivative of a row of -inf is NaN: keep such rows out of the graph.
    dead = level == -torch.inf
    # It is also exp(x - out): with a large `out`, only as exact as that is rounded.
    shift = level.masked_fill(torch.isinf(level), 0)
    out = torch.logsumexp(x.masked_fill(dead, 0) - shift, axis, keepdims)
    if not keepdims:
        dead, shift = dead.reshape(out.shape), shift.reshape(out.shape)
    return (out + shift).masked_fill(dead, -torch.inf)


KERNELS: Final[dict[str, Kernel]] = {
    "mean": _mean,
    "var": _var,
    "moments": _moments,
    "logsumexp": _logsumexp,
}
