"""What an optimizer asks of its arguments and of gradients."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.optimizers.base import Optimizer
    from polykeras.variables import Variable

__all__ = ["check_arguments", "check_shares", "checked_gradients"]


def check_arguments(optimizer: Optimizer) -> None:
    """Refuse arguments that are out of range or exclude each other.

    Raises:
        ArgumentError: If there are such.
    """
    clips = {
        name: getattr(optimizer, name)
        for name in ("clipnorm", "clipvalue", "global_clipnorm")
    }
    given = {k: v for k, v in clips.items() if v is not None}
    if len(given) > 1:
        raise ArgumentError(
            f"At most one of clipnorm, clipvalue and global_clipnorm may be set; "
            f"got {given}."
        )
    for name, value in given.items():
        if not value > 0:
            raise ArgumentError(f"{name} must be positive, got {value!r}.")
    steps: Any = optimizer.gradient_accumulation_steps
    if steps is not None and (not isinstance(steps, int) or steps < 2):
        raise ArgumentError(
            f"gradient_accumulation_steps must be an integer of at least 2, or "
            f"None for a step with each gradient; got {steps!r}."
        )
    if not optimizer.use_ema:
        return
    if not 0 <= optimizer.ema_momentum <= 1:
        raise ArgumentError(
            f"ema_momentum must be between 0 and 1, got {optimizer.ema_momentum!r}."
        )
    every: Any = optimizer.ema_overwrite_frequency
    if every is not None and (not isinstance(every, int) or every < 1):
        raise ArgumentError(
            f"ema_overwrite_frequency must be a positive integer or None, got "
            f"{every!r}."
        )


def check_shares(optimizer: Optimizer) -> None:
    """Refuse averages whose share of the old value is out of range.

    Raises:
        ArgumentError: If there are such.
    """
    for name in ("beta_1", "beta_2", "rho", "momentum"):
        value = getattr(optimizer, name, None)
        if isinstance(value, int | float) and not 0 <= value <= 1:
            raise ArgumentError(
                f"{type(optimizer).__name__} needs {name} from 0 to 1, got {value!r}."
            )


def checked_gradients(
    grads: list[Any], variables: list[Variable], loss_scale: float | None
) -> tuple[list[Tensor], list[Variable]]:
    """Return what has a gradient, as tensors of the variables' dtypes, unscaled.

    Args:
        grads: One gradient a variable; None where there is none.
        variables: The variables.
        loss_scale: The factor that was on the loss, or None.

    Raises:
        ArgumentError: If there is no gradient at all.
        ShapeError: If a gradient has another shape than its variable.
    """
    missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
    if len(missing) == len(variables):
        raise ArgumentError(
            "No variable has a gradient. Check that the loss depends on the "
            "trainable variables through polykeras.ops."
        )
    if missing:
        warnings.warn(
            f"No gradient came for the variables {missing}; they stay as they "
            "are. Check that the loss depends on them.",
            stacklevel=4,
        )
    kept_grads, kept_variables = [], []
    for g, v in zip(grads, variables, strict=True):
        if g is None:
            continue
        kept_grads.append(_checked(g, v, loss_scale))
        kept_variables.append(v)
    return kept_grads, kept_variables


def _checked(gradient: Any, variable: Variable, loss_scale: float | None) -> Tensor:
    g = ops.convert_to_tensor(gradient)
    if tuple(g.shape) != variable.shape:
        raise ShapeError(
            f"The gradient of {variable.path!r} has shape {tuple(g.shape)}, but "
            f"the variable has shape {variable.shape}."
        )
    if ops.dtype(g) != variable.dtype:
        g = ops.cast(g, variable.dtype)
    if loss_scale is None or variable.overwrite_with_gradient:
        return g
    return ops.divide(g, loss_scale)
