"""Functions of ``keras.backend`` that books before Keras 3 call.

Most are ops under another name; those that read or set values work outside of compiled
functions only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import ops, random
from polykeras.backend import Array, Tensor
from polykeras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from polykeras.naming import clear_session
from polykeras.ops import (
    abs,
    all,
    any,
    arange,
    argmax,
    argmin,
    cast,
    clip,
    concatenate,
    cos,
    cumprod,
    cumsum,
    dot,
    elu,
    equal,
    exp,
    expand_dims,
    eye,
    flip,
    greater,
    greater_equal,
    hard_sigmoid,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    not_equal,
    one_hot,
    ones,
    ones_like,
    prod,
    relu,
    repeat,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
    zeros,
    zeros_like,
)
from polykeras.ops import flip as reverse
from polykeras.ops import power as pow
from polykeras.ops import take as gather
from polykeras.variables import Variable

__all__ = [
    "abs",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "batch_flatten",
    "batch_get_value",
    "batch_set_value",
    "binary_crossentropy",
    "cast",
    "categorical_crossentropy",
    "clear_session",
    "clip",
    "concatenate",
    "constant",
    "cos",
    "count_params",
    "cumprod",
    "cumsum",
    "dot",
    "dtype",
    "elu",
    "equal",
    "eval",
    "exp",
    "expand_dims",
    "eye",
    "flatten",
    "flip",
    "gather",
    "get_value",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "int_shape",
    "less",
    "less_equal",
    "log",
    "logsumexp",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "ndim",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "permute_dimensions",
    "pow",
    "prod",
    "random_normal",
    "random_uniform",
    "relu",
    "repeat",
    "reshape",
    "reverse",
    "round",
    "set_value",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "sum",
    "switch",
    "tanh",
    "tile",
    "transpose",
    "update",
    "update_add",
    "update_sub",
    "var",
    "variable",
    "zeros",
    "zeros_like",
]


def variable(value: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """Return a variable with a value."""
    return Variable(value, dtype=dtype, name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None) -> Tensor:
    """Return a tensor with a value, repeated to a shape."""
    x = ops.convert_to_tensor(value, dtype=dtype)
    return x if shape is None else ops.broadcast_to(x, shape)


def get_value(x: Any) -> Array:
    """Return the value of a variable or tensor.

    >>> float(get_value(variable(2.0)))
    2.0
    """
    return np.asarray(ops.convert_to_numpy(x))


def eval(x: Any) -> Array:
    """Return the value of a variable or tensor."""
    return get_value(x)


def set_value(x: Variable, value: Any) -> None:
    """Set the value of a variable."""
    x.assign(value)


def batch_get_value(tensors: Any) -> list[Array]:
    """Return the values of variables or tensors."""
    return [get_value(x) for x in tensors]


def batch_set_value(tuples: Any) -> None:
    """Set the values of variables, given as pairs."""
    for x, value in tuples:
        x.assign(value)


def update(x: Variable, new_x: Any) -> Any:
    """Set the value of a variable and return it."""
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Any:
    """Add to the value of a variable."""
    return x.assign_add(increment)


def update_sub(x: Variable, decrement: Any) -> Any:
    """Subtract from the value of a variable."""
    return x.assign_sub(decrement)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape of a tensor; None where unknown.

    >>> import polykeras as keras
    >>> int_shape(keras.Input((3,)))
    (None, 3)
    """
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """Return the number of axes of a tensor."""
    return len(x.shape)


def dtype(x: Any) -> str:
    """Return the dtype of a tensor."""
    return str(x.dtype) if isinstance(x, Variable) else ops.dtype(x)


def count_params(x: Any) -> int:
    """Return the number of values in a tensor."""
    return int(np.prod(x.shape))


def flatten(x: Any) -> Tensor:
    """Return the values of a tensor along one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Tensor:
    """Return the values of each sample along one axis."""
    return ops.reshape(x, (x.shape[0], -1))


def permute_dimensions(x: Any, pattern: Any) -> Tensor:
    """Return a tensor with its axes in another order."""
    return ops.transpose(x, pattern)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two values, tensors or functions without arguments."""
    if callable(then_expression) or callable(else_expression):
        return ops.cond(condition, then_expression, else_expression)
    return ops.where(condition, then_expression, else_expression)


def random_normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Return normal numbers."""
    return random.normal(shape, mean, stddev, dtype=dtype, seed=seed)


def random_uniform(
    shape: Any,
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Return uniform numbers."""
    return random.uniform(shape, minval, maxval, dtype=dtype, seed=seed)
