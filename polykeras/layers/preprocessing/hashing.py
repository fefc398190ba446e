"""`Hashing`: categories without a vocabulary, by their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import positive
from polykeras.layers.preprocessing._encoding import (
    ENCODINGS,
    check_mode,
    encode,
    encoded_shape,
    hashing_dtype,
    no_sparse,
    output_dtype,
)
from polykeras.layers.preprocessing._fingerprints import farm_fingerprint, sip_hash
from polykeras.layers.preprocessing._text import HostLayer, as_array, as_text
from polykeras.registry import public

__all__ = ["Hashing", "check_salt", "hash_of"]


def check_salt(layer: str, salt: Any) -> tuple[int, int] | None:
    """Return a salt as two words.

    Raises:
        ArgumentError: If it is neither an integer nor two of them.
    """
    if salt is None:
        return None
    words = (salt, salt) if isinstance(salt, int) else tuple(salt)
    if len(words) != 2 or not all(isinstance(w, int) for w in words):
        raise ArgumentError(
            f"The salt of {layer} is an integer or two of them, got {salt!r}."
        )
    return words


def hash_of(token: str, salt: tuple[int, int] | None) -> int:
    """Return the 64-bit hash of a text: FarmHash, or SipHash with a salt."""
    data = token.encode()
    return farm_fingerprint(data) if salt is None else sip_hash(data, salt)


@public
class Hashing(HostLayer):
    """Number categories by a hash of their text; some share a number.

    Numbers are hashed by their decimal digits. The hashes are those of Keras.

    Args:
        num_bins: Number of bins, that of the mask included.
        mask_value: A category that has bin 0 for itself.
        salt: An integer, or two, that chooses among hash functions.
        output_mode: ``"int"``, or ``"one_hot"``, ``"multi_hot"``, ``"count"`` as in
            `CategoryEncoding`.
        sparse: Kept for Keras' signature; must be False.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not among those allowed.

    >>> import polykeras as keras
    >>> layer = keras.layers.Hashing(num_bins=3)
    >>> layer([["A"], ["B"], ["C"], ["D"], ["E"]]).tolist()
    [[1], [0], [1], [1], [2]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: int | Sequence[int] | None = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        dtype = hashing_dtype("Hashing", kwargs.pop("dtype", None), output_mode)
        super().__init__(dtype=dtype, **kwargs)
        no_sparse("Hashing", sparse)
        self.num_bins = positive("Hashing", "num_bins", num_bins)
        self.mask_value = mask_value
        self.salt = salt
        self._key = check_salt("Hashing", salt)
        self.output_mode = check_mode("Hashing", output_mode, ("int", *ENCODINGS))
        self.sparse = sparse

    def host_call(self, inputs: Any) -> Any:
        """Return the number of the bin of each category."""
        tokens = as_text(as_array(inputs))
        masked = self.mask_value is not None
        first, bins = (1, self.num_bins - 1) if masked else (0, self.num_bins)
        unique, where = np.unique(tokens, return_inverse=True)
        mask = str(self.mask_value)
        numbers = np.array(
            [
                0
                if (masked and token == mask) or not bins
                else first + hash_of(token, self._key) % bins
                for token in unique.tolist()
            ],
            dtype="int32",
        )[where.reshape(tokens.shape)]
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        if self.output_mode == "int":
            return ops.cast(numbers, dtype)
        return encode(
            ops.convert_to_tensor(numbers), self.output_mode, self.num_bins, dtype
        )

    def host_shape(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Return the shape and dtype of the outputs."""
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        return encoded_shape(shape, self.output_mode, self.num_bins), dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "mask_value": self.mask_value,
            "salt": self.salt,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }
