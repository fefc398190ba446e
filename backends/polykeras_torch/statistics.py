"""Kernels of means, variances and log-sum-exp.

PyTorch reads an empty tuple of axes as all axes; here it means none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]


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
    variance, center = _var_mean(x, axes, keepdims)
    return center, variance


def _logsumexp(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    if not axis:
        return x
    if 0 in x.shape:
        return torch.log(torch.sum(torch.exp(x), axis, keepdims))
    # PyTorch's derivative of a row of -inf is NaN: keep such rows out of the graph.
    dead = torch.amax(x.detach(), axis, keepdim=True) == -torch.inf
    out = torch.logsumexp(x.masked_fill(dead, 0), axis, keepdims)
    return out.masked_fill(dead if keepdims else dead.reshape(out.shape), -torch.inf)


KERNELS: Final[dict[str, Kernel]] = {
    "mean": _mean,
    "var": _var,
    "moments": _moments,
    "logsumexp": _logsumexp,
}
