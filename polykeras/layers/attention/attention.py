"""`Attention`: values averaged by how well keys fit queries, without projections."""

from __future__ import annotations

from typing import Any, Final

from polykeras import ops, random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.layers.attention._masks import all_of, causal_mask, masked_softmax
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Attention"]

_MODES: Final = ("dot", "concat")
_PAIR, _TRIPLE = 2, 3


@public
class Attention(Layer):
    """Average values with weights from the products of queries and keys.

    It is called with a list ``[query, value]`` or ``[query, value, key]``; without a
    key, the values are the keys.

    Args:
        use_scale: Whether scores are multiplied by a trained scalar.
        score_mode: ``"dot"`` for products, ``"concat"`` for a trained scalar times
            the sum of ``tanh(query + key)``.
        dropout: Share of the weights that is set to 0 in training.
        seed: Of the dropout.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If the score mode is unknown or `dropout` out of range.

    Reference: Luong et al., 2015, "Effective Approaches to Attention-based Neural
    Machine Translation", equation 8.

    >>> import polykeras as keras
    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> keras.layers.Attention()([query, value]).shape
    (2, 3, 4)
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        if score_mode not in _MODES:
            raise ArgumentError(
                f"Attention got score_mode={score_mode!r}. "
                f"{nearest(score_mode, _MODES)}"
            )
        if not 0 <= dropout < 1:
            raise ArgumentError(
                f"{type(self).__name__} needs 0 <= dropout < 1, got {dropout!r}."
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.supports_masking = True
        if dropout:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Make the scalars that the configuration asks for."""
        self._check(input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def _check(self, inputs: Any, mask: Any = None) -> None:
        kind = type(self).__name__
        if not isinstance(inputs, list | tuple) or len(inputs) not in (_PAIR, _TRIPLE):
            raise ShapeError(
                f"{kind} is called with a list [query, value] or [query, value, key], "
                f"got {type(inputs).__name__}"
                + (f" of {len(inputs)}." if isinstance(inputs, list | tuple) else ".")
            )
        if mask is not None and (
            not isinstance(mask, list | tuple) or len(mask) not in (_PAIR, _TRIPLE)
        ):
            raise ShapeError(
                f"{kind} takes a list of masks [query_mask, value_mask], with None "
                f"where there is none, got {type(mask).__name__}."
            )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the query, for the averages only."""
        if previous_mask is None or previous_mask[0] is None:
            return None
        return [previous_mask[0]]

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return ``(batch, T, S)`` for ``(batch, T, dim)`` and ``(batch, S, dim)``."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        pairs = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        if self.scale is not None:
            pairs = ops.multiply(pairs, self.scale)
        total = ops.sum(ops.tanh(pairs), axis=-1)
        return ops.multiply(total, self.concat_score_weight)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Average the values.

        Args:
            inputs: Query ``(batch, T, dim)``, value ``(batch, S, width)`` and, if it
                differs, key ``(batch, S, dim)``.
            mask: Masks ``(batch, T)`` and ``(batch, S)``, each may be None. Averages
                of masked queries are 0.
            training: Whether dropout is active.
            return_attention_scores: Whether to return the weights too.
            use_causal_mask: Whether query t sees keys up to t only.

        Returns:
            ``(batch, T, width)``, and the weights ``(batch, T, S)`` if asked for.
        """
        self._check(inputs, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) == _TRIPLE else value
        query_mask, value_mask = (None, None) if mask is None else (mask[0], mask[1])
        scores = self._scores(query, key)
        allowed = all_of(
            [
                None if value_mask is None else ops.expand_dims(value_mask, -2),
                causal_mask(query.shape[-2], key.shape[-2])
                if use_causal_mask
                else None,
            ]
        )
        weights = masked_softmax(scores, allowed)
        if training and self.dropout:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            outputs = ops.where(ops.expand_dims(query_mask, -1), outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }
