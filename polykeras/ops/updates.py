"""Optimizer steps over lists of tensors, one op for each rule.

A step is one op so that a backend can run it as one fused kernel. The default
composition serves backends that compile. `donate` says that `params` and the
slots, never the gradients, may be overwritten; results are always returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from polykeras.ops._declare import op
from polykeras.ops.arithmetic import add, divide, multiply, square, subtract
from polykeras.ops.comparison import maximum, minimum
from polykeras.ops.conversion import cast
from polykeras.ops.conversion import dtype as dtype_of
from polykeras.ops.exponential import expm1, sqrt
from polykeras.ops.reductions import sum as sum_of

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "adam_update",
    "as_scalar",
    "bias_correction",
    "clip_by_global_norm",
    "clip_by_norm",
    "decay_update",
    "momentum_update",
    "moving_average_update",
    "per_dtype",
    "rmsprop_update",
    "sgd_update",
    "wide",
]

Tensors = Sequence["Tensor"]


def per_dtype(make: Callable[[str], Tensor]) -> Callable[[str], Tensor]:
    """Return `make` with its results kept, so that a scalar is made once a dtype."""
    made: dict[str, Tensor] = {}

    def get(name: str) -> Tensor:
        if name not in made:
            made[name] = make(name)
        return made[name]

    return get


def wide(dtype: str) -> str:
    """Return the dtype for step counts and rates: float32 for 16-bit parameters."""
    return dtype if dtype in ("float32", "float64") else "float32"


def as_scalar(value: Tensor | float, dtype: str) -> Tensor | float:
    """Return a tensor in `dtype`; Python numbers keep all their digits."""
    return value if isinstance(value, int | float) else cast(value, dtype)


def bias_correction(beta: float, step: Tensor) -> Tensor | float:
    """Return ``1 - beta**step``, without the cancellation of that form.

    In float32, ``1 - 0.999**1`` is wrong in the fifth digit, and differently so
    on each library.
    """
    if beta == 0:
        return 1.0
    return multiply(-1.0, expm1(multiply(step, math.log(beta))))


@op(tree="params grads learning_rate", differentiable=False)
def sgd_update(
    params: Tensors, grads: Tensors, learning_rate: Tensor, donate: bool = False
) -> list[Tensor]:
    """Return parameters after a step of gradient descent.

    Args:
        params: Floating-point tensors.
        grads: Their gradients, of the same shapes and dtypes.
        learning_rate: A scalar.
        donate: Whether `params` may be overwritten.

    Returns:
        The new parameters.

    >>> import polykeras as keras
    >>> new = keras.ops.sgd_update([keras.ops.ones(2)], [keras.ops.ones(2)], 0.5)
    >>> new[0].tolist()
    [0.5, 0.5]
    """
    rate = per_dtype(lambda name: as_scalar(learning_rate, name))
    return [
        subtract(p, multiply(rate(dtype_of(p)), g))
        for p, g in zip(params, grads, strict=True)
    ]


@op(tree="params grads momentums learning_rate", differentiable=False)
def momentum_update(
    params: Tensors,
    grads: Tensors,
    momentums: Tensors,
    learning_rate: Tensor,
    momentum: float,
    nesterov: bool = False,
    donate: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """Return parameters and momentums after a step of descent with momentum.

    Args:
        params: Floating-point tensors.
        grads: Their gradients, of the same shapes and dtypes.
        momentums: The running steps, of the same shapes and dtypes.
        learning_rate: A scalar.
        momentum: The share of the last step that is kept.
        nesterov: Whether to look ahead by one more momentum.
        donate: Whether `params` and `momentums` may be overwritten.

    Returns:
        The new parameters and the new momentums.

    Reference: Sutskever et al., 2013, "On the importance of initialization and
    momentum in deep learning", equations 1 to 4.
    """
    rate = per_dtype(lambda name: as_scalar(learning_rate, name))
    new_params, new_momentums = [], []
    for p, g, m in zip(params, grads, momentums, strict=True):
        step = multiply(rate(dtype_of(p)), g)
        m_next = subtract(multiply(m, momentum), step)
        move = subtract(multiply(m_next, momentum), step) if nesterov else m_next
        new_params.append(add(p, move))
        new_momentums.append(m_next)
    return new_params, new_momentums


@op(
    tree="params grads velocities momentums averages learning_rate",
    differentiable=False,
)
def rmsprop_update(
    params: Tensors,
    grads: Tensors,
    velocities: Tensors,
    momentums: Tensors,
    averages: Tensors,
    learning_rate: Tensor,
    rho: float,
    momentum: float,
    epsilon: float,
    donate: bool = False,
) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    """Return parameters and slots after a step of RMSprop.

    Args:
        params: Floating-point tensors.
        grads: Their gradients, of the same shapes and dtypes.
        velocities: Running means of squared gradients.
        momentums: Running steps, or an empty list for no momentum.
        averages: Running means of gradients, or an empty list for the uncentered
            form.
        learning_rate: A scalar.
        rho: Decay of the running means.
        momentum: The share of the last step that is kept.
        epsilon: Added to the variance under the root.
        donate: Whether `params` and the slots may be overwritten.

    Returns:
        New parameters, velocities, momentums and averages.

    Reference: Hinton, 2012, "Neural Networks for Machine Learning", lecture 6e;
    Graves, 2013, "Generating sequences with recurrent neural networks", equations
    38 to 45, for the centered form.
    """
    rate = per_dtype(lambda name: as_scalar(learning_rate, name))
    out: tuple[list[Tensor], ...] = ([], [], [], [])
    for i, (p, g, v) in enumerate(zip(params, grads, velocities, strict=True)):
        v_next = add(multiply(v, rho), multiply(square(g), 1 - rho))
        variance = v_next
        if averages:
            average = add(multiply(averages[i], rho), multiply(g, 1 - rho))
            out[3].append(average)
            variance = subtract(v_next, square(average))
        # The quotient first: a rate times a gradient underflows in 16 bits.
        step = multiply(rate(dtype_of(p)), divide(g, sqrt(add(variance, epsilon))))
        if momentums:
            step = add(multiply(momentums[i], momentum), step)
            out[2].append(step)
        out[0].append(subtract(p, step))
        out[1].append(v_next)
    return out[0], out[1], out[2], out[3]


@op(
    tree="params grads momentums velocities largest learning_rate step",
    differentiable=False,
)
def adam_update(
    params: Tensors,
    grads: Tensors,
    momentums: Tensors,
    velocities: Tensors,
    largest: Tensors,
    learning_rate: Tensor,
    step: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    donate: bool = False,
) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    """Return parameters and slots after a step of Adam.

    The biases of both moments are corrected in the learning rate, so `epsilon`
    is the "epsilon hat" of the paper.

    Args:
        params: Floating-point tensors.
        grads: Their gradients, of the same shapes and dtypes.
        momentums: Running means of gradients.
        velocities: Running means of squared gradients.
        largest: The largest velocities so far (AMSGrad), or an empty list.
        learning_rate: A scalar.
        step: Number of this step, from 1.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
        epsilon: Added to the root of the second moment.
        donate: Whether `params` and the slots may be overwritten.

    Returns:
        New parameters, momentums, velocities and largest velocities.

    Reference: Kingma and Ba, 2015, "Adam: a method for stochastic optimization",
    section 2; Reddi et al., 2018, "On the convergence of Adam and beyond".
    """

    def corrected(name: str) -> Tensor:
        count = cast(step, wide(name))
        rate = as_scalar(learning_rate, wide(name))
        bias_2 = sqrt(bias_correction(beta_2, count))
        rate = divide(multiply(rate, bias_2), bias_correction(beta_1, count))
        return cast(rate, name)

    rate = per_dtype(corrected)
    out: tuple[list[Tensor], ...] = ([], [], [], [])
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        m, v = momentums[i], velocities[i]
        m = add(m, multiply(subtract(g, m), 1 - beta_1))
        v = add(v, multiply(subtract(square(g), v), 1 - beta_2))
        out[1].append(m)
        out[2].append(v)
        if largest:
            v = maximum(largest[i], v)
            out[3].append(v)
        move = multiply(rate(dtype_of(p)), divide(m, add(sqrt(v), epsilon)))
        out[0].append(subtract(p, move))
    return out[0], out[1], out[2], out[3]


@op(tree="params rate", differentiable=False)
def decay_update(params: Tensors, rate: Tensor, donate: bool = False) -> list[Tensor]:
    """Return parameters shrunk by a share of themselves.

    Args:
        params: Floating-point tensors.
        rate: The share, a scalar.
        donate: Whether `params` may be overwritten.

    Returns:
        ``p - p * rate`` for each parameter.

    Reference: Loshchilov and Hutter, 2019, "Decoupled weight decay
    regularization", algorithm 2.
    """
    share = per_dtype(lambda name: as_scalar(rate, name))
    return [subtract(p, multiply(p, share(dtype_of(p)))) for p in params]


@op(tree="averages values momentum", differentiable=False)
def moving_average_update(
    averages: Tensors, values: Tensors, momentum: Tensor, donate: bool = False
) -> list[Tensor]:
    """Return exponential moving averages after one more value each.

    Args:
        averages: Floating-point tensors.
        values: The new values, of the same shapes and dtypes.
        momentum: The share of the old average that is kept, a scalar.
        donate: Whether `averages` may be overwritten.

    Returns:
        ``momentum * average + (1 - momentum) * value`` for each.
    """
    kept = per_dtype(lambda name: as_scalar(momentum, name))
    new = []
    for a, x in zip(averages, values, strict=True):
        share = kept(dtype_of(a))
        new.append(add(multiply(share, a), multiply(subtract(1.0, share), x)))
    return new


@op(tree="grads", differentiable=False)
def clip_by_norm(grads: Tensors, norm: float) -> list[Tensor]:
    """Return tensors scaled down, each to a Euclidean norm of at most `norm`.

    Args:
        grads: Floating-point tensors.
        norm: The largest norm allowed.

    Returns:
        Tensors of the same shapes.

    >>> import polykeras as keras
    >>> keras.ops.clip_by_norm([keras.ops.array([3.0, 4.0])], 1.0)[0].tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    out = []
    for g in grads:
        length = sqrt(sum_of(square(g)))
        out.append(divide(multiply(g, norm), maximum(length, norm)))
    return out


@op(tree="grads", differentiable=False)
def clip_by_global_norm(grads: Tensors, norm: float) -> list[Tensor]:
    """Return tensors scaled down together to a joint norm of at most `norm`.

    A norm that is not finite makes all results NaN, so that the trouble shows.

    Args:
        grads: Floating-point tensors.
        norm: The largest joint norm allowed.

    Returns:
        Tensors of the same shapes.

    Reference: Pascanu et al., 2013, "On the difficulty of training recurrent
    neural networks", algorithm 1.
    """
    if not grads:
        return []
    names = {wide(dtype_of(g)) for g in grads}
    joint = "float64" if "float64" in names else "float32"
    total = sum_of(square(cast(grads[0], joint)))
    for g in grads[1:]:
        total = add(total, sum_of(square(cast(g, joint))))
    length = sqrt(total)
    scale = multiply(norm, minimum(divide(1.0, length), 1.0 / norm))
    # inf - inf is NaN; for finite lengths nothing is added.
    scale = add(scale, subtract(length, length))
    factor = per_dtype(lambda name: cast(scale, name))
    return [multiply(g, factor(dtype_of(g))) for g in grads]
