"""`IndexLookup`: what the layers with a vocabulary share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from polykeras import ops
from polykeras.backend import Array, Tensor
from polykeras.errors import ArgumentError, StateError
from polykeras.layers.preprocessing._encoding import (
    ENCODINGS,
    check_mode,
    encode,
    encoded_shape,
    no_sparse,
    output_dtype,
)
from polykeras.layers.preprocessing._text import HostLayer, adapt_batches
from polykeras.layers.preprocessing._vocabulary import (
    TokenCounts,
    Words,
    checked_weights,
    read_tokens,
    unique_tokens,
)

__all__ = ["IndexLookup"]

_MODES: Final = ("int", *ENCODINGS, "tf_idf")


class IndexLookup(HostLayer):
    """Give tokens the numbers of their places in a vocabulary.

    The vocabulary begins with the mask token, if there is one and numbers are
    returned, and the out-of-vocabulary tokens. `layers.StringLookup` documents the
    arguments.
    """

    _layer: ClassVar[str] = "IndexLookup"
    _keras_only: ClassVar[Mapping[str, Any]] = {"oov_method": "floormod"}
    _keras_derived: ClassVar[tuple[str, ...]] = ("vocabulary_size",)
    _path_arguments: ClassVar[tuple[str, ...]] = ("vocabulary",)

    def __init__(
        self,
        *,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        no_sparse(self._layer, sparse)
        self.output_mode = check_mode(self._layer, output_mode, _MODES)
        if not isinstance(num_oov_indices, int) or num_oov_indices < 0:
            raise ArgumentError(
                f"num_oov_indices must be an integer of at least 0, got "
                f"{num_oov_indices!r}."
            )
        special = num_oov_indices * (not invert) + (mask_token is not None)
        if max_tokens is not None and max_tokens <= max(1, special):
            raise ArgumentError(
                f"max_tokens counts special tokens too, so with {special} of them it "
                f"must be greater than {max(1, special)}, got {max_tokens}."
            )
        if invert and (self.output_mode != "int" or num_oov_indices > 1):
            raise ArgumentError(
                "invert=True turns numbers into tokens: it needs output_mode='int' and "
                f"at most one out-of-vocabulary number, got {self.output_mode!r} and "
                f"{num_oov_indices}."
            )
        if pad_to_max_tokens and max_tokens is None:
            raise ArgumentError("pad_to_max_tokens=True needs max_tokens.")
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ArgumentError(
                f"idf_weights need output_mode='tf_idf', got {self.output_mode!r}."
            )
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = self._token(mask_token)
        self.oov_token = self._token(oov_token)
        self.invert = invert
        self.pad_to_max_tokens = pad_to_max_tokens
        self.sparse = sparse
        self._words = Words([], self._start)
        self._idf: Array | None = None
        self._counts = TokenCounts()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # -- what a kind of token decides --------------------------------------------

    def _token(self, value: Any) -> Any:
        """Return a special token as the layer compares it, None for none."""
        raise NotImplementedError

    def _read(self, data: Any) -> Array:
        """Return data as an array of tokens on the host."""
        raise NotImplementedError

    def _oov_numbers(self, tokens: Array) -> Array:
        """Return which out-of-vocabulary number each unknown token has, from 0."""
        raise NotImplementedError

    # -- the vocabulary ----------------------------------------------------------

    @property
    def _oov_start(self) -> int:
        masks = self.mask_token is not None and self.output_mode == "int"
        return 1 if masks else 0

    @property
    def _start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def _specials(self) -> list[Any]:
        oov = [self.oov_token] * self.num_oov_indices
        return ([self.mask_token] if self._oov_start else []) + oov

    def vocabulary_size(self) -> int:
        """Return the number of tokens, special ones included."""
        return self._start + len(self._words.tokens)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their numbers.

        Args:
            include_special_tokens: Whether mask and out-of-vocabulary tokens, which
                come first, are among them.
        """
        specials = self._specials() if include_special_tokens else []
        return [*specials, *self._words.tokens]

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: Tokens, with or without the special ones in front, or the path
                of a text file with one a line.
            idf_weights: A weight for each token; needed for ``"tf_idf"``.

        Raises:
            ArgumentError: If tokens occur twice, are too many, or weights are missing.
        """
        tokens = [self._token(token) for token in read_tokens(vocabulary)]
        specials = self._specials()
        given_weights = idf_weights
        # The vocabulary of another layer may have a mask token where this has none.
        for front in ([self.mask_token, *specials], specials):
            if front and tokens[: len(front)] == front:
                tokens = tokens[len(front) :]
                if idf_weights is not None and len(idf_weights) > len(tokens):
                    given_weights = np.asarray(idf_weights)[len(front) :]
                break
        unique_tokens(self._layer, tokens, set(specials))
        if self.max_tokens is not None and self._start + len(tokens) > self.max_tokens:
            raise ArgumentError(
                f"{self._layer} has max_tokens={self.max_tokens}, but the vocabulary "
                f"has {self._start + len(tokens)} tokens, special ones included."
            )
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ArgumentError(
                f"set_vocabulary takes idf_weights with output_mode='tf_idf' and only "
                f"then; the mode is {self.output_mode!r}."
            )
        self._words = Words(tokens, self._start)
        self._idf = None
        if idf_weights is not None:
            weights = checked_weights(self._layer, given_weights, len(tokens))
            self._idf = self._with_specials(weights)

    def _with_specials(self, weights: Array) -> Array:
        """Return weights of tokens with those of unknown tokens, their mean, ahead."""
        mean = weights.mean() if len(weights) else 0.0
        return np.concatenate([np.full(self._start, mean), weights])

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make a vocabulary of the tokens of a data set, the most frequent first.

        Args:
            data: An array, a list, or an iterable of batches.
            steps: How many batches to take at most; None means all.
        """
        self.reset_state()
        for batch in adapt_batches(self._layer, data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch for the next `finalize_state`."""
        self._counts.update(self._read(data), self.output_mode == "tf_idf")

    def count_rows(self, rows: list[list[Any]]) -> None:
        """Count the tokens of samples of unequal length for `finalize_state`."""
        self._counts.update_rows(rows, self.output_mode == "tf_idf")

    def finalize_state(self) -> None:
        """Make the vocabulary from the batches counted."""
        if not self._counts.tokens:
            return
        limit = None if self.max_tokens is None else self.max_tokens - self._start
        special = {self.mask_token, self.oov_token}
        tokens = self._counts.most_common(special, limit)
        self._words = Words(tokens, self._start)
        if self.output_mode == "tf_idf":
            self._idf = self._with_specials(self._counts.inverse_frequencies(tokens))
        self._counts = TokenCounts()

    def reset_state(self) -> None:
        """Forget the vocabulary and what was counted."""
        self._counts = TokenCounts()
        self._words, self._idf = Words([], self._start), None

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary, without special tokens, into a folder."""
        text = "\n".join(str(token) for token in self._words.tokens)
        (Path(dir_path) / "vocabulary.txt").write_text(text, encoding="utf-8")

    def load_assets(self, dir_path: Any) -> None:
        """Read the vocabulary that `save_assets` wrote, unless there is one."""
        if not self._words.tokens and self.output_mode != "tf_idf":
            self.set_vocabulary(Path(dir_path) / "vocabulary.txt")

    # -- looking up --------------------------------------------------------------

    def host_call(self, inputs: Any) -> Any:
        """Return numbers, table rows, or with `invert` tokens."""
        if not self._words.tokens and not self._start:
            raise StateError(
                f"The layer {self.name!r} has no vocabulary yet. Call adapt(data) or "
                "set_vocabulary(tokens) first."
            )
        tokens = self._read(inputs)
        unique, where = np.unique(tokens, return_inverse=True)
        numbers = self._look_up(unique)[where.reshape(tokens.shape)]
        return self._encoded(ops.convert_to_tensor(numbers))

    def look_up_rows(self, rows: list[list[Any]], length: int) -> Tensor:
        """Return numbers or table rows of samples of unequal length.

        Args:
            rows: The tokens of each sample.
            length: Numbers of a sample; longer ones are cut, shorter ones padded by 0.
        """
        find, unknown = self._words.numbers.get, self._oov_start
        if self.output_mode == "int":
            numbers = np.zeros((len(rows), length), "int32")
            for place, row in zip(numbers, rows, strict=True):
                kept = row[:length]
                place[: len(kept)] = [
                    find(t, 0 if t == self.mask_token else unknown) for t in kept
                ]
            return self._encoded(ops.convert_to_tensor(numbers))
        table = np.zeros((len(rows), self._depth()), "float32")
        for place, row in zip(table, rows, strict=True):
            found = [find(t, unknown) for t in row if t != self.mask_token]
            np.add.at(place, found, 1.0)
        if self.output_mode == "multi_hot":
            table = (table > 0).astype("float32")
        return self._weighed(ops.convert_to_tensor(table))

    def _look_up(self, tokens: Array) -> Array:
        """Return the numbers of distinct tokens."""
        numbers = self._words.numbers
        found = np.array([numbers.get(t, -1) for t in tokens.tolist()], "int32")
        unknown = found < 0
        if self.mask_token is not None:
            masked = tokens == self.mask_token
            found[masked] = 0 if self.output_mode == "int" else -1
            unknown &= ~masked
        if unknown.any():
            if not self.num_oov_indices:
                raise self._unknown(tokens[unknown])
            found[unknown] = self._oov_start + self._oov_numbers(tokens[unknown])
        return found

    def _unknown(self, tokens: Array) -> ArgumentError:
        return ArgumentError(
            f"The layer {self.name!r} has num_oov_indices=0 and got tokens that its "
            f"vocabulary does not hold: {tokens[:5].tolist()}."
        )

    def _depth(self) -> int:
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return self.vocabulary_size()

    def _encoded(self, numbers: Tensor) -> Tensor:
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        if self.output_mode == "int":
            return ops.cast(numbers, dtype)
        if self.output_mode != "tf_idf":
            return encode(numbers, self.output_mode, self._depth(), dtype)
        return self._weighed(encode(numbers, "count", self._depth(), dtype))

    def _weighed(self, table: Tensor) -> Tensor:
        """Return counts times the tokens' weights, where the mode asks for them."""
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        counts = ops.cast(table, dtype)
        if self.output_mode != "tf_idf":
            return counts
        weights = np.zeros(self._depth()) if self._idf is None else self._idf
        padded = np.pad(weights, (0, self._depth() - len(weights)))
        return ops.multiply(counts, ops.cast(padded, dtype))

    def host_shape(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Return the shape and dtype of the outputs."""
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        return encoded_shape(shape, self.output_mode, self._depth()), dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the vocabulary found so far."""
        idf = None if self._idf is None else self._idf[self._start :].tolist()
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "mask_token": self.mask_token,
            "oov_token": self.oov_token,
            "vocabulary": list(self._words.tokens) or None,
            "idf_weights": idf,
            "invert": self.invert,
            "output_mode": self.output_mode,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "sparse": self.sparse,
        }
