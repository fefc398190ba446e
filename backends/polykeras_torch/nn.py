"""Neural-network kernels in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn import functional

from polykeras import ops
from polykeras_torch.dtype_names import TORCH_DTYPES
from polykeras_torch.statistics import WIDE, feature_moments
from polykeras_torch.surroundings import is_mapped, needs_composition
from polykeras_torch.tracing import depends_on_arguments, whole

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

T = torch.Tensor

_rows_backward: Final = torch.ops.aten.native_layer_norm_backward.default
# Beyond these the linear branch of softplus is exact in the dtype.
_LINEAR_FROM: Final = {torch.float64: 40.0}


def _softplus(x: T) -> T:
    return functional.softplus(x, threshold=_LINEAR_FROM.get(x.dtype, 20.0))


def _gelu(x: T, approximate: bool) -> T:
    return functional.gelu(x, approximate="tanh" if approximate else "none")


def _over(fn: Callable[..., T]) -> Kernel:
    """Let a function of one axis work over several."""

    def kernel(x: T, axis: tuple[int, ...]) -> T:
        if len(axis) == 1:
            return fn(x, axis[0])
        if not axis:
            return fn(x.unsqueeze(0), 0).squeeze(0)
        last = tuple(range(-len(axis), 0))
        moved = x.movedim(axis, last)
        flat = fn(moved.flatten(-len(axis)), -1)
        return flat.reshape(moved.shape).movedim(last, axis)

    return kernel


def _one_hot(x: T, num_classes: int, axis: int, dtype: str, sparse: bool) -> T:
    classes = torch.arange(num_classes, device=x.device)
    return (x.unsqueeze(-1) == classes).movedim(-1, axis).to(TORCH_DTYPES[dtype])


def _batch_normalization(
    x: T,
    mean: T,
    variance: T,
    axis: int,
    offset: T | None,
    scale: T | None,
    epsilon: float,
) -> T:
    # What is mapped does not tell whether it needs a gradient.
    learned = is_mapped() or mean.requires_grad or variance.requires_grad
    alike = x.dtype == mean.dtype == variance.dtype
    if x.ndim < 2 or axis == 0 or (learned and (needs_composition() or not alike)):
        body = ops.batch_normalization.__wrapped__  # type: ignore[attr-defined]
        composed: T = body(x, mean, variance, axis, offset, scale, epsilon)
        return composed
    moved = x.movedim(axis, 1)
    if not learned:
        out = functional.batch_norm(
            moved, mean, variance, scale, offset, False, 0.0, epsilon
        )
    else:
        out = _Normalization.apply(moved, mean, variance, scale, offset, epsilon)  # type: ignore[no-untyped-call]
    return out.movedim(1, axis)


class _Normalization(torch.autograd.Function):
    """Normalization with derivatives in the statistics, which the library has not."""

    @staticmethod
    def forward(
        ctx: Any,
        x: T,
        mean: T,
        variance: T,
        scale: T | None,
        offset: T | None,
        epsilon: float,
    ) -> T:
        ctx.save_for_backward(x, mean, variance, scale)
        ctx.epsilon = epsilon
        return functional.batch_norm(
            x, mean, variance, scale, offset, False, 0.0, epsilon
        )

    @staticmethod
    def backward(ctx: Any, g: T) -> tuple[T | None, ...]:
        x, mean, variance, scale = ctx.saved_tensors
        weight = torch.ones_like(mean) if scale is None else scale
        # Of the input as if the statistics were constant; of scale; of offset.
        to_input, to_scale, to_offset = torch.ops.aten.native_batch_norm_backward(
            *(g, x, weight, mean, variance, None, None, False, ctx.epsilon),
            [True, True, True],
        )
        inverse = torch.rsqrt(variance + ctx.epsilon)
        slope = -(weight * inverse)
        to_mean = slope * to_offset
        to_variance = slope * inverse * to_scale * 0.5
        wanted = ctx.needs_input_grad
        return (
            to_input,
            to_mean,
            to_variance,
            to_scale if wanted[3] else None,
            to_offset if wanted[4] else None,
            None,
        )


def _batch_normalization_training(
    x: T, axis: int, offset: T | None, scale: T | None, epsilon: float
) -> tuple[T, T, T]:
    if needs_composition() or x.ndim < 2 or axis == 0 or x.dtype not in WIDE:
        body = ops.batch_normalization_training.__wrapped__  # type: ignore[attr-defined]
        composed: tuple[T, T, T] = body(x, axis, offset, scale, epsilon)
        return composed
    out, mean, variance = _TrainingNormalization.apply(  # type: ignore[no-untyped-call]
        x.movedim(axis, 1), scale, offset, epsilon
    )
    return out.movedim(1, axis), mean, variance


class _TrainingNormalization(torch.autograd.Function):
    """Normalization by the batch's own statistics.

    The library's kernel for both adds up one row after the other where channels come
    last: over 300,000 rows it loses four digits, and all where the mean is large.
    """

    @staticmethod
    def forward(
        ctx: Any, x: T, scale: T | None, offset: T | None, epsilon: float
    ) -> tuple[T, T, T]:
        features_last = x.movedim(1, -1)
        if features_last.is_contiguous():
            mean, variance = feature_moments(features_last)
        else:
            variance, mean = torch.var_mean(x, (0, *range(2, x.ndim)), correction=0)
        ctx.save_for_backward(x, mean, variance, scale)
        ctx.epsilon = epsilon
        ctx.set_materialize_grads(False)
        out = functional.batch_norm(
            x, mean, variance, scale, offset, False, 0.0, epsilon
        )
        return out, mean, variance

    @staticmethod
    def backward(
        ctx: Any, g: T | None, to_mean: T | None, to_variance: T | None
    ) -> tuple[T | None, ...]:
        x, mean, variance, scale = ctx.saved_tensors
        inverse = torch.rsqrt(variance + ctx.epsilon)
        to_input = to_scale = to_offset = None
        if g is not None:
            to_input, to_scale, to_offset = torch.ops.aten.native_batch_norm_backward(
                *(g, x, scale, None, None, mean, inverse, True, ctx.epsilon),
                ctx.needs_input_grad[:3],
            )
        shape = (-1, *[1] * (x.ndim - 2))
        count = x.numel() // x.shape[1]
        if to_mean is not None:
            to_input = _sum(to_input, (to_mean / count).reshape(shape).expand_as(x))
        if to_variance is not None:
            slope = (to_variance * (2 / count)).reshape(shape)
            to_input = _sum(to_input, (x - mean.reshape(shape)) * slope)
        return to_input, to_scale, to_offset, None


def _sum(x: T | None, y: T) -> T:
    return y if x is None else x + y


def _trailing(x: T, axis: tuple[int, ...], *weights: T | None) -> bool:
    last = tuple(range(x.ndim - len(axis), x.ndim))
    shape = x.shape[x.ndim - len(axis) :]
    return axis == last and all(w is None or w.shape == shape for w in weights)


def _layer_normalization(
    x: T, gamma: T | None, beta: T | None, axis: tuple[int, ...], epsilon: float
) -> T:
    if not _trailing(x, axis, gamma, beta):
        return _normalized_elsewhere(x, gamma, beta, axis, epsilon)
    # The library reads a plain tuple faster than a `torch.Size`.
    shape = tuple(x.shape[x.ndim - len(axis) :])
    if not x.is_cpu or torch.compiler.is_compiling():
        # A host that looks waits for an accelerator; the library's compiler sums twice.
        return functional.layer_norm(x, shape, gamma, beta, epsilon)
    # No values can be looked at where a map encloses the call.
    if not is_mapped() and not depends_on_arguments(x):
        out, _, factor = torch.native_layer_norm(x, shape, gamma, beta, epsilon)
        if not _has_nan(factor):
            return out
    if needs_composition():
        return _composed_layer_normalization(x, gamma, beta, axis, epsilon)
    return _LayerNormalization.apply(x, gamma, beta, epsilon, *shape)  # type: ignore[no-any-return, no-untyped-call]


def _normalized_elsewhere(
    x: T, gamma: T | None, beta: T | None, axis: tuple[int, ...], epsilon: float
) -> T:
    """Normalise over axes that are not the last ones, or with weights of one number."""
    order = *(i for i in range(x.ndim) if i not in axis), *axis
    moved = x.permute(order)
    shape = moved.shape[x.ndim - len(axis) :]
    gamma, beta = (w if w is None else w.expand(shape) for w in (gamma, beta))
    last = tuple(range(x.ndim - len(axis), x.ndim))
    out = _layer_normalization(moved, gamma, beta, last, epsilon)
    return out.permute([order.index(i) for i in range(x.ndim)])


def _composed_layer_normalization(
    x: T, gamma: T | None, beta: T | None, axis: tuple[int, ...], epsilon: float
) -> T:
    body = ops.layer_normalization.__wrapped__  # type: ignore[attr-defined]
    composed: T = body(x, gamma, beta, axis, epsilon)
    return composed


def _has_nan(factor: T) -> bool:
    """Return whether the library's kernel failed at a row.

    It joins the moments of parts of a row by the square of how far their means are
    apart, times the number of entries so far: infinity times 0 where the square
    overflows. Its factor, one number a row, tells; looking takes less time than the
    library's function in Python does beside the operator itself.
    """
    return not torch.equal(factor, factor)


class _LayerNormalization(torch.autograd.Function):
    """Layer normalization that looks at values by itself, and so can be recorded."""

    @staticmethod
    def forward(
        ctx: Any, x: T, gamma: T | None, beta: T | None, epsilon: float, *sizes: int
    ) -> T:
        out, mean, factor = _normalized_rows(x, gamma, beta, epsilon, *sizes)
        ctx.save_for_backward(x, gamma, beta, mean, factor)
        ctx.rest = epsilon, *sizes
        return out  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, g: T) -> tuple[T | None, ...]:
        wanted, rest = ctx.needs_input_grad[:3], ctx.rest
        found = _rows_gradient(g, *ctx.saved_tensors, *wanted, *rest)
        return *found, *(None for _ in rest)


@whole
def _normalized_rows(
    x: T, gamma: T | None, beta: T | None, epsilon: float, *sizes: int
) -> tuple[T, T, T]:
    """Return what the library does; where it fails, the right first result."""
    found = torch.native_layer_norm(x, sizes, gamma, beta, epsilon)
    if not _has_nan(found[2]):
        return found
    normal, _ = _standardized(x.to(found[2].dtype), len(sizes), epsilon)
    if gamma is not None:
        normal = normal * gamma
    if beta is not None:
        normal = normal + beta
    return normal.to(x.dtype), *found[1:]


def _standardized(x: T, ndim: int, epsilon: float) -> tuple[T, T]:
    """Return normalised values and one over the standard deviation of each row."""
    axes = tuple(range(-ndim, 0))
    away = x - x.mean(axes, keepdim=True)
    factor = torch.rsqrt(away.square().mean(axes, keepdim=True) + epsilon)
    return away * factor, factor


@whole
def _rows_gradient(
    g: T,
    x: T,
    gamma: T | None,
    beta: T | None,
    mean: T,
    factor: T,
    to_x: bool,
    to_gamma: bool,
    to_beta: bool,
    epsilon: float,
    *sizes: int,
) -> tuple[T | None, ...]:
    """Return the derivative of `_normalized_rows`, by the rule of the op if it fails.

    Args:
        g: How the result is weighed.
        x: The argument.
        gamma: Likewise.
        beta: Likewise.
        mean: What the library's kernel gave.
        factor: Likewise.
        to_x: Whether the argument needs a gradient.
        to_gamma: Likewise.
        to_beta: Likewise.
        epsilon: Added to the variance.
        sizes: Those of the axes to normalise over.
    """
    if not _has_nan(factor):
        wanted = to_x, to_gamma, to_beta
        return _rows_backward(  # type: ignore[no-any-return]
            g, x, sizes, mean, factor, gamma, beta, wanted
        )
    ndim = len(sizes)
    normal, factor = _standardized(x.to(factor.dtype), ndim, epsilon)
    wide = g.to(factor.dtype)
    dgamma = dbeta = None
    if beta is not None:
        dbeta = wide.sum_to_size(sizes).to(beta.dtype)
    if gamma is not None:
        dgamma = (wide * normal).sum_to_size(sizes).to(gamma.dtype)
        wide = wide * gamma
    axes = tuple(range(-ndim, 0))
    level = wide.mean(axes, keepdim=True)
    slope = (wide * normal).mean(axes, keepdim=True)
    return ((wide - level - normal * slope) * factor).to(x.dtype), dgamma, dbeta


def _rms_normalization(
    x: T, scale: T | None, axis: tuple[int, ...], epsilon: float
) -> T:
    if not _trailing(x, axis, scale):
        body = ops.rms_normalization.__wrapped__  # type: ignore[attr-defined]
        composed: T = body(x, scale, axis, epsilon)
        return composed
    return functional.rms_norm(x, x.shape[x.ndim - len(axis) :], scale, epsilon)


def _attention(
    query: T,
    key: T,
    value: T,
    bias: T | None,
    mask: T | None,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
    attn_logits_soft_cap: float | None,
) -> T:
    if attn_logits_soft_cap is not None or needs_composition():
        body = ops.dot_product_attention.__wrapped__  # type: ignore[attr-defined]
        composed: T = body(
            *(query, key, value, bias, mask, scale),
            *(is_causal, flash_attention, attn_logits_soft_cap),
        )
        return composed
    added = _added_mask(query, key, bias, mask, is_causal)
    out = functional.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        attn_mask=added,
        is_causal=is_causal and added is None,
        scale=scale,
        enable_gqa=query.shape[2] != key.shape[2],
    )
    return out.transpose(1, 2)


def _added_mask(
    query: T, key: T, bias: T | None, mask: T | None, is_causal: bool
) -> T | None:
    """Return bias and mask as one sum: large and finite, so no row becomes NaN."""
    if bias is None and mask is None:
        return None
    added = torch.zeros((), dtype=query.dtype, device=query.device)
    if bias is not None:
        added = bias.to(query.dtype)
    if is_causal:
        past = torch.ones(
            query.shape[1], key.shape[1], dtype=torch.bool, device=query.device
        ).tril()
        mask = past if mask is None else mask & past
    if mask is not None:
        lowest = 0.7 * torch.finfo(query.dtype).min
        added = torch.where(mask, added, lowest)
    full = (query.shape[0], query.shape[2], query.shape[1], key.shape[1])
    return added.expand(full)


def _softmax_crossentropy(target: T, logits: T, axis: int) -> T:
    return -(target * torch.log_softmax(logits, axis)).sum(axis)


def _sparse_softmax_crossentropy(target: T, logits: T, axis: int) -> T:
    count = logits.shape[axis]
    inside = (target >= 0) & (target < count)
    classes = torch.where(inside, target, -1).long()
    moved = logits.movedim(axis, 1) if logits.ndim > 1 and axis != 1 else logits
    return functional.cross_entropy(moved, classes, ignore_index=-1, reduction="none")


def _sigmoid_crossentropy(target: T, logits: T) -> T:
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none")


def _ctc_loss(
    target: T, output: T, target_length: T, output_length: T, mask_index: int
) -> T:
    if needs_composition() or target.ndim != 2 or output.ndim != 3:
        body = ops.ctc_loss.__wrapped__  # type: ignore[attr-defined]
        composed: T = body(target, output, target_length, output_length, mask_index)
        return composed
    wide = output if output.dtype is torch.float64 else output.float()
    found = functional.ctc_loss(
        torch.log_softmax(wide, -1).transpose(0, 1),
        target.long(),
        output_length.long(),
        target_length.long(),
        blank=mask_index,
        reduction="none",
    )
    return found.to(output.dtype)


KERNELS: Final[dict[str, Kernel]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": _softplus,
    "silu": functional.silu,
    "gelu": _gelu,
    "log_sigmoid": functional.logsigmoid,
    "softmax": _over(torch.softmax),
    "log_softmax": _over(torch.log_softmax),
    "one_hot": _one_hot,
    "batch_normalization": _batch_normalization,
    "batch_normalization_training": _batch_normalization_training,
    "layer_normalization": _layer_normalization,
    "rms_normalization": _rms_normalization,
    "dot_product_attention": _attention,
    "sigmoid_crossentropy": _sigmoid_crossentropy,
    "softmax_crossentropy": _softmax_crossentropy,
    "sparse_softmax_crossentropy": _sparse_softmax_crossentropy,
    "ctc_loss": _ctc_loss,
}
