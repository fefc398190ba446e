"""`TextVectorization`: texts as numbers of words, or rows of word counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from polykeras import ops
from polykeras.backend import Array
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.layers.preprocessing._encoding import check_mode, no_sparse, output_dtype
from polykeras.layers.preprocessing._text import (
    HostLayer,
    adapt_batches,
    as_array,
    as_text,
)
from polykeras.layers.preprocessing.string_lookup import StringLookup
from polykeras.registry import public, serialize_keras_object

__all__ = ["TextVectorization"]

_PUNCTUATION: Final = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
_STANDARDIZATIONS: Final[dict[str, Callable[[str], str]]] = {
    "lower_and_strip_punctuation": lambda s: _PUNCTUATION.sub("", s.lower()),
    "lower": str.lower,
    "strip_punctuation": lambda s: _PUNCTUATION.sub("", s),
}
_SPLITS: Final[dict[str, Callable[[str], list[str]]]] = {
    "whitespace": str.split,
    "character": list,
}
_MODES: Final = ("int", "multi_hot", "count", "tf_idf")


@public
class TextVectorization(HostLayer):
    """Split texts into words and number them by a vocabulary.

    Three things happen to a text: it is standardised, split into words (of which
    groups of neighbours may be words too), and looked up. It happens on the host: a
    model whose inputs are texts trains, but its steps are not compiled, so it is
    faster to vectorise texts before training.

    Args:
        max_tokens: Size of the vocabulary at most, special tokens included.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``,
            ``"strip_punctuation"``, a function of an array of strings, or None.
        split: ``"whitespace"``, ``"character"``, a function from an array of strings to
            lists of words, or None for texts that are words already.
        ngrams: Join up to so many neighbours to words, or as many as a tuple says.
        output_mode: ``"int"``, or ``"multi_hot"``, ``"count"``, ``"tf_idf"`` for one
            row a text, as in `StringLookup`.
        output_sequence_length: Cut or pad the numbers of a text to this length; None
            pads to the longest text of the batch.
        pad_to_max_tokens: Whether rows are `max_tokens` long however small the
            vocabulary is.
        vocabulary: Words, or the path of a text file with one a line.
        idf_weights: Weights of the words for ``"tf_idf"``.
        sparse: Kept for Keras' signature; must be False.
        ragged: Kept likewise.
        encoding: How bytes are decoded.
        name: A name.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not among those allowed.

    >>> import polykeras as keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["the cat sat", "The cat!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'cat', 'sat']
    >>> layer(["The dog sat.", "cat"]).tolist()
    [[2, 1, 4, 0], [3, 0, 0, 0]]
    """

    _keras_derived: ClassVar[tuple[str, ...]] = ("vocabulary_size",)
    _path_arguments: ClassVar[tuple[str, ...]] = ("vocabulary",)

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(name=name, **kwargs)
        no_sparse("TextVectorization", sparse)
        no_sparse("TextVectorization", ragged, "ragged")
        self.standardize = _chosen("standardize", standardize, list(_STANDARDIZATIONS))
        self.split = _chosen("split", split, list(_SPLITS))
        self.ngrams = _ngram_sizes(ngrams)
        self._given_ngrams = ngrams
        self.output_mode = check_mode("TextVectorization", output_mode, _MODES)
        length = output_sequence_length
        if length is not None and (self.output_mode != "int" or length < 1):
            raise ArgumentError(
                "output_sequence_length must be a positive integer, with "
                f"output_mode='int' only; got {length!r} and {self.output_mode!r}."
            )
        self.output_sequence_length = length
        self.sparse = sparse
        self.ragged = ragged
        self.encoding = encoding
        self._lookup = _Owned(
            StringLookup(
                max_tokens=max_tokens,
                mask_token="",
                vocabulary=vocabulary,
                idf_weights=idf_weights,
                pad_to_max_tokens=pad_to_max_tokens,
                output_mode=self.output_mode,
                encoding=encoding,
                dtype=self.dtype_policy,
            )
        )

    def build(self, input_shape: Any = None) -> None:
        """Make nothing: a vocabulary is no variable."""

    @property
    def max_tokens(self) -> int | None:
        """The size of the vocabulary at most."""
        return self._lookup.layer.max_tokens

    @property
    def pad_to_max_tokens(self) -> bool:
        """Whether rows are `max_tokens` long."""
        return self._lookup.layer.pad_to_max_tokens

    def vocabulary_size(self) -> int:
        """Return the number of words, special ones included."""
        return self._lookup.layer.vocabulary_size()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the words in the order of their numbers; see `StringLookup`."""
        return self._lookup.layer.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary; see `StringLookup.set_vocabulary`."""
        self._lookup.layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Make a vocabulary of the words of a data set, the most frequent first.

        Args:
            data: An array or list of texts, or an iterable of batches.
            batch_size: Kept for Keras' signature.
            steps: How many batches to take at most; None means all.
        """
        self.reset_state()
        for batch in adapt_batches("TextVectorization", data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the words of a batch for the next `finalize_state`."""
        self._lookup.layer.count_rows(self._words_of(self._texts(data)))

    def finalize_state(self) -> None:
        """Make the vocabulary from the batches counted."""
        self._lookup.layer.finalize_state()

    def reset_state(self) -> None:
        """Forget the vocabulary and what was counted."""
        self._lookup.layer.reset_state()

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary, without special tokens, into a folder."""
        self._lookup.layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Read the vocabulary that `save_assets` wrote, unless there is one."""
        self._lookup.layer.load_assets(dir_path)

    def _texts(self, data: Any) -> Array:
        texts = as_text(as_array(data), self.encoding)
        if self.split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1 or texts.ndim > 2:
                raise ShapeError(
                    f"The layer {self.name!r} splits one text a sample: its input has "
                    f"the shape (B,) or (B, 1), got {texts.shape}."
                )
            texts = texts[:, 0]
        return texts

    def _words_of(self, texts: Array) -> list[list[str]]:
        """Return the words of each text."""
        if callable(self.standardize):
            texts = as_text(self.standardize(texts), self.encoding)
        elif self.standardize is not None:
            fn = _STANDARDIZATIONS[self.standardize]
            changed = [fn(text) for text in texts.ravel().tolist()]
            texts = np.array(changed, dtype=str).reshape(texts.shape)
        if callable(self.split):
            words = [[str(w) for w in row] for row in self.split(texts)]
        elif self.split is not None:
            split = _SPLITS[self.split]
            words = [split(text) for text in np.atleast_1d(texts).tolist()]
        else:
            rows = texts.reshape(len(texts), -1) if texts.ndim else texts[None, None]
            words = rows.tolist()
        if self.ngrams is None:
            return words
        return [_with_neighbours(row, self.ngrams) for row in words]

    def host_call(self, inputs: Any) -> Any:
        """Return word numbers ``(B, T)``, or one row a text ``(B, words)``.

        A single text gives ``(T,)`` or ``(words,)``; texts that are not split give
        one number each.
        """
        texts = self._texts(inputs)
        words = self._words_of(texts)
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, words), default=0)
        outputs = self._lookup.layer.look_up_rows(words, length)
        if texts.ndim == 1 and self._keeps_shape:
            return ops.squeeze(outputs, -1)
        return outputs[0] if texts.ndim == 0 else outputs

    @property
    def _keeps_shape(self) -> bool:
        """Whether each text is one word and gives one number."""
        parts = (self.split, self.ngrams, self.output_sequence_length)
        return self.output_mode == "int" and parts == (None, None, None)

    def host_shape(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Return the shape and dtype of the outputs."""
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        size: int | None = self.output_sequence_length
        if self._keeps_shape and len(shape) == 1:
            return shape, dtype
        if self.output_mode != "int":
            size = self._lookup.layer._depth()
        elif self._keeps_shape:
            size = shape[1]
        return (*shape[:1], size), dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the vocabulary found so far."""
        inner = self._lookup.layer.get_config()
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "standardize": _as_data(self.standardize),
            "split": _as_data(self.split),
            "ngrams": self._given_ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary": inner["vocabulary"],
            "idf_weights": inner["idf_weights"],
            "sparse": self.sparse,
            "ragged": self.ragged,
            "encoding": self.encoding,
        }


class _Owned:
    """Holds a layer that is no part of the model's structure."""

    def __init__(self, layer: StringLookup) -> None:
        self.layer = layer


def _chosen(name: str, value: Any, allowed: list[str]) -> Any:
    if value is None or callable(value) or value in allowed:
        return value
    raise ArgumentError(
        f"Unknown {name} {value!r} of TextVectorization. {nearest(value, allowed)} A "
        "function or None will do, too."
    )


def _ngram_sizes(ngrams: Any) -> tuple[int, ...] | None:
    sizes = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
    if sizes is None:
        return None
    if not sizes or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise ArgumentError(
            f"ngrams must be a positive integer or a tuple of them, got {ngrams!r}."
        )
    return tuple(sizes)


def _with_neighbours(words: list[str], sizes: tuple[int, ...]) -> list[str]:
    return [
        " ".join(words[i : i + n]) for n in sizes for i in range(len(words) - n + 1)
    ]


def _as_data(value: Any) -> Any:
    return serialize_keras_object(value) if callable(value) else value
