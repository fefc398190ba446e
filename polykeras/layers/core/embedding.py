"""`Embedding`: a vector for each integer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from polykeras import constraints, dtypes, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.layers._sizes import positive
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Embedding"]


@public
class Embedding(Layer):
    """Replace integers by vectors that are learned.

    Args:
        input_dim: Number of vectors; inputs lie in ``range(input_dim)``.
        output_dim: Length of a vector.
        embeddings_initializer: Makes the vectors, shape ``(input_dim, output_dim)``.
        embeddings_regularizer: Adds to the loss.
        embeddings_constraint: Applied after updates.
        mask_zero: Whether 0 means that a step is absent; layers that follow and
            support masks then skip it.
        weights: The first values: an array, or a list that holds one.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If a size is not a positive integer.

    >>> import polykeras as keras
    >>> layer = keras.layers.Embedding(1000, 64)
    >>> layer(keras.ops.array([[4, 20], [7, 0]])).shape
    (2, 2, 64)
    """

    _keras_only: ClassVar[Mapping[str, Any]] = {"quantization_config": None}

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration; `input_length` of Keras 2 is ignored."""
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        self.input_dim = positive("Embedding", "input_dim", input_dim)
        self.output_dim = positive("Embedding", "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        # Indices that arrive as floats must not be rounded to a 16-bit dtype.
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(
                weights if isinstance(weights, list | tuple) else [weights]
            )

    def build(self, input_shape: Any = None) -> None:
        """Make the vectors, whatever the shape of the inputs."""
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of shape ``inputs.shape + (output_dim,)``."""
        inputs = ops.convert_to_tensor(inputs)
        if not dtypes.is_integer(ops.dtype(inputs)):
            inputs = ops.cast(inputs, "int32")
        table = ops.cast(self.embeddings, self.compute_dtype)
        return ops.take(table, inputs, axis=0)

    def compute_mask(self, inputs: Tensor, previous_mask: Any = None) -> Tensor | None:
        """Return where `inputs` are not 0, or None without `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(
                self.embeddings_initializer
            ),
            "embeddings_regularizer": regularizers.serialize(
                self.embeddings_regularizer
            ),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
