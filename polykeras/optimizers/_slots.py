"""The variables that an optimizer makes for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import initializers, ops
from polykeras.errors import ArgumentError
from polykeras.variables import Variable, autocast_scope

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["Slots"]


class Slots:
    """Makes variables, alone or aligned with the variables to be optimized."""

    name: str
    _variables: list[Variable]
    _trainable_variables: list[Variable]
    _index: dict[int, int]
    _iterations: Variable
    gradient_accumulation_steps: int | None

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own variables: counter, learning rate, slots."""
        return self._variables[:]

    @property
    def iterations(self) -> Tensor | Variable:
        """The number of steps taken, an integer scalar."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Add a variable that the optimizer keeps, saves and restores.

        Args:
            shape: Its shape.
            initializer: ``"zeros"``, ``"ones"``, another initializer's name, a
                number, or a function of ``(shape, dtype)``.
            dtype: Its dtype; None means floatx.
            aggregation: Stored, for code that distributes.
            layout: Accepted for Keras' signature.
            name: The last part of its path.

        Returns:
            The variable.
        """
        variable = Variable(
            _initializer(initializer),
            shape=tuple(shape),
            dtype=dtype,
            trainable=False,
            aggregation=aggregation,
            name=name,
        )
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self,
        reference_variable: Variable,
        name: str | None = None,
        initializer: Any = "zeros",
    ) -> Variable:
        """Add a variable of the shape and dtype of another one.

        Args:
            reference_variable: Usually a trainable variable.
            name: What the slot holds, for example ``"momentum"``.
            initializer: As for `add_variable`.

        Returns:
            The variable.
        """
        path = reference_variable.path.replace("/", "_")
        with autocast_scope(None):
            dtype = reference_variable.dtype
        return self.add_variable(
            reference_variable.shape,
            initializer=initializer,
            dtype=dtype,
            name=f"{path}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """Add one slot, or several, for each trainable variable.

        Args:
            trainable_variables: The variables to be optimized.
            name: What the slot holds; several names make several slots.
            initializer: One for all, or a list with one for each name.

        Returns:
            A list of variables aligned with `trainable_variables`, or a tuple of
            such lists; None stands where a variable is overwritten with its
            gradient and needs no slot.

        Raises:
            ArgumentError: If names and initializers differ in number.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, list | tuple)
        starts = list(initializer) if several else [initializer] * len(names)
        if len(starts) != len(names):
            raise ArgumentError(
                f"Expected one initializer for each of the names {names}, got "
                f"{len(starts)}."
            )
        slots: tuple[list[Variable | None], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for slot, part, start in zip(slots, names, starts, strict=True):
                slot.append(
                    None
                    if variable.overwrite_with_gradient
                    else self.add_variable_from_reference(variable, part, start)
                )
        return slots[0] if isinstance(name, str) else slots

    def _get_variable_index(self, variable: Variable) -> int:
        return self._index[id(variable)]

    def _slots(
        self, slots: Sequence[Variable | None], variables: Sequence[Variable]
    ) -> list[Any]:
        """Return the slots of some of the variables."""
        if variables is self._trainable_variables:
            return list(slots)
        return [slots[self._index[id(v)]] for v in variables]


def _initializer(identifier: Any) -> Any:
    """Return a function of shape and dtype."""
    if isinstance(identifier, int | float):
        return initializers.Constant(identifier)
    return initializers.get(identifier)
