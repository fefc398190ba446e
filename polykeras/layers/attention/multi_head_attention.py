"""`MultiHeadAttention`: several attentions side by side, each with projections."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._sizes import positive
from polykeras.layers.attention._masks import (
    all_of,
    automatic_mask,
    masked_softmax,
    spread,
)
from polykeras.layers.attention._projections import ProjectedAttention
from polykeras.layers.core.einsum_dense import EinsumDense
from polykeras.registry import public

__all__ = ["MultiHeadAttention"]

Shape = tuple[int | None, ...]
_SEQUENCE_AXES = 3


@public
class MultiHeadAttention(ProjectedAttention):
    """Average projected values by how well projected keys fit projected queries.

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head for queries and keys.
        value_dim: Size of each head for values; None means `key_dim`.
        dropout: Share of the weights that is set to 0 in training.
        use_bias: Whether projections have a bias.
        output_shape: Last sizes of the outputs; None means those of the queries.
        attention_axes: Axes to attend over; None means all but batch and features.
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
        ArgumentError: If a size or rate is out of range.

    Reference: Vaswani et al., 2017, "Attention Is All You Need", section 3.2.2.

    >>> import polykeras as keras
    >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    >>> query, value = keras.ops.ones((2, 5, 8)), keras.ops.ones((2, 7, 4))
    >>> y, weights = layer(query, value, return_attention_scores=True)
    >>> y.shape, weights.shape
    ((2, 5, 8), (2, 2, 5, 7))
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        kind = type(self).__name__
        self.num_heads = positive(kind, "num_heads", num_heads)
        self.key_dim = positive(kind, "key_dim", key_dim)
        self.value_dim = positive(kind, "value_dim", value_dim or key_dim)
        self._output_shape = _ints("output_shape", output_shape)
        for n in self._output_shape or ():
            positive("MultiHeadAttention", "output_shape", n)
        self.attention_axes = _ints("attention_axes", attention_axes)

    def build(  # type: ignore[override]  # Keras names the shapes
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        """Make the projections.

        Raises:
            ShapeError: If key and value differ in more than the last axis.
        """
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(key_shape[1:-1]) != tuple(value_shape[1:-1]):
            raise ShapeError(
                "MultiHeadAttention needs key and value of equal sizes but for the "
                f"last axis, got key {tuple(key_shape)} and value {tuple(value_shape)}."
            )
        heads, rank = self.num_heads, len(query_shape)
        self.query_dense = self._into_heads("query", query_shape, self.key_dim)
        self.key_dense = self._into_heads("key", key_shape, self.key_dim)
        if self.use_gate:
            self._gate_dense = self._into_heads(
                "gate", query_shape, self.value_dim, activation="sigmoid"
            )
        self.value_dense = self._into_heads("value", value_shape, self.value_dim)
        axes = self.attention_axes
        self.attention_axes = (
            tuple(range(1, rank - 1))
            if axes is None
            else tuple(a if a >= 0 else rank + a for a in axes)
        )
        self._scores_formula, self._averages_formula = _formulas(
            rank, self.attention_axes
        )
        free = string.ascii_lowercase[: rank - 1]
        last = string.ascii_uppercase[: len(self._output_shape or (0,))]
        self.output_dense = self._projection(
            "attention_output",
            f"{free}yz,yz{last}->{free}{last}",
            (*(None,) * (rank - 2), *(self._output_shape or (query_shape[-1],))),
            last,
        )
        self.output_dense.build((*query_shape[:-1], heads, self.value_dim))

    def _into_heads(
        self, name: str, shape: Shape, size: int, activation: Any = None
    ) -> EinsumDense:
        free = string.ascii_lowercase[: len(shape) - 1]
        layer = self._projection(
            name,
            f"{free}x,xyz->{free}yz",
            (*(None,) * (len(shape) - 2), self.num_heads, size),
            "yz",
            activation,
        )
        layer.build(shape)
        return layer

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Attend.

        Args:
            query: ``(B, T, ..., features)``.
            value: ``(B, S, ..., features)``.
            key: Like `value` but for the last size; None means `value`.
            query_mask: ``(B, T)`` or None.
            value_mask: ``(B, S)``, False where a value is hidden, or None.
            key_mask: Likewise for keys.
            attention_mask: ``(B, T, S)`` or ``(B, heads, T, S)``, False where a
                query may not see a key, or None.
            return_attention_scores: Whether to return the weights too.
            training: Whether dropout is active.
            use_causal_mask: Whether query t sees keys up to t only.

        Returns:
            ``(B, T, ..., features)``, and the weights ``(B, heads, T, S)`` if asked
            for. A query that may see nothing sees everything alike.
        """
        key = value if key is None else key
        # Backends have kernels that need no mask to be causal.
        lone = all(
            x is None
            for x in (
                *(query_mask, value_mask, key_mask),
                *(attention_mask, self.sliding_window),
            )
        )
        fused = (
            len(query.shape) == _SEQUENCE_AXES == len(value.shape)
            and not return_attention_scores
            and not self._drops(training)
        )
        causal = use_causal_mask and lone and fused
        automatic = automatic_mask(
            query,
            value,
            query_mask,
            value_mask,
            key_mask,
            use_causal_mask=use_causal_mask and not causal,
            sliding_window=self.sliding_window,
        )
        attended = len(self.attention_axes or ())
        allowed = all_of(
            spread(mask, len(query.shape) + attended, attended)
            for mask in (automatic, attention_mask)
        )
        q, k = self.query_dense(query), self.key_dense(key)
        v = self.value_dense(value)
        weights = None
        if fused:
            averages = ops.dot_product_attention(
                *(q, k, v),
                mask=allowed,
                scale=1.0 / math.sqrt(self.key_dim),
                is_causal=causal,
                flash_attention=self.flash_attention,
            )
        else:
            averages, weights = self._attend(q, k, v, allowed, training)
        if self.use_gate:
            averages = ops.multiply(averages, self._gate_dense(query))
        outputs = self.output_dense(averages)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None,
        training: bool | None,
    ) -> tuple[Tensor, Tensor]:
        """Return averages and weights where no fused kernel fits."""
        scores = ops.einsum(
            self._scores_formula, k, ops.multiply(q, 1.0 / math.sqrt(self.key_dim))
        )
        axes = tuple(range(-len(self.attention_axes or ()), 0))
        weights = masked_softmax(scores, mask, axes)
        used = weights
        if self._drops(training):
            used = random.dropout(weights, self.dropout, seed=self.seed_generator)
        return ops.einsum(self._averages_formula, used, v), weights

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self.attention_axes,
        }


def _ints(name: str, value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    found = (value,) if isinstance(value, int) else tuple(value)
    if not found or not all(isinstance(n, int) for n in found):
        raise ArgumentError(
            f"MultiHeadAttention needs {name} as an int or some of them, got {value!r}."
        )
    return found


def _formulas(rank: int, attended: tuple[int, ...]) -> tuple[str, str]:
    """Return the sums for scores and averages of projections with `rank` + 1 axes."""
    letters = string.ascii_lowercase[: rank - 1]
    queries = letters
    keys = "".join(c.upper() if i in attended else c for i, c in enumerate(letters))
    batch = "".join(c for i, c in enumerate(letters) if i not in attended)
    over = "".join(letters[a] for a in attended)
    scores = f"{batch}y{over}{over.upper()}"
    return f"{keys}yz,{queries}yz->{scores}", f"{scores},{keys}yz->{queries}yz"
