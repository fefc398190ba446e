"""`IntegerLookup`: integers as numbers of a vocabulary, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from polykeras import dtypes, ops
from polykeras.backend import Array, Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.preprocessing._encoding import output_dtype
from polykeras.layers.preprocessing._lookup import IndexLookup
from polykeras.layers.preprocessing._text import as_array
from polykeras.layers.preprocessing.hashing import check_salt, hash_of
from polykeras.ops._values import known_values
from polykeras.registry import public

__all__ = ["IntegerLookup"]


@public
class IntegerLookup(IndexLookup):
    """Number integers by their places in a vocabulary.

    As `StringLookup`, which documents the arguments, for integers. It runs on the
    backend, so it can stand in a compiled model.

    Args:
        max_tokens: Size of the vocabulary at most, special tokens included.
        num_oov_indices: Numbers for unknown integers; with 0 they are an error, or in
            a compiled function -1.
        mask_token: An integer that means "nothing here".
        oov_token: What stands for unknown integers in the vocabulary.
        vocabulary: Integers, or the path of a text file with one a line.
        vocabulary_dtype: ``"int32"`` or ``"int64"``; int64 where values are wider.
        idf_weights: Weights of the integers for ``"tf_idf"``.
        invert: Whether to turn numbers of the vocabulary into integers instead.
        output_mode: As in `StringLookup`.
        sparse: Kept for Keras' signature; must be False.
        pad_to_max_tokens: As in `StringLookup`.
        oov_method: How unknown integers are told apart: ``"floormod"`` or
            ``"farmhash"``.
        salt: Chooses the hash for ``"farmhash"``.
        name: A name.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> layer = keras.layers.IntegerLookup()
    >>> layer.adapt([[12, 1138, 42], [42, 1000, 36]])
    >>> layer.get_vocabulary()
    [-1, 42, 1138, 1000, 36, 12]
    >>> layer([[12, 36], [7, 42]]).tolist()
    [[5, 4], [0, 1]]
    """

    _layer: ClassVar[str] = "IntegerLookup"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: int | Sequence[int] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        if oov_method not in ("floormod", "farmhash"):
            raise ArgumentError(
                f"oov_method must be 'floormod' or 'farmhash', got {oov_method!r}."
            )
        self.vocabulary_dtype = dtypes.standardize_dtype(vocabulary_dtype)
        self.oov_method = oov_method
        self.salt = salt
        self._key = check_salt("IntegerLookup", salt)
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
        """The dtype of the inputs: integers."""
        return "int32"

    def _token(self, value: Any) -> Any:
        return None if value is None else int(value)

    def _read(self, data: Any) -> Array:
        return as_array(data).astype("int64")

    def _oov_numbers(self, tokens: Array) -> Array:
        if self.oov_method == "farmhash":
            hashes = [hash_of(str(t), self._key) for t in tokens.tolist()]
            return np.array([h % self.num_oov_indices for h in hashes], "int32")
        return (tokens % self.num_oov_indices).astype("int32")

    def call(self, inputs: Tensor) -> Tensor:
        """Return numbers or table rows, or with `invert` integers."""
        known = known_values(inputs)
        if known is not None:
            return self.host_call(known)
        x = ops.convert_to_tensor(inputs)
        if self.invert:
            values = np.array([*self.get_vocabulary(), self.oov_token], "int64")
            numbers = ops.where(
                ops.logical_and(ops.greater_equal(x, 0), ops.less(x, len(values) - 1)),
                x,
                len(values) - 1,
            )
            return ops.cast(ops.take(values, numbers), "int32")
        return self._encoded(self._traced_numbers(x))

    def _traced_numbers(self, x: Tensor) -> Tensor:
        keys = np.array(sorted(self._words.numbers), "int64")
        numbers = np.array([self._words.numbers[k] for k in keys.tolist()], "int32")
        unknown: Any = -1
        if self.num_oov_indices == 1:
            unknown = self._oov_start
        elif self.num_oov_indices and self.oov_method == "floormod":
            unknown = ops.cast(ops.mod(x, self.num_oov_indices), "int32")
            unknown = ops.add(unknown, self._oov_start)
        elif self.num_oov_indices:
            raise ArgumentError(
                "oov_method='farmhash' hashes on the host, not in a compiled function. "
                "Look integers up before training, or use 'floormod'."
            )
        if len(keys):
            x = ops.cast(x, "int32") if abs(keys).max() < 2**31 else x
            known = ops.cast(keys, ops.dtype(x))
            at = ops.clip(ops.searchsorted(known, x), 0, len(keys) - 1)
            same = ops.equal(ops.take(known, at), x)
            found = ops.where(same, ops.take(numbers, at), unknown)
        else:
            found = ops.add(ops.zeros_like(x, dtype="int32"), unknown)
        if self.mask_token is not None:
            masked = 0 if self.output_mode == "int" else -1
            found = ops.where(ops.equal(x, self.mask_token), masked, found)
        return ops.cast(found, "int32")

    def host_call(self, inputs: Any) -> Any:
        """Return numbers or table rows, or with `invert` integers."""
        if not self.invert:
            return super().host_call(inputs)
        numbers = np.asarray(inputs)
        values = np.array([*self.get_vocabulary(), self.oov_token], "int64")
        known = (numbers >= 0) & (numbers < len(values) - 1)
        found = values[np.where(known, numbers, len(values) - 1)]
        return ops.cast(found, output_dtype(self.compute_dtype, "int"))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the vocabulary found so far."""
        return {
            **super().get_config(),
            "vocabulary_dtype": self.vocabulary_dtype,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }
