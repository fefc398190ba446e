"""`ListOptimizer`: rules whose step is one op over all variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras.optimizers.base import Optimizer

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["ListOptimizer", "assign_all", "values_of"]


def values_of(variables: Sequence[Variable]) -> list[Tensor]:
    """Return the values of variables."""
    return [v.value for v in variables]


def assign_all(variables: Sequence[Variable], values: Sequence[Tensor]) -> None:
    """Give each variable the value that was computed for it."""
    for variable, value in zip(variables, values, strict=True):
        variable.replace(value)


class ListOptimizer(Optimizer):
    """An optimizer that updates all variables with one op.

    Subclasses give `update_lists`. A further subclass that overrides
    `update_step` is asked variable by variable instead.
    """

    def update_lists(
        self, grads: list[Tensor], variables: list[Variable], learning_rate: Any
    ) -> None:
        """Update all variables at once.

        Args:
            grads: One gradient a variable, clipped, in the variable's dtype.
            variables: The variables.
            learning_rate: A scalar.
        """
        raise NotImplementedError

    def update_variables(
        self, grads: list[Tensor], variables: list[Variable], learning_rate: Any
    ) -> None:
        """Update at once, unless a subclass has its own `update_step`."""
        for cls in type(self).__mro__:
            if "update_lists" in vars(cls):
                self.update_lists(grads, variables, learning_rate)
                return
            if "update_step" in vars(cls):
                super().update_variables(grads, variables, learning_rate)
                return

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        self.update_lists([gradient], [variable], learning_rate)
