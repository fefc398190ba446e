"""Optimizer steps with PyTorch's multi-tensor kernels, in place where allowed."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras import ops
from polykeras_torch.tracing import whole

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

# What the multi-tensor kernels accept.
Tensors = list[torch.Tensor] | tuple[torch.Tensor, ...]


def _differentiated(*lists: Tensors) -> bool:
    return torch.is_grad_enabled() and any(
        x.requires_grad for tensors in lists for x in tensors
    )


def _multi_tensor(kernel: Kernel) -> Kernel:
    """Let a kernel be one call in traces, and autograd see the composition instead."""
    recorded = whole(kernel)

    @functools.wraps(kernel)
    def call(*args: Any) -> Any:
        lists = [x for x in args if isinstance(x, list | tuple)]
        if not lists[0] or _differentiated(*lists):
            return getattr(ops, kernel.__name__).__wrapped__(*args)
        return recorded(*args)

    return call


def _owned(tensors: Tensors, donate: bool) -> list[torch.Tensor]:
    """Return tensors that may be written: the given ones or copies."""
    return list(tensors) if donate else [x.clone() for x in tensors]


def _number(x: Any) -> Any:
    """Return a Python number where reading it does not wait for a device."""
    if isinstance(x, torch.Tensor) and x.device.type == "cpu" and _readable(x):
        return x.item()
    return x


def _readable(x: torch.Tensor) -> bool:
    return type(x) is torch.Tensor and not torch.compiler.is_compiling()


def _bias_correction(beta: float, step: Any) -> Any:
    if isinstance(step, torch.Tensor):
        return -torch.expm1(step.to(torch.float32) * math.log(beta)) if beta else 1.0
    return 1 - beta**step


@_multi_tensor
def sgd_update(
    params: Tensors, grads: Tensors, learning_rate: Any, donate: bool
) -> Any:
    rate = _number(learning_rate)
    new = _owned(params, donate)
    if isinstance(rate, torch.Tensor):
        torch._foreach_sub_(new, torch._foreach_mul(grads, rate))
    else:
        torch._foreach_add_(new, grads, alpha=-rate)
    return new


@_multi_tensor
def momentum_update(
    params: Tensors,
    grads: Tensors,
    momentums: Tensors,
    learning_rate: Any,
    momentum: float,
    nesterov: bool,
    donate: bool,
) -> Any:
    new, moving = _owned(params, donate), _owned(momentums, donate)
    steps = torch._foreach_mul(grads, _number(learning_rate))
    torch._foreach_mul_(moving, momentum)
    torch._foreach_sub_(moving, steps)
    if nesterov:
        torch._foreach_add_(new, moving, alpha=momentum)
        torch._foreach_sub_(new, steps)
    else:
        torch._foreach_add_(new, moving)
    return new, moving


@_multi_tensor
def rmsprop_update(
    params: Tensors,
    grads: Tensors,
    velocities: Tensors,
    momentums: Tensors,
    averages: Tensors,
    learning_rate: Any,
    rho: float,
    momentum: float,
    epsilon: float,
    donate: bool,
) -> Any:
    rate = _number(learning_rate)
    new, second = _owned(params, donate), _owned(velocities, donate)
    moving, means = _owned(momentums, donate), _owned(averages, donate)
    torch._foreach_mul_(second, rho)
    torch._foreach_addcmul_(second, grads, grads, 1 - rho)
    if means:
        torch._foreach_mul_(means, rho)
        torch._foreach_add_(means, grads, alpha=1 - rho)
        roots = torch._foreach_addcmul(second, means, means, -1)
        torch._foreach_add_(roots, epsilon)
    else:
        roots = torch._foreach_add(second, epsilon)
    torch._foreach_sqrt_(roots)
    if not moving and not isinstance(rate, torch.Tensor):
        torch._foreach_addcdiv_(new, grads, roots, -rate)
        return new, second, moving, means
    steps: Tensors = torch._foreach_div(grads, roots)
    torch._foreach_mul_(steps, rate)
    if moving:
        torch._foreach_mul_(moving, momentum)
        torch._foreach_add_(moving, steps)
        steps = moving
    torch._foreach_sub_(new, steps)
    return new, second, moving, means


def _fusable(*lists: Tensors) -> bool:
    """Return whether the library's own kernel takes a step of Adam on these."""
    kinds = {(x.dtype, x.device.type) for tensors in lists for x in tensors}
    alike = len(kinds) == 1 and kinds <= {
        (torch.float32, "cpu"),
        (torch.float64, "cpu"),
    }
    # It goes through memory in order, whatever the strides.
    return alike and all(x.is_contiguous() for tensors in lists for x in tensors)


@_multi_tensor
def adam_update(
    params: Tensors,
    grads: Tensors,
    momentums: Tensors,
    velocities: Tensors,
    largest: Tensors,
    learning_rate: Any,
    step: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    donate: bool,
) -> Any:
    count = _number(step)
    if isinstance(count, int) and _fusable(params, momentums, velocities, largest):
        new = _owned(params, donate)
        first, second = _owned(momentums, donate), _owned(velocities, donate)
        highest = _owned(largest, donate)
        # The library adds epsilon to the corrected root, we to the root itself.
        torch._fused_adam_(
            new,
            [g.contiguous() for g in grads],
            first,
            second,
            highest,
            [torch.full((), count, dtype=torch.float32)] * len(new),
            lr=_number(learning_rate),
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=0.0,
            eps=epsilon / math.sqrt(_bias_correction(beta_2, count)),
            amsgrad=bool(highest),
            maximize=False,
        )
        return new, first, second, highest
    bias_1, bias_2 = _bias_correction(beta_1, count), _bias_correction(beta_2, count)
    rate = _number(learning_rate) * bias_2**0.5 / bias_1
    new = _owned(params, donate)
    first, second = _owned(momentums, donate), _owned(velocities, donate)
    highest = _owned(largest, donate)
    torch._foreach_lerp_(first, grads, 1 - beta_1)
    torch._foreach_mul_(second, beta_2)
    torch._foreach_addcmul_(second, grads, grads, 1 - beta_2)
    if highest:
        torch._foreach_maximum_(highest, second)
    roots = torch._foreach_sqrt(highest or second)
    torch._foreach_add_(roots, epsilon)
    if isinstance(rate, torch.Tensor):
        steps = torch._foreach_div(first, roots)
        torch._foreach_mul_(steps, rate)
        torch._foreach_sub_(new, steps)
    else:
        torch._foreach_addcdiv_(new, first, roots, -rate)
    return new, first, second, highest


@_multi_tensor
def decay_update(params: Tensors, rate: Any, donate: bool) -> Any:
    share = _number(rate)
    new = _owned(params, donate)
    torch._foreach_sub_(new, torch._foreach_mul(new, share))
    return new


@_multi_tensor
def moving_average_update(
    averages: Tensors, values: Tensors, momentum: Any, donate: bool
) -> Any:
    kept = _number(momentum)
    new = _owned(averages, donate)
    torch._foreach_mul_(new, kept)
    torch._foreach_add_(new, torch._foreach_mul(values, 1 - kept))
    return new


@_multi_tensor
def clip_by_global_norm(grads: Tensors, norm: float) -> Any:
    # Half-precision squares overflow, so long tensors are measured in float32.
    wide = [g if g.dtype.itemsize > 2 else g.float() for g in grads]
    lengths = torch._foreach_norm(wide)
    joint = torch.promote_types(wide[0].dtype, torch.float32)
    length = torch.linalg.vector_norm(torch.stack([n.to(joint) for n in lengths]))
    scale = norm * torch.minimum(1 / length, length.new_tensor(1 / norm))
    return torch._foreach_mul(grads, scale + (length - length))


KERNELS: Final[dict[str, Kernel]] = {
    "adam_update": adam_update,
    "clip_by_global_norm": clip_by_global_norm,
    "decay_update": decay_update,
    "momentum_update": momentum_update,
    "moving_average_update": moving_average_update,
    "rmsprop_update": rmsprop_update,
    "sgd_update": sgd_update,
}
