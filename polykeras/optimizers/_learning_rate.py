"""What an optimizer takes as its learning rate, and what it is at a step."""

from __future__ import annotations

import inspect
import numbers
import warnings
from typing import TYPE_CHECKING, Any

from polykeras import config
from polykeras.errors import ArgumentError, unknown_argument
from polykeras.variables import Variable

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "OldRateName",
    "current_rate",
    "is_schedule",
    "legacy_rate",
    "rate_config",
    "rate_source",
]


class OldRateName:
    """The learning rate under the name that old books use, ``optimizer.lr``."""

    learning_rate: Any

    @property
    def lr(self) -> Any:
        """The learning rate; write `learning_rate`."""
        _warn_of_old_name(self)
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        _warn_of_old_name(self)
        self.learning_rate = value


def _warn_of_old_name(optimizer: object) -> None:
    warnings.warn(
        f"{type(optimizer).__name__}.lr is the old spelling of learning_rate.",
        DeprecationWarning,
        stacklevel=3,
    )


def is_schedule(value: object) -> bool:
    """Return whether `value` is a learning-rate schedule."""
    # A schedule is told from a plain function by its method, so that the module
    # of schedules loads only when one is used.
    return callable(value) and hasattr(value, "get_config")


def legacy_rate(learning_rate: Any, kwargs: dict[str, Any], optimizer: type) -> Any:
    """Return the learning rate, taken from the old keyword ``lr`` if that is given.

    Args:
        learning_rate: The value of the present keyword.
        kwargs: Unknown keywords; known old ones are removed.
        optimizer: The class, for messages.

    Raises:
        ArgumentError: If an unknown keyword is left.
    """
    if "lr" in kwargs:
        warnings.warn(
            f"{optimizer.__name__}(lr=...) is the old spelling; write "
            "learning_rate=....",
            DeprecationWarning,
            stacklevel=4,
        )
        learning_rate = kwargs.pop("lr")
    if kwargs.pop("decay", None):
        warnings.warn(
            f"{optimizer.__name__}(decay=...) has no effect; pass "
            "learning_rate=schedules.InverseTimeDecay(...).",
            DeprecationWarning,
            stacklevel=4,
        )
    if kwargs:
        raise unknown_argument(optimizer, kwargs)
    return learning_rate


def rate_source(value: Any, path: str) -> Any:
    """Return a variable for a number, and a schedule or function as it is.

    Args:
        value: A number, a schedule, a function, a `Variable`, or the config of a
            schedule.
        path: The name of the optimizer, put before the variable's name.

    Raises:
        ArgumentError: If it is something else.
    """
    if isinstance(value, Variable):
        return value
    if isinstance(value, dict):
        from polykeras.registry import deserialize_keras_object

        return deserialize_keras_object(value)
    if callable(value):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, numbers.Real):
        variable = Variable(
            float(value), dtype=config.floatx(), trainable=False, name="learning_rate"
        )
        variable.path = f"{path}/learning_rate"
        variable.aggregation = "only_first_replica"
        return variable
    raise ArgumentError(
        "The learning rate must be a number, a LearningRateSchedule or a function "
        f"without arguments that returns it; got {value!r} of type "
        f"{type(value).__name__}."
    )


def current_rate(source: Any, iterations: Variable) -> Tensor | float | Variable:
    """Return the learning rate of the next step: a variable, tensor or number."""
    if isinstance(source, Variable):
        return source
    if is_schedule(source):
        return source(iterations.value)
    if callable(source):
        needs_step = any(
            p.default is p.empty
            and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            for p in inspect.signature(source).parameters.values()
        )
        return source(iterations.value) if needs_step else source()
    return source


def rate_config(source: Any) -> Any:
    """Return plain data for the learning rate."""
    from polykeras.registry import serialize_keras_object

    if isinstance(source, Variable):
        return float(source.numpy())
    return serialize_keras_object(source)
