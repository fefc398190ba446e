"""Derivatives given by the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polykeras import tree
from polykeras.backend import active, is_abstract_engine
from polykeras.errors import GradientError
from polykeras.ops._operands import Operand, Traced

__all__ = ["custom_gradient"]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function a derivative of your own.

    Args:
        f: Takes tensors and returns ``(outputs, grad_fn)``; ``grad_fn(*upstream)``
            returns the gradient of each argument, one or a tuple.

    Returns:
        A function that returns the outputs.

    Raises:
        GradientError: If `grad_fn` returns another number of gradients, or the
            function is called on tensors of a model under construction.

    >>> import polykeras as keras
    >>> @keras.ops.custom_gradient
    ... def log1pexp(x):
    ...     e = keras.ops.exp(x)
    ...     return keras.ops.log(1 + e), lambda up: up * (1 - 1 / (1 + e))
    >>> float(keras.grad(log1pexp)(0.0))
    0.5
    """

    def call(*args: Any) -> Any:
        args = tuple(x.operand() if isinstance(x, Operand) else x for x in args)
        traced = [x for x in tree.flatten(args) if isinstance(x, Traced)]
        if traced:
            innermost = max(traced, key=lambda x: x.level)
            return innermost.custom_gradient(_normalised(f), args)
        engine = active()
        if is_abstract_engine() or engine.capabilities.autodiff != "native":
            return f(*args)[0]
        tensors = [
            x if engine.is_tensor(x) else engine.convert_to_tensor(x) for x in args
        ]
        return engine.custom_vjp(_normalised(f))(*tensors)

    return call


def _normalised(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let the pullback take one cotangent an output and return a tuple."""

    def forward(*args: Any) -> tuple[Any, Callable[..., tuple[Any, ...]]]:
        outputs, grad_fn = f(*args)

        def pullback(*upstream: Any) -> tuple[Any, ...]:
            return _as_tuple(grad_fn(*upstream), len(args))

        return outputs, pullback

    return forward


def _as_tuple(grads: Any, count: int) -> tuple[Any, ...]:
    found = tuple(grads) if isinstance(grads, list | tuple) else (grads,)
    if len(found) != count:
        raise GradientError(
            f"The function has {count} arguments, but its gradient function returned "
            f"{len(found)} gradients. Return one for each argument."
        )
    return found
