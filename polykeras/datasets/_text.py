"""Texts as lists of word ranks: the encoding that IMDB and Reuters share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polykeras.errors import ArgumentError

__all__ = ["Encoding", "as_objects"]


@dataclass(frozen=True)
class Encoding:
    """How word ranks become numbers.

    Attributes:
        num_words: Numbers from this on are out of the vocabulary; None is the largest
            number, which Keras thus leaves out too.
        skip_top: Numbers below this are out of the vocabulary.
        maxlen: Texts that are not shorter than this, start included, are left out.
        start_char: Begins each text; None leaves it off.
        oov_char: Stands for what is out of the vocabulary; None leaves it off.
        index_from: Added to each rank.
    """

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int

    def shift(self, texts: Iterable[Sequence[int]]) -> list[list[int]]:
        """Add `index_from` and `start_char`."""
        start = [] if self.start_char is None else [self.start_char]
        offset = self.index_from
        return [start + [rank + offset for rank in text] for text in texts]

    def select(
        self, texts: list[list[int]], labels: NDArray[Any]
    ) -> tuple[list[list[int]], NDArray[Any]]:
        """Leave out the texts that are too long.

        Raises:
            ArgumentError: If no text remains.
        """
        if not self.maxlen:
            return texts, labels
        kept = [i for i, text in enumerate(texts) if len(text) < self.maxlen]
        if not kept:
            shortest = min(map(len, texts), default=0)
            raise ArgumentError(
                f"No text is shorter than maxlen={self.maxlen}; the shortest has "
                f"{shortest} words, its start included. Raise `maxlen`."
            )
        return [texts[i] for i in kept], labels[kept]

    def limit(self, texts: list[list[int]]) -> list[list[int]]:
        """Replace or leave out what is out of the vocabulary."""
        top = self.num_words or max((max(t, default=0) for t in texts), default=0)
        low, oov = self.skip_top, self.oov_char
        if oov is None:
            return [[word for word in text if low <= word < top] for text in texts]
        return [[word if low <= word < top else oov for word in text] for text in texts]


def as_objects(texts: list[list[int]]) -> NDArray[np.object_]:
    """Return a vector of lists, also where all lists have the same length."""
    array = np.empty(len(texts), dtype=object)
    for i, text in enumerate(texts):
        array[i] = text
    return array
