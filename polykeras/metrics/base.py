"""`Metric`: state that is updated batch by batch and read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from polykeras import config, dtypes, naming
from polykeras.arguments import CheckedArguments
from polykeras.errors import ArgumentError
from polykeras.registry import public
from polykeras.state import StateScope
from polykeras.variables import Variable

if TYPE_CHECKING:
    from polykeras.backend import Array, Tensor

__all__ = ["Metric"]


@public
class Metric(CheckedArguments):
    """The base class of metrics.

    A subclass makes its variables in ``__init__`` with `add_variable`, and gives
    `update_state` and `result`.

    Args:
        dtype: The dtype of the computation; None means floatx.
        name: The metric's name.

    >>> import polykeras as keras
    >>> class Count(keras.metrics.Metric):
    ...     def __init__(self):
    ...         super().__init__(name="count")
    ...         self.n = self.add_variable((), "zeros", name="n")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.n.assign_add(1)
    ...
    ...     def result(self):
    ...         return self.n.value
    >>> metric = Count()
    >>> metric.update_state(0, 0)
    >>> float(metric.result())
    1.0
    """

    _tracked_as = "metric"

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self))
        named = getattr(dtype, "compute_dtype", dtype)
        self._dtype = dtypes.standardize_dtype(named or config.floatx())
        self._variables: list[Variable] = []
        self._starts: list[Callable[..., Any]] = []

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The metric's state, the metrics in its attributes included."""
        found = list(self._variables)
        for value in vars(self).values():
            inner = value if isinstance(value, list | tuple) else (value,)
            for item in inner:
                if isinstance(item, Metric):
                    found.extend(item.variables)
        return found

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: str | None = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Add a variable to the state.

        Args:
            shape: Its shape.
            initializer: ``"zeros"``, ``"ones"``, another initializer's name, or a
                function of ``(shape, dtype)``; used again by `reset_state`.
            dtype: Its dtype; None means the metric's.
            aggregation: How replicas combine their updates.
            name: The last part of its path.

        Returns:
            The variable.
        """
        start = _initializer(initializer)
        variable = Variable(
            start,
            shape=tuple(shape),
            dtype=dtype or self._dtype,
            trainable=False,
            autocast=False,
            aggregation=aggregation,
            name=name,
        )
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        self._starts.append(start)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """Add a variable to the state: `add_variable` under its older name.

        Args:
            shape: Its shape.
            initializer: As for `add_variable`; None means zeros.
            dtype: Its dtype; None means the metric's.
            name: The last part of its path.
        """
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account; subclasses override this."""
        raise NotImplementedError(f"{type(self).__name__} must override update_state.")

    def result(self) -> Any:
        """Return the metric of all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must override result.")

    def reset_state(self) -> None:
        """Forget all batches."""
        for variable, start in zip(self._variables, self._starts, strict=True):
            variable.replace(start(variable.shape, dtype=variable.dtype))
        for value in vars(self).values():
            inner = value if isinstance(value, list | tuple) else (value,)
            for item in inner:
                if isinstance(item, Metric):
                    item.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch into account and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    # -- without state ---------------------------------------------------------

    def _scope(self, values: Sequence[Tensor]) -> StateScope:
        variables = self.variables
        if len(values) != len(variables):
            raise ArgumentError(
                f"The metric {self.name!r} has {len(variables)} variables, but "
                f"{len(values)} values were given."
            )
        return StateScope(variables, values)

    def stateless_update_state(
        self, metric_variables: Sequence[Tensor], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """Return the state after a batch, without changing any variable.

        Args:
            metric_variables: Values for `variables`.
            args: Passed to `update_state`.
            kwargs: Passed to `update_state`.
        """
        with self._scope(metric_variables)() as scope:
            self.update_state(*args, **kwargs)
            return [scope.values[id(v)] for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Tensor]) -> Any:
        """Return the result for given values of `variables`."""
        with self._scope(metric_variables)():
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """Return the values of `variables` before the first batch."""
        with StateScope()() as scope:
            self.reset_state()
            return [scope.values.get(id(v), v.raw()) for v in self.variables]

    # -- config ----------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a metric from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _zeros(shape: tuple[int, ...], dtype: str) -> Array:
    return np.zeros(shape, dtypes.as_numpy_dtype(dtype))


def _ones(shape: tuple[int, ...], dtype: str) -> Array:
    return np.ones(shape, dtypes.as_numpy_dtype(dtype))


# Made on the host: each epoch resets them, and moving a number costs less than an op.
_FILL: Final[dict[str, Callable[..., Any]]] = {"zeros": _zeros, "ones": _ones}


def _initializer(identifier: Any) -> Callable[..., Any]:
    if callable(identifier):
        found: Callable[..., Any] = identifier
        return found
    if identifier in _FILL:
        return _FILL[identifier]
    from polykeras import initializers

    made: Callable[..., Any] = initializers.get(identifier)
    return made
