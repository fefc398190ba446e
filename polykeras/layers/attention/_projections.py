"""The part that attention layers with projections share."""

from __future__ import annotations

from typing import Any

from polykeras import constraints, initializers, random, regularizers
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import positive
from polykeras.layers.core.einsum_dense import EinsumDense
from polykeras.layers.layer import Layer

__all__ = ["ProjectedAttention"]


class ProjectedAttention(Layer):
    """Attention between projections of queries, keys and values.

    Args:
        dropout: Share of the weights that is set to 0 in training.
        use_bias: Whether projections have a bias.
        sliding_window: Queries see keys less than this far away; None means all.
        flash_attention: A wish that changes no result; backends choose themselves.
        kernel_initializer: Makes the kernels of the projections.
        bias_initializer: Makes their biases.
        kernel_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        use_gate: Whether averages are multiplied by a sigmoid of the queries.
        seed: Of the dropout.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If a rate or size is out of range.
    """

    def __init__(
        self,
        *,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        if not 0 <= dropout < 1:
            raise ArgumentError(f"{kind} needs 0 <= dropout < 1, got {dropout!r}.")
        if sliding_window is not None:
            positive(kind, "sliding_window", sliding_window)
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.sliding_window = sliding_window
        self.flash_attention = flash_attention
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.seed = seed
        self.supports_masking = True
        if dropout:
            self.seed_generator = random.SeedGenerator(seed)

    def _projection(
        self,
        name: str,
        equation: str,
        output_shape: tuple[int | None, ...],
        bias_axes: str,
        activation: Any = None,
    ) -> EinsumDense:
        """Return a layer that projects, not yet built."""
        return EinsumDense(
            equation,
            output_shape,
            activation=activation,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=_fresh(self.kernel_initializer),
            bias_initializer=_fresh(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the query, for the averages only."""
        return None if previous_mask is None else [previous_mask]

    def _drops(self, training: bool | None) -> bool:
        return bool(training) and self.dropout > 0

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that all such layers have."""
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }


def _fresh(initializer: Any) -> Any:
    """Return a copy with its own seed: projections must not begin equal."""
    if not hasattr(initializer, "get_config"):
        return initializer
    return type(initializer).from_config(initializer.get_config())
