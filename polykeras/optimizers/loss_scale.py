"""`LossScaleOptimizer`: a loss scale that adapts, for 16-bit gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from polykeras import ops
from polykeras.errors import ArgumentError
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public, serialize_keras_object

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["LossScaleOptimizer"]


@public
class LossScaleOptimizer(Optimizer):
    """Scales the loss so that small float16 gradients do not vanish.

    The scale doubles after `dynamic_growth_steps` steps with finite gradients. A
    step whose gradients are not finite is left out, and halves the scale.

    Args:
        inner_optimizer: The optimizer that takes the steps.
        initial_scale: The first scale.
        dynamic_growth_steps: Steps between two attempts to double the scale.
        name: The optimizer's name.
        kwargs: None are known.

    Raises:
        ArgumentError: If `inner_optimizer` scales the loss itself.

    Reference: Micikevicius et al., 2018, "Mixed precision training", section 3.2.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentError(
                "LossScaleOptimizer needs an optimizer as inner_optimizer, "
                f"got {inner_optimizer!r} ({type(inner_optimizer).__name__})."
            )
        if inner_optimizer.loss_scale_factor is not None:
            raise ArgumentError(
                "LossScaleOptimizer chooses the scale; its inner optimizer must have "
                "loss_scale_factor=None."
            )
        self.inner_optimizer = inner_optimizer
        # Keras' files hold this unused rate.
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), initializer=initial_scale, dtype="float32", name="dynamic_scale"
        )

    def build(self, variables: Sequence[Variable]) -> None:
        """Build the inner optimizer."""
        super().build(variables)
        self.inner_optimizer.build(variables)

    @property
    def variables(self) -> list[Variable]:
        """The scale's variables and those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """The number of steps the inner optimizer took."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Return the loss times the current scale."""
        scale = ops.cast(self.dynamic_scale.value, ops.dtype(loss))
        return ops.multiply(loss, scale)

    def _step(self, grads: list[Tensor], variables: list[Variable]) -> None:
        scale = self.dynamic_scale.value
        finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in grads]))
        grads = [ops.divide(g, ops.cast(scale, ops.dtype(g))) for g in grads]
        self._when(finite, lambda: self.inner_optimizer.apply(grads, variables))
        count = ops.add(self.step_counter.value, 1)
        grown = ops.equal(count, self.dynamic_growth_steps)
        zero = ops.zeros_like(count)
        self.step_counter.assign(
            ops.where(ops.logical_and(finite, ops.logical_not(grown)), count, zero)
        )
        larger = ops.where(grown, ops.multiply(scale, 2.0), scale)
        # A scale of infinity would never come back.
        larger = ops.where(ops.isfinite(larger), larger, scale)
        self.dynamic_scale.assign(ops.where(finite, larger, ops.multiply(scale, 0.5)))

    def finalize_variable_values(self, var_list: Sequence[Variable] | None) -> None:
        """Finish with the inner optimizer."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make an optimizer from what `get_config` returned."""
        from polykeras.registry import deserialize_keras_object

        config = dict(config)
        inner = deserialize_keras_object(config.pop("inner_optimizer"), custom_objects)
        return cls(inner, **config)
