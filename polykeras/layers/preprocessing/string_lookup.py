"""`StringLookup`: strings as numbers of a vocabulary, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from polykeras import ops
from polykeras.backend import Array
from polykeras.layers.preprocessing._lookup import IndexLookup
from polykeras.layers.preprocessing._text import as_array, as_text
from polykeras.layers.preprocessing.hashing import check_salt, hash_of
from polykeras.registry import public

__all__ = ["StringLookup"]


@public
class StringLookup(IndexLookup):
    """Number strings by their places in a vocabulary.

    The vocabulary is given, or made by `adapt` from data. It begins with the mask
    token, if there is one and `output_mode` is ``"int"``, and the out-of-vocabulary
    tokens, so with the defaults unknown strings have the number 0. Strings live on
    the host: a model whose inputs are strings trains, but its steps are not compiled,
    so it is faster to look strings up before training.

    Args:
        max_tokens: Size of the vocabulary at most, special tokens included.
        num_oov_indices: Numbers for unknown strings, told apart by a hash; with 0
            they are an error.
        mask_token: A string that means "nothing here".
        oov_token: What stands for unknown strings in the vocabulary.
        vocabulary: Strings, or the path of a text file with one a line.
        idf_weights: Weights of the strings for ``"tf_idf"``.
        invert: Whether to turn numbers into strings instead.
        output_mode: ``"int"``; ``"one_hot"``, ``"multi_hot"``, ``"count"`` as in
            `CategoryEncoding`; or ``"tf_idf"``, counts times the weights.
        pad_to_max_tokens: Whether table rows are `max_tokens` long however small the
            vocabulary is.
        sparse: Kept for Keras' signature; must be False.
        encoding: How bytes are decoded.
        name: A name.
        salt: Chooses the hash that tells unknown strings apart.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If arguments contradict each other.

    >>> import polykeras as keras
    >>> layer = keras.layers.StringLookup()
    >>> layer.adapt([["a", "c", "d"], ["d", "z", "b"]])
    >>> layer.get_vocabulary()
    ['[UNK]', 'd', 'z', 'c', 'b', 'a']
    >>> layer([["a", "x"], ["d", "b"]]).tolist()
    [[5, 0], [1, 4]]
    >>> back = keras.layers.StringLookup(vocabulary=["a", "b"], invert=True)
    >>> back(np.array([1, 2, 9])).tolist()
    ['a', 'b', '[UNK]']
    """

    _layer: ClassVar[str] = "StringLookup"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        self.encoding = encoding
        self.salt = salt
        self._key = check_salt("StringLookup", salt)
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            name=name,
            **kwargs,
        )

    @property
    def input_dtype(self) -> str:
        """The dtype of the inputs: text, or with `invert` integers."""
        return "int32" if self.invert else "string"

    def _token(self, value: Any) -> Any:
        if value is None:
            return None
        return value.decode(self.encoding) if isinstance(value, bytes) else str(value)

    def _read(self, data: Any) -> Array:
        return as_text(as_array(data), self.encoding)

    def _oov_numbers(self, tokens: Array) -> Array:
        if self.num_oov_indices == 1:
            return np.zeros(len(tokens), "int32")
        hashes = [hash_of(t, self._key) % self.num_oov_indices for t in tokens.tolist()]
        return np.array(hashes, "int32")

    def host_call(self, inputs: Any) -> Any:
        """Return numbers or table rows of strings, or with `invert` strings."""
        if not self.invert:
            return super().host_call(inputs)
        numbers = np.asarray(ops.convert_to_numpy(inputs))
        words = np.array([*self.get_vocabulary(), self.oov_token])
        known = (numbers >= 0) & (numbers < len(words) - 1)
        return words[np.where(known, numbers, len(words) - 1)]

    def host_shape(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Return the shape and dtype of the outputs."""
        return (shape, "string") if self.invert else super().host_shape(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the vocabulary found so far."""
        return {**super().get_config(), "encoding": self.encoding, "salt": self.salt}
