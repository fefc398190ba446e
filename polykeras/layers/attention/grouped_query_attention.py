"""`GroupedQueryAttention`: attention whose heads share keys and values in groups."""

from __future__ import annotations

import math
from typing import Any

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import positive
from polykeras.layers.attention._masks import (
    all_of,
    automatic_mask,
    masked_softmax,
    spread,
)
from polykeras.layers.attention._projections import ProjectedAttention
from polykeras.registry import public

__all__ = ["GroupedQueryAttention"]

Shape = tuple[int | None, ...]
_SCORE_AXES = 4


@public
class GroupedQueryAttention(ProjectedAttention):
    """Attend like `MultiHeadAttention`, with fewer heads for keys and values.

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of heads for queries.
        num_key_value_heads: Number of heads for keys and values, which divides that.
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
        ArgumentError: If the numbers of heads do not divide, or a size or rate is out
            of range.

    Reference: Ainslie et al., 2023, "GQA: Training Generalized Multi-Query Transformer
    Models from Multi-Head Checkpoints".

    >>> import polykeras as keras
    >>> layer = keras.layers.GroupQueryAttention(3, 4, 2)
    >>> layer(keras.ops.ones((2, 5, 8)), keras.ops.ones((2, 7, 6))).shape
    (2, 5, 8)
    """

    _name_in_files = "GroupQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
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
        self.head_dim = positive(kind, "head_dim", head_dim)
        self.num_query_heads = positive(kind, "num_query_heads", num_query_heads)
        self.num_key_value_heads = positive(
            kind, "num_key_value_heads", num_key_value_heads
        )
        if num_query_heads % num_key_value_heads:
            raise ArgumentError(
                f"{kind} needs num_key_value_heads to divide num_query_heads, got "
                f"{num_key_value_heads} and {num_query_heads}."
            )
        self.num_repeats = num_query_heads // num_key_value_heads

    def build(  # type: ignore[override]  # Keras names the shapes
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        many = (None, self.num_query_heads, self.head_dim)
        few = (None, self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection("query", "btx,xnh->btnh", many, "nh")
        self._query_dense.build(query_shape)
        self._key_dense = self._projection("key", "bsx,xkh->bskh", few, "kh")
        self._key_dense.build(key_shape)
        if self.use_gate:
            self._gate_dense = self._projection(
                "gate", "btx,xnh->btnh", many, "nh", activation="sigmoid"
            )
            self._gate_dense.build(query_shape)
        self._value_dense = self._projection("value", "bsx,xkh->bskh", few, "kh")
        self._value_dense.build(value_shape)
        self._output_dense = self._projection(
            "attention_output", "btnh,nhx->btx", (None, query_shape[-1]), "x"
        )
        self._output_dense.build((*query_shape[:2], *many[1:]))

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
            query: ``(B, T, features)``.
            value: ``(B, S, features)``.
            key: ``(B, S, features)``; None means `value`.
            query_mask: ``(B, T)`` or None.
            value_mask: ``(B, S)``, False where a value is hidden, or None.
            key_mask: Likewise for keys.
            attention_mask: ``(B, T, S)`` or ``(B, heads, T, S)``, False where a
                query may not see a key, or None.
            return_attention_scores: Whether to return the weights too.
            training: Whether dropout is active.
            use_causal_mask: Whether query t sees keys up to t only.

        Returns:
            ``(B, T, features)``, and the weights ``(B, heads, T, S)`` if asked for. A
            query that may see nothing sees everything alike.
        """
        key = value if key is None else key
        fused = not return_attention_scores and not self._drops(training)
        masks = (query_mask, value_mask, key_mask)
        lone = all(x is None for x in (*masks, attention_mask, self.sliding_window))
        causal = use_causal_mask and lone and fused
        automatic = automatic_mask(
            query,
            value,
            *masks,
            use_causal_mask=use_causal_mask and not causal,
            sliding_window=self.sliding_window,
        )
        allowed = all_of(
            spread(mask, _SCORE_AXES, 1) for mask in (automatic, attention_mask)
        )
        q, k = self._query_dense(query), self._key_dense(key)
        v, scale = self._value_dense(value), 1.0 / math.sqrt(self.head_dim)
        weights = None
        if fused:
            averages = ops.dot_product_attention(
                *(q, k, v),
                mask=allowed,
                scale=scale,
                is_causal=causal,
                flash_attention=self.flash_attention,
            )
        else:
            k, v = (ops.repeat(x, self.num_repeats, axis=2) for x in (k, v))
            scores = ops.einsum("btnh,bsnh->bnts", ops.multiply(q, scale), k)
            used = weights = masked_softmax(scores, allowed)
            if self._drops(training):
                used = random.dropout(weights, self.dropout, seed=self.seed_generator)
            averages = ops.einsum("bnts,bsnh->btnh", used, v)
        if self.use_gate:
            averages = ops.multiply(averages, self._gate_dense(query))
        outputs = self._output_dense(averages)
        return (outputs, weights) if return_attention_scores else outputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }
