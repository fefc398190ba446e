"""An optimizer's state and arguments as data."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from polykeras.errors import ArgumentError, PolykerasError
from polykeras.naming import describe
from polykeras.optimizers._learning_rate import rate_config
from polykeras.state import StateScope

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Saving"]


class Saving:
    """Reads and writes the state, and the arguments of the constructor."""

    name: str
    built: bool
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    _learning_rate: Any
    _trainable_variables: list[Variable]

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own variables."""
        raise NotImplementedError

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Take a step."""
        raise NotImplementedError

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Tensor],
        grads: Sequence[Tensor],
        trainable_variables: Sequence[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the results of a step without changing any variable.

        Args:
            optimizer_variables: Values for `variables`.
            grads: Gradients of all variables the optimizer was built for.
            trainable_variables: Values of those variables.

        Returns:
            New values of the trainable variables, and of `variables`.

        Raises:
            ArgumentError: If the optimizer is not built, or numbers differ.
        """
        if not self.built:
            raise ArgumentError(
                "stateless_apply needs an optimizer that is built: call "
                "build(variables) first."
            )
        own, model = self.variables, self._trainable_variables
        for what, given, expected in (
            ("optimizer_variables", optimizer_variables, own),
            ("trainable_variables", trainable_variables, model),
        ):
            if len(given) != len(expected):
                raise ArgumentError(
                    f"{what} must hold {len(expected)} tensors, got {len(given)}."
                )
        values = [*trainable_variables, *optimizer_variables]
        with StateScope([*model, *own], values, sealed=True)() as scope:
            self.apply(grads, model)
            new = [scope.values[id(v)] for v in (*model, *own)]
        return new[: len(model)], new[len(model) :]

    # -- saving ----------------------------------------------------------------

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the values of `variables` to a store, by number."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read the values of `variables` from a store.

        Raises:
            PolykerasError: If their number differs; nothing changes then.
        """
        if len(store) != len(self.variables):
            hint = "" if self.built else " The optimizer is not built yet."
            raise PolykerasError(
                f"The optimizer {self.name!r} has {len(self.variables)} variables, "
                f"but {len(store)} were saved.{hint} Use the same class, arguments "
                "and model as when saving."
            )
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`.

        Raises:
            ArgumentError: If their number differs.
        """
        if len(weights) != len(self.variables):
            raise ArgumentError(
                f"Expected {len(self.variables)} values, got {len(weights)}."
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "name": self.name,
            "learning_rate": rate_config(self._learning_rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    def __repr__(self) -> str:
        rate = self._learning_rate
        shown = float(rate.numpy()) if hasattr(rate, "numpy") else rate
        return describe(self, {"name": self.name, "learning_rate": shown})

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make an optimizer from what `get_config` returned.

        Args:
            config: The arguments.
            custom_objects: Names that the config may use.
        """
        from polykeras.registry import deserialize_keras_object

        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(
                config["learning_rate"], custom_objects
            )
        return cls(**config)
