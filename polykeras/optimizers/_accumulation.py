"""Steps that wait for the gradients of several batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from polykeras import ops
from polykeras.ops._values import known_values
from polykeras.optimizers._slots import Slots
from polykeras.state import functional
from polykeras.variables import Variable

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["Accumulation"]


class Accumulation(Slots):
    """Adds gradients up, and takes a step with their mean every so many of them."""

    _accumulators: Sequence[Variable | None] = ()

    def _make_accumulators(self, variables: Sequence[Variable]) -> None:
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(
                variables, "gradient_accumulator"
            )

    def _step(self, grads: list[Tensor], variables: list[Variable]) -> None:
        raise NotImplementedError

    def _overwrite(
        self, grads: list[Tensor], variables: list[Variable]
    ) -> tuple[list[Tensor], list[Variable]]:
        raise NotImplementedError

    def _accumulate(self, grads: list[Tensor], variables: list[Variable]) -> None:
        steps = self.gradient_accumulation_steps or 1
        grads, variables = self._overwrite(grads, variables)
        slots = self._slots(self._accumulators, variables)
        for slot, g in zip(slots, grads, strict=True):
            slot.assign(ops.add(slot.value, g))

        def step() -> None:
            self._step([ops.divide(s.value, steps) for s in slots], variables)
            for slot in slots:
                slot.assign(ops.zeros_like(slot.value))

        count = ops.add(self._iterations.value, 1)
        self._when(ops.equal(ops.mod(count, steps), 0), step)

    def _when(self, condition: Tensor, change: Callable[[], None]) -> None:
        """Run `change` if the condition holds, which a compiled step knows late."""
        if (known := known_values(condition)) is not None:
            if known:
                change()
            return
        touched = [*self.variables, *self._trainable_variables]
        before = [v.value for v in touched]
        pure = functional(change, touched)
        after = ops.cond(condition, lambda: pure(before)[1], lambda: before)
        for v, value in zip(touched, after, strict=True):
            v.assign(value)
