"""Texts as numbers, as Keras 2 made them; `layers.TextVectorization` has taken over."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.errors import ArgumentError, StateError, nearest

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence"]

_FILTERS: Final = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES: Final = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(
    input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Args:
        input_text: The text.
        filters: Characters that count as `split`.
        lower: Whether to use lower case.
        split: What stands between words.

    >>> text_to_word_sequence("The cat sat. The cat!")
    ['the', 'cat', 'sat', 'the', 'cat']
    """
    text = input_text.lower() if lower else input_text
    for character in filters:
        text = text.replace(character, split)
    return [word for word in text.split(split) if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: str | Callable[[str], int] | None = None,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """Return a number from 1 to n - 1 for each word of a text, by a hash.

    Args:
        text: The text.
        n: Number of numbers.
        hash_function: A function of a word; None and ``"md5"`` mean MD5.
        filters: As in `text_to_word_sequence`.
        lower: Likewise.
        split: Likewise.
    """
    fn = hash_function if callable(hash_function) else _md5
    return [
        fn(word) % (n - 1) + 1
        for word in text_to_word_sequence(text, filters, lower, split)
    ]


def one_hot(
    input_text: str,
    n: int,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """Return a number from 1 to n - 1 for each word of a text; see `hashing_trick`."""
    return hashing_trick(input_text, n, None, filters, lower, split)


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers the words of texts by their frequency, from 1 on.

    Args:
        num_words: Only the most frequent ``num_words - 1`` words are kept.
        filters: Characters that separate words.
        lower: Whether to use lower case.
        split: What stands between words.
        char_level: Whether characters are the words.
        oov_token: Stands for unknown words, as number 1; None leaves them out.

    Attributes:
        word_index: Words to numbers.
        index_word: Numbers to words.
        word_counts: Words to how often they occur.
        word_docs: Words to the number of texts with them.
        document_count: The number of texts.

    >>> tokenizer = Tokenizer(num_words=3)
    >>> tokenizer.fit_on_texts(["the cat sat", "the cat", "the dog"])
    >>> tokenizer.word_index
    {'the': 1, 'cat': 2, 'sat': 3, 'dog': 4}
    >>> tokenizer.texts_to_sequences(["the dog and the cat"])
    [[1, 1, 2]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
    ) -> None:
        """Start without words."""
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: Counter[str] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.document_count = 0

    def _words(self, text: Any) -> list[str]:
        if not isinstance(text, str):
            return [w.lower() if self.lower else w for w in text]
        if self.char_level:
            return list(text.lower() if self.lower else text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts (strings, or lists of words)."""
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            self.word_docs.update(set(words))
        ordered = sorted(self.word_counts, key=lambda w: -self.word_counts[w])
        front = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {word: i for i, word in enumerate([*front, *ordered], 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return the numbers of the words of texts."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Yield the numbers of the words of each text."""
        unknown = self.word_index.get(self.oov_token or "")
        for text in texts:
            numbers = []
            for word in self._words(text):
                number = self.word_index.get(word)
                if number is None or (self.num_words and number >= self.num_words):
                    number = unknown
                if number is not None:
                    numbers.append(number)
            yield numbers

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the texts of numbers, words joined by spaces."""
        texts = []
        for sequence in sequences:
            found = [self.index_word.get(int(i), self.oov_token) for i in sequence]
            texts.append(" ".join(word for word in found if word is not None))
        return texts

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> Array:
        """Return one row a text; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Iterable[list[int]], mode: str = "binary"
    ) -> Array:
        """Return one row a sequence of numbers.

        Args:
            sequences: Numbers of words.
            mode: ``"binary"``, ``"count"``, ``"freq"`` (shares) or ``"tfidf"``.

        Returns:
            An array ``(texts, num_words)``.

        Raises:
            ArgumentError: If the mode is unknown.
            StateError: If there are no words yet.
        """
        if mode not in _MODES:
            raise ArgumentError(f"Unknown mode {mode!r}. {nearest(mode, _MODES)}")
        size = self.num_words or len(self.word_index) + 1
        if size == 1:
            raise StateError("The Tokenizer has no words: call fit_on_texts first.")
        sequences = list(sequences)
        matrix = np.zeros((len(sequences), size))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in Counter(sequence).items():
                if number < size:
                    row[number] = self._weight(mode, number, count, len(sequence))
        return matrix

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "binary":
            return 1.0
        if mode == "tfidf":
            documents = self.word_docs.get(self.index_word.get(number, ""), 0)
            idf = np.log(1 + self.document_count / (1 + documents))
            return float((1 + np.log(count)) * idf)
        return count if mode == "count" else count / length
