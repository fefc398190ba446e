"""`AdditiveAttention`: values averaged by a sum of hyperbolic tangents."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.attention.attention import Attention
from polykeras.registry import public

__all__ = ["AdditiveAttention"]


@public
class AdditiveAttention(Attention):
    """Average values with weights from ``sum(scale * tanh(query + key))``.

    It is called like `Attention`, with a list ``[query, value]`` or
    ``[query, value, key]``.

    Args:
        use_scale: Whether each feature has a trained factor.
        dropout: Share of the weights that is set to 0 in training.
        kwargs: See `Layer`; `seed` is that of the dropout.

    Raises:
        ArgumentError: If `dropout` is out of range.

    Reference: Bahdanau et al., 2015, "Neural Machine Translation by Jointly Learning
    to Align and Translate", appendix A.1.2.

    >>> import polykeras as keras
    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> keras.layers.AdditiveAttention()([query, value]).shape
    (2, 3, 4)
    """

    def __init__(
        self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any
    ) -> None:
        """Remember the configuration."""
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the factors of shape ``(dim,)``."""
        self._check(input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale",
                shape=(input_shape[0][-1],),
                initializer="glorot_uniform",
            )

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return ``(batch, T, S)`` for ``(batch, T, dim)`` and ``(batch, S, dim)``."""
        pairs = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        pairs = ops.tanh(pairs)
        if self.scale is not None:
            pairs = ops.multiply(pairs, self.scale)
        return ops.sum(pairs, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {k: v for k, v in super().get_config().items() if k != "score_mode"}
