"""IMDB: 50,000 film reviews, half of them favourable."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from polykeras.datasets._files import (
    KERAS_FILES,
    RemoteFile,
    Splits,
    locate,
    read_json,
)
from polykeras.datasets._safe_npz import load_npz
from polykeras.datasets._tabular import shuffle
from polykeras.datasets._text import Encoding, as_objects

__all__ = ["get_word_index", "load_data"]

_FILE: Final = RemoteFile(
    "imdb.npz",
    f"{KERAS_FILES}imdb.npz",
    "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
)
_WORDS: Final = RemoteFile(
    "imdb_word_index.json",
    f"{KERAS_FILES}imdb_word_index.json",
    "md5:bfafd718b763782e994055a2d397834f",
)


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Splits:
    """Load IMDB: 25,000 training and 25,000 test reviews as word numbers.

    A word's number is its rank in frequency plus `index_from`. With the defaults 0 is
    free for padding, 1 begins a review, and 2 stands for a word left out.

    Args:
        path: Name of the file in the data folders, or the path of a file.
        num_words: Words with a number from this on are left out; None keeps all.
        skip_top: Words with a number below this are left out.
        maxlen: Reviews that are not shorter than this are dropped; None keeps all.
        seed: Seed of the permutation of the reviews.
        start_char: Number that begins a review; None adds none.
        oov_char: Number that stands for a word left out; None puts nothing there.
        index_from: What is added to a rank.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: object arrays of shape ``(N,)`` that
        hold lists of int, and labels of shape ``(N,)``, 1 for a favourable review.

    Raises:
        ArgumentError: If no review is shorter than `maxlen`.
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        Maas et al. (2011). Learning word vectors for sentiment analysis.
    """
    encoding = Encoding(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    arrays = load_npz(locate(_FILE, path), ("x_train", "y_train", "x_test", "y_test"))
    rng = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        x, y = shuffle(rng, arrays[f"x_{part}"], arrays[f"y_{part}"])
        parts.append(encoding.select(encoding.shift(x), y))
    (train, y_train), (test, y_test) = parts
    texts = encoding.limit(train + test)
    x_train, x_test = as_objects(texts[: len(train)]), as_objects(texts[len(train) :])
    return (x_train, y_train), (x_test, y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Load the ranks of the words.

    Args:
        path: Name of the file in the data folders, or the path of a file.

    Returns:
        Each word's rank, 1 for the most frequent. `load_data` adds `index_from`.

    Raises:
        DataError: If the file cannot be found, downloaded or read.
    """
    return cast("dict[str, int]", read_json(locate(_WORDS, path)))
