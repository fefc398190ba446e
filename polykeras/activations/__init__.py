"""Activations: functions that layers apply to each value, or to an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from polykeras import registry
from polykeras.activations._functions import exponential, gelu, linear, mish, relu
from polykeras.ops import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
from polykeras.registry import public

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]

hard_swish = hard_silu
swish = silu

_FUNCTIONS: Final = (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
# The names that strings may use.
_BY_NAME: Final[dict[str, Any]] = {
    **{public(fn).__name__: fn for fn in _FUNCTIONS},
    "hard_swish": hard_silu,
    "swish": silu,
}


def get(identifier: Any) -> Callable[..., Any]:
    """Return an activation for a name, a config, a function or a layer.

    Args:
        identifier: Such as ``"relu"``; None means `linear`.

    Returns:
        A function of a tensor, or a layer.

    Raises:
        ArgumentError: If there is no such activation.

    >>> get("relu")([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    if identifier is None:
        return linear
    found: Callable[..., Any] = registry.resolve(identifier, "activation", _BY_NAME)
    return found


def serialize(activation: Any) -> Any:
    """Return a name, or plain data, that describes an activation."""
    name = getattr(activation, "__name__", None)
    if name is not None and _BY_NAME.get(name) is activation:
        return name
    return registry.serialize_keras_object(activation)


def deserialize(
    config: Any, custom_objects: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Return the activation that `serialize` described.

    Args:
        config: A name, or plain data.
        custom_objects: Names that the data may use.

    Raises:
        ArgumentError: If the data names something unknown.
    """
    with registry.CustomObjectScope(custom_objects or {}):
        return get(config)
