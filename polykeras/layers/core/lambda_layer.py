"""`Lambda`: any function of tensors as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from polykeras.errors import ArgumentError, PolykerasError, nearest
from polykeras.layers.layer import Layer
from polykeras.registry import (
    deserialize_keras_object,
    find_object,
    get_registered_name,
    get_registered_object,
    public,
    serialize_keras_object,
)
from polykeras.symbolic import KerasTensor

__all__ = ["Lambda"]


@public
class Lambda(Layer):
    """Apply a function that has no weights of its own.

    A saved model holds the function's registered name and never its code. So a
    model with a lambda trains, but cannot be saved: register a named function, or
    write a subclass of `Layer`.

    Args:
        function: Takes the inputs, and `mask` and `training` if it names them.
        output_shape: Shape of the outputs without the batch axis, or a function of
            the input shape. None finds it out from the function.
        mask: The mask of the outputs, or a function of inputs and mask.
        arguments: Further keyword arguments of the function.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `function` cannot be called.

    >>> import polykeras as keras
    >>> keras.layers.Lambda(lambda x: x**2)([1.0, 2.0, 3.0]).tolist()
    [1.0, 4.0, 9.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(
                f"Lambda expected a function, got {function!r} of type "
                f"{type(function).__name__}."
            )
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        accepted = inspect.signature(function).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
            for name in self.arguments:
                if name not in accepted:
                    raise ArgumentError(
                        f"Lambda got {name!r} in arguments, which its function does "
                        f"not take. {nearest(name, accepted)}"
                    )
        self._passes_mask = "mask" in accepted
        self._passes_training = "training" in accepted

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Return what the function returns."""
        named = dict(self.arguments)
        if self._passes_mask:
            named["mask"] = mask
        if self._passes_training:
            named["training"] = training
        return self.function(inputs, **named)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape that the user stated, or the one of the function."""
        if self._output_shape is None:
            return super().compute_output_spec(*args, **kwargs)
        given = args[0]
        first = given[0] if isinstance(given, list | tuple) else given
        if callable(self._output_shape):
            shapes = (
                [x.shape for x in given] if isinstance(given, list) else first.shape
            )
            return KerasTensor(tuple(self._output_shape(shapes)), self.compute_dtype)
        shape = (first.shape[0], *self._output_shape)
        return KerasTensor(shape, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask that the user gave; the inputs' own ends here."""
        if callable(self.mask):
            return self.mask(inputs, previous_mask)
        return self.mask

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Raises:
            PolykerasError: If a function is not registered.
        """
        return {
            **super().get_config(),
            "function": self._named("function", self.function),
            "output_shape": self._named("output_shape", self._output_shape),
            "mask": self._named("mask", self.mask),
            "arguments": serialize_keras_object(self.arguments),
        }

    def _named(self, argument: str, value: Any) -> Any:
        """Return data for a value, and for a function its registered name."""
        if not inspect.isroutine(value):
            return serialize_keras_object(value)
        try:
            known = find_object(get_registered_name(value)) is value
        except ArgumentError:
            known = False
        if known:
            return serialize_keras_object(value)
        raise PolykerasError(
            f"The Lambda layer {self.name!r} cannot be saved: its {argument} "
            f"{value.__name__!r} is code that no registered name stands for. Define a "
            "named function decorated with "
            "@keras.saving.register_keras_serializable(), or write a Layer subclass."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        """Return the layer of a config, with functions found by name.

        Args:
            config: Where it holds code in place of a name, the function comes from
                the custom objects, under the layer's name.

        Raises:
            UnsafeFileError: If the config holds code and there is no such function.
        """
        config = dict(config)
        if _is_code(config.get("function")):
            found = get_registered_object(str(config.get("name")))
            config["function"] = found or {"class_name": "__lambda__"}
        for key in ("function", "output_shape", "mask", "arguments"):
            if key in config and not callable(config[key]):
                config[key] = deserialize_keras_object(config[key])
        if isinstance(config.get("function"), str):
            config["function"] = find_object(config["function"])
        return cls(**config)


def _is_code(value: Any) -> bool:
    """Return whether a config describes a function by its code, as Keras 2 and 3 do."""
    if isinstance(value, list):
        return True
    return isinstance(value, dict) and value.get("class_name") == "__lambda__"
