"""`EinsumDense`: a dense layer over chosen axes, written as a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from polykeras import activations, constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["EinsumDense"]

Shape = tuple[int | None, ...]
_FORMULA = re.compile(
    r"(\.{3})?([a-zA-Z]+)(\.{3})?,([a-zA-Z]+)->(\.{3})?([a-zA-Z]+)(\.{3})?"
)


@public
class EinsumDense(Layer):
    """Compute ``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: Such as ``"abc,cd->abd"``; ``...`` may lead or end both the inputs
            and the outputs.
        output_shape: Sizes of the outputs without the batch axis and without what
            ``...`` stands for; None where the inputs tell the size.
        activation: A name or function; None means linear.
        bias_axes: Letters of the outputs that the bias has; None means no bias.
        kernel_initializer: Makes the kernel.
        bias_initializer: Makes the bias.
        kernel_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If the equation cannot be read.

    >>> import polykeras as keras
    >>> layer = keras.layers.EinsumDense("abc,cd->abd", (None, 64), bias_axes="d")
    >>> layer(keras.ops.ones((2, 32, 128))).shape
    (2, 32, 64)
    """

    _keras_only: ClassVar[Mapping[str, Any]] = {"quantization_config": None}

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.equation = equation
        self._formula = _parse(equation)
        self.partial_output_shape: Shape = (
            (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        )
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Shape) -> None:
        """Make kernel and bias for the sizes that the letters stand for."""
        formula = self._formula
        sizes = self._sizes(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=tuple(self._size(sizes, c) for c in formula.kernel),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_axes:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(sizes, len(input_shape) - len(formula.inputs)),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _sizes(self, input_shape: Shape) -> dict[str, int | None]:
        """Return the size of each letter of inputs and outputs."""
        formula, letters = self._formula, self._formula.inputs
        free = len(input_shape) - len(letters)
        if free < 0 or (free and not formula.elides):
            raise ShapeError(
                f"EinsumDense {self.equation!r} expected inputs with "
                f"{'at least ' if formula.elides else ''}{len(letters)} axes, got "
                f"shape {tuple(input_shape)}."
            )
        start = free if formula.elides == "left" else 0
        sizes = dict(zip(letters, input_shape[start:], strict=False))
        outputs = formula.outputs if formula.elides == "left" else formula.outputs[1:]
        if len(self.partial_output_shape) != len(outputs):
            raise ArgumentError(
                f"EinsumDense {self.equation!r} expected an output_shape of "
                f"{len(outputs)} sizes, one for each of {outputs!r}, got "
                f"{self.partial_output_shape}."
            )
        for letter, n in zip(outputs, self.partial_output_shape, strict=True):
            known = sizes.get(letter)
            if n is not None and known is not None and n != known:
                raise ShapeError(
                    f"EinsumDense {self.equation!r} got output_shape "
                    f"{self.partial_output_shape}, where {letter!r} is {n}, but inputs "
                    f"of shape {tuple(input_shape)}, where it is {known}."
                )
            sizes[letter] = known if n is None else n
        return sizes

    def _size(self, sizes: Mapping[str, int | None], letter: str) -> int:
        size = sizes.get(letter)
        if size is None:
            raise ShapeError(
                f"EinsumDense {self.equation!r} needs the size of {letter!r} to make "
                "its weights, but neither inputs nor output_shape "
                f"{self.partial_output_shape} tell it."
            )
        return size

    def _bias_shape(
        self, sizes: Mapping[str, int | None], free: int
    ) -> tuple[int, ...]:
        wanted, outputs = str(self.bias_axes), self._formula.outputs
        unknown = [c for c in wanted if c not in outputs]
        if unknown:
            raise ArgumentError(
                f"EinsumDense got bias_axes {wanted!r}, but {unknown[0]!r} is not "
                f"among the axes {outputs!r} of the outputs."
            )
        first = min(outputs.index(c) for c in wanted)
        shape = [self._size(sizes, c) if c in wanted else 1 for c in outputs[first:]]
        after = free if self._formula.elides == "right" else 0
        return (*shape, *(1,) * after)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return a tensor with the axes of the equation's outputs."""
        x = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class _Formula(NamedTuple):
    inputs: str
    kernel: str
    outputs: str
    elides: str  # Where "..." stands: "left", "right" or "" for nowhere.


def _parse(equation: str) -> _Formula:
    found = _FORMULA.fullmatch(equation.replace(" ", ""))
    if found is not None:
        left, inputs, right, kernel, out_left, outputs, out_right = found.groups()
        if (left, right) == (out_left, out_right) and not (left and right):
            elides = "left" if left else "right" if right else ""
            return _Formula(inputs, kernel, outputs, elides)
    raise ArgumentError(
        f"EinsumDense cannot read the equation {equation!r}. It has the form "
        "'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'."
    )
