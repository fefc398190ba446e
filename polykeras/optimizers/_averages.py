"""Moving averages of the variables."""

from __future__ import annotations

from collections.abc import Sequence

from polykeras import ops
from polykeras.ops.updates import moving_average_update
from polykeras.optimizers._slots import Slots
from polykeras.state import is_donated
from polykeras.variables import Variable

__all__ = ["Averages"]


class Averages(Slots):
    """Keeps moving averages of variables, and puts them in their place."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    _averages: Sequence[Variable | None] = ()

    def averages(self) -> list[tuple[Variable, Variable]]:
        """Return each variable that has a moving average, and the average.

        There are none without ``use_ema=True``, and before the optimizer is built.
        """
        pairs = zip(self._trainable_variables, self._averages, strict=False)
        return [(v, average) for v, average in pairs if average is not None]

    def _make_averages(self, variables: Sequence[Variable]) -> None:
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")

    def _variables_of_step(
        self, variables: Sequence[Variable] | None
    ) -> list[Variable]:
        raise NotImplementedError

    def _update_averages(self) -> None:
        pairs = [
            (slot, v)
            for slot, v in zip(self._averages, self._trainable_variables, strict=True)
            if slot is not None
        ]
        slots, variables = [s for s, _ in pairs], [v for _, v in pairs]
        # The first average is the variable itself.
        started = ops.cast(ops.not_equal(self.iterations, 0), "float32")
        momentum = ops.multiply(started, self.ema_momentum)
        averages = moving_average_update(
            [s.value for s in slots],
            [v.value for v in variables],
            momentum,
            is_donated(),
        )
        for slot, new in zip(slots, averages, strict=True):
            slot.assign(new)
        every = self.ema_overwrite_frequency
        if every:
            count = ops.add(self.iterations, 1)
            due = ops.equal(ops.mod(count, every), 0)
            for slot, v in zip(slots, variables, strict=True):
                v.assign(ops.where(due, slot.value, v.value))

    def finalize_variable_values(self, var_list: Sequence[Variable] | None) -> None:
        """Set variables to their moving averages, at the end of training.

        Args:
            var_list: Variables the optimizer was built for; None means all of them.
        """
        if not self.use_ema:
            return
        variables = self._variables_of_step(var_list)
        for variable in variables:
            average = self._averages[self._index[id(variable)]]
            if average is not None:
                # Two variables that share one tensor would break in-place updates.
                variable.assign(ops.copy(average.value))
