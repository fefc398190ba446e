"""`Optimizer`: what all update rules share."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from polykeras import naming, ops
from polykeras.arguments import CheckedArguments
from polykeras.backend import current_backend, engine_scope
from polykeras.errors import ArgumentError
from polykeras.ops.updates import (
    as_scalar,
    bias_correction,
    clip_by_global_norm,
    clip_by_norm,
    decay_update,
    wide,
)
from polykeras.optimizers._accumulation import Accumulation
from polykeras.optimizers._averages import Averages
from polykeras.optimizers._checks import (
    check_arguments,
    check_shares,
    checked_gradients,
)
from polykeras.optimizers._learning_rate import (
    OldRateName,
    current_rate,
    legacy_rate,
    rate_source,
)
from polykeras.optimizers._saving import Saving
from polykeras.optimizers._weight_decay import DecayFilter
from polykeras.registry import public
from polykeras.state import is_donated
from polykeras.variables import Variable, autocast_scope

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["Optimizer"]


@public
class Optimizer(Averages, Accumulation, Saving, OldRateName, CheckedArguments):
    """The base class of optimizers.

    An own rule needs `update_step`, which sees one variable at a time; its slots
    are made in `build`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        weight_decay: Share of each variable, times the learning rate, subtracted
            before each step; None for no decay.
        clipnorm: Largest Euclidean norm of each gradient.
        clipvalue: Largest absolute value in any gradient.
        global_clipnorm: Largest joint norm of all gradients.
        use_ema: Whether to keep moving averages of the variables.
        ema_momentum: The share of the average kept at each step.
        ema_overwrite_frequency: Copy the averages to the variables every so many
            steps; None means only in `finalize_variable_values`.
        loss_scale_factor: Factor on the loss, divided out of the gradients.
        gradient_accumulation_steps: Average so many gradients before each step.
        name: The optimizer's name.
        kwargs: ``lr``, the old spelling of `learning_rate`.

    Raises:
        ArgumentError: If arguments contradict each other.

    >>> import polykeras as keras
    >>> class Descent(keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * gradient)
    >>> v = keras.Variable(1.0, name="v")
    >>> Descent(0.5).apply([keras.ops.ones(())], [v])
    >>> float(v)
    0.5
    """

    _tracked_as = "optimizer"

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check the arguments and make the step counter and the learning rate."""
        learning_rate = legacy_rate(learning_rate, kwargs, type(self))
        self.name = name or naming.auto_name(type(self))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        check_arguments(self)
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._decay_filter = DecayFilter()
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._iterations.aggregation = "only_first_replica"
        self._learning_rate = rate_source(learning_rate, self.name)
        if isinstance(self._learning_rate, Variable):
            self._variables.append(self._learning_rate)

    # -- variables -------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a `Variable`, or what a schedule gives for this step.

        Assign a number, a schedule or a function to change it.
        """
        return current_rate(self._learning_rate, self._iterations)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        own = self._learning_rate
        if isinstance(own, Variable) and not callable(value):
            own.assign(value)
            return
        source = rate_source(value, self.name)
        if isinstance(own, Variable):
            self._variables = [v for v in self._variables if v is not own]
        if isinstance(source, Variable):
            self._variables.insert(1, source)
        self._learning_rate = source

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these variables.

        Args:
            variables: All variables that will be optimized.
        """
        check_shares(self)
        variables = list(variables)
        self._make_averages(variables)
        self._make_accumulators(variables)
        self._trainable_variables = variables
        self._index = {id(v): i for i, v in enumerate(variables)}
        self.built = True

    def build_for(self, variables: Sequence[Variable]) -> None:
        """Make the slots on the backend of these variables, whichever is active.

        Args:
            variables: All variables that will be optimized.
        """
        backend = variables[0].backend if variables else current_backend()
        for variable in self.variables:
            if variable.backend is not backend:
                value = variable.numpy()
                variable.backend = backend
                variable.bind(backend.from_numpy(value, variable.dtype))
        if current_backend() is backend:
            self.build(variables)
            return
        with engine_scope(backend):
            self.build(variables)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        for name, value in vars(self).items():
            setattr(new, name, copy.deepcopy(value, memo))
        # The copies of the variables have other identities.
        new._index = {id(v): i for i, v in enumerate(new._trainable_variables)}
        return new

    # -- one step --------------------------------------------------------------

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Tensor | None, Variable]]
    ) -> Variable:
        """Take a step.

        Args:
            grads_and_vars: Pairs of a gradient and its variable.

        Returns:
            The step counter.
        """
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(
        self,
        grads: Sequence[Tensor | None],
        trainable_variables: Sequence[Variable] | None = None,
    ) -> None:
        """Take a step.

        Args:
            grads: One gradient for each variable; None where there is none.
            trainable_variables: The variables; None means those of `build`.

        Raises:
            ArgumentError: If the optimizer was built for other variables, if the
                numbers differ, or if no variable has a gradient.
            ShapeError: If a gradient has another shape than its variable.
        """
        grads = list(grads)
        variables = self._variables_of_step(trainable_variables)
        if len(grads) != len(variables):
            raise ArgumentError(
                f"Expected one gradient for each of {len(variables)} variables, got "
                f"{len(grads)} gradients."
            )
        if not grads:
            return
        with autocast_scope(None):
            kept = checked_gradients(grads, variables, self.loss_scale_factor)
            if self.gradient_accumulation_steps:
                self._accumulate(*kept)
            else:
                self._step(*kept)
            if self.use_ema:
                self._update_averages()
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable.value))
            self._iterations.replace(ops.add(self._iterations.value, 1))

    def _variables_of_step(
        self, variables: Sequence[Variable] | None
    ) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise ArgumentError(
                    f"The optimizer {self.name!r} does not know its variables. Pass "
                    "trainable_variables, or call build(variables) first."
                )
            return self._trainable_variables
        variables = list(variables)
        if not self.built and variables:
            self.build_for(variables)
        foreign = [v.path for v in variables if id(v) not in self._index]
        if foreign:
            raise ArgumentError(
                f"The optimizer {self.name!r} was built for "
                f"{len(self._trainable_variables)} variables that do not include "
                f"{foreign[:3]}. An optimizer keeps slots for the variables of one "
                "model: make a new one with "
                f"{type(self).__name__}.from_config(optimizer.get_config()), or call "
                "build() with all variables before the first step."
            )
        return variables

    def _step(self, grads: list[Tensor], variables: list[Variable]) -> None:
        grads, variables = self._overwrite(grads, variables)
        if not variables:
            return
        grads = self._clipped(grads)
        rate = self._current_rate()
        self._decay(variables, rate)
        self.update_variables(grads, variables, rate)

    def _current_rate(self) -> Any:
        rate = self.learning_rate
        return rate.value if isinstance(rate, Variable) else rate

    def _overwrite(
        self, grads: list[Tensor], variables: list[Variable]
    ) -> tuple[list[Tensor], list[Variable]]:
        """Assign gradients that are values (of statistics) rather than slopes."""
        if not any(v.overwrite_with_gradient for v in variables):
            return grads, variables
        rest = []
        for g, v in zip(grads, variables, strict=True):
            if v.overwrite_with_gradient:
                v.assign(g)
            else:
                rest.append((g, v))
        return [g for g, _ in rest], [v for _, v in rest]

    def _clipped(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipnorm is not None:
            return clip_by_norm(grads, self.clipnorm)
        if self.global_clipnorm is not None:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        self._decay_by(variables, rate, self.weight_decay)

    def _decay_by(
        self, variables: list[Variable], rate: Any, weight_decay: float | None
    ) -> None:
        chosen = [v for v in variables if self._decay_filter.applies(v)]
        if weight_decay is None or not chosen:
            return
        share = ops.multiply(rate, weight_decay)
        values = [v.value for v in chosen]
        for v, new in zip(
            chosen, decay_update(values, share, is_donated()), strict=True
        ):
            v.assign(new)

    def update_variables(
        self, grads: list[Tensor], variables: list[Variable], learning_rate: Any
    ) -> None:
        """Update all variables: by default, `update_step` for each.

        Args:
            grads: One gradient a variable, clipped, in the variable's dtype.
            variables: The variables.
            learning_rate: A scalar.
        """
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable; own rules override this.

        Args:
            gradient: Of the shape and dtype of `variable`.
            variable: The variable to assign.
            learning_rate: A scalar.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override "
            "update_step(gradient, variable, learning_rate)."
        )

    # -- for rules -------------------------------------------------------------

    def _rate(self, learning_rate: Any, variable: Variable) -> Any:
        """Return the learning rate in the dtype of a variable."""
        return as_scalar(learning_rate, variable.dtype)

    def _bias_correction(self, beta: float, variable: Variable) -> Any:
        """Return ``1 - beta**step`` in the dtype of a variable."""
        step = ops.cast(ops.add(self.iterations, 1), wide(variable.dtype))
        correction = bias_correction(beta, step)
        return as_scalar(correction, variable.dtype)

    @staticmethod
    def _toward(mean: Tensor, value: Tensor, beta: float) -> Tensor:
        """Return a running mean after one more value."""
        return ops.add(mean, ops.multiply(ops.subtract(value, mean), 1 - beta))

    def assign(self, variable: Variable, value: Tensor) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Tensor) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Tensor) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Let some variables not decay; to be called before the first step.

        Args:
            var_list: Variables.
            var_names: Patterns; a variable is meant if its name matches one.

        Raises:
            ArgumentError: If the optimizer is built.
        """
        if self.built:
            raise ArgumentError(
                "exclude_from_weight_decay must be called before the optimizer is "
                "built, that is before the first step."
            )
        self._decay_filter.exclude(var_list, var_names)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Return the loss times `loss_scale_factor`, if one is set."""
        if self.loss_scale_factor is None:
            return loss
        return ops.multiply(loss, self.loss_scale_factor)
