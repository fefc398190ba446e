"""`Operation`: a function of tensors that can stand in a functional model."""

from __future__ import annotations

from typing import Any

from polykeras.naming import auto_name
from polykeras.symbolic._inference import infer
from polykeras.symbolic._keras_tensor import any_symbolic
from polykeras.symbolic._node import Node

__all__ = ["Operation"]


class Operation:
    """A function of tensors without variables; subclasses define `call`.

    Args:
        name: A name.

    >>> import polykeras as keras
    >>> class Twice(keras.Operation):
    ...     def call(self, x):
    ...         return 2 * x
    >>> Twice()(keras.Input((3,))).shape
    (None, 3)
    """

    def __init__(self, name: str | None = None) -> None:
        """Take or make a name."""
        self.name = name or auto_name(type(self))
        self._inbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs, or record the call on symbolic tensors."""
        if any_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; every subclass overrides it."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define call(), which computes its outputs."
        )

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic outputs for symbolic inputs, running nothing."""
        return infer(self.call, args, kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the call on symbolic tensors and return symbolic outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        self._inbound_nodes.append(Node(self, args, kwargs, outputs))
        return outputs

    @property
    def input(self) -> Any:
        """The symbolic input of the first symbolic call."""
        args = self._first_node().args
        return args[0] if len(args) == 1 else list(args)

    @property
    def output(self) -> Any:
        """The symbolic output of the first symbolic call."""
        outputs = self._first_node().outputs
        return outputs[0] if len(outputs) == 1 else outputs

    def _first_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"{self.name!r} has never been called on symbolic tensors, so it has "
                "no defined input or output."
            )
        return self._inbound_nodes[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; subclasses add their own."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the operation of a config."""
        return cls(**config)
