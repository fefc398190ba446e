"""`CategoryEncoding`: numbers of categories as rows of a table."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import positive
from polykeras.layers.layer import Layer
from polykeras.layers.preprocessing._encoding import (
    ENCODINGS,
    check_mode,
    encode,
    no_sparse,
)
from polykeras.registry import public

__all__ = ["CategoryEncoding"]


@public
class CategoryEncoding(Layer):
    """Encode numbers of categories as one-hot, multi-hot or count rows.

    A number outside ``0 <= x < num_tokens`` counts nowhere.

    Args:
        num_tokens: Number of categories.
        output_mode: ``"one_hot"``, one row a number; ``"multi_hot"``, one row a
            sample with 1 for each category in it; ``"count"``, likewise with how
            often it occurs.
        sparse: Kept for Keras' signature; must be False.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not among those allowed.

    >>> import polykeras as keras
    >>> layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    >>> layer(keras.ops.array([[0, 1], [0, 0]])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        if "max_tokens" in kwargs:
            num_tokens = kwargs.pop("max_tokens")
        super().__init__(**kwargs)
        no_sparse("CategoryEncoding", sparse)
        self.num_tokens = positive("CategoryEncoding", "num_tokens", num_tokens)
        self.output_mode = check_mode("CategoryEncoding", output_mode, ENCODINGS)
        self.sparse = sparse

    @property
    def _casts_inputs(self) -> bool:
        return False

    def call(self, inputs: Tensor, count_weights: Any = None) -> Tensor:
        """Return ``(..., num_tokens)``.

        Args:
            inputs: Whole numbers, of any dtype.
            count_weights: What each one counts, in the shape of `inputs`; only with
                ``output_mode="count"``.

        Raises:
            ArgumentError: If weights are given in another mode.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(
                "count_weights need output_mode='count', but it is "
                f"{self.output_mode!r}."
            )
        x = ops.cast(inputs, "int32")
        return encode(
            x, self.output_mode, self.num_tokens, self.compute_dtype, count_weights
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }
