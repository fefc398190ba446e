"""Reuters: 11,228 newswires on 46 topics."""

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
from polykeras.datasets._tabular import check_test_split, load_samples, shuffle, split
from polykeras.datasets._text import Encoding, as_objects

__all__ = ["get_label_names", "get_word_index", "load_data"]

_FILE: Final = RemoteFile(
    "reuters.npz",
    f"{KERAS_FILES}reuters.npz",
    "sha256:d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
)
_WORDS: Final = RemoteFile(
    "reuters_word_index.json",
    f"{KERAS_FILES}reuters_word_index.json",
    "md5:4d44cc38712099c9e383dc6e5f11a921",
)
_LABELS: Final = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade "
    "reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed "
    "alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat "
    "jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Splits:
    """Load Reuters: 11,228 newswires as word numbers, with one of 46 topics each.

    A word's number is its rank in frequency plus `index_from`. With the defaults 0 is
    free for padding, 1 begins a newswire, and 2 stands for a word left out.

    Args:
        path: Name of the file in the data folders, or the path of a file.
        num_words: Words with a number from this on are left out; None keeps all.
        skip_top: Words with a number below this are left out.
        maxlen: Newswires that are not shorter than this are dropped; None keeps all.
        test_split: Share of the newswires kept for testing, from 0 to below 1.
        seed: Seed of the permutation that comes before the split.
        start_char: Number that begins a newswire; None adds none.
        oov_char: Number that stands for a word left out; None puts nothing there.
        index_from: What is added to a rank.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: object arrays of shape ``(N,)`` that
        hold lists of int, and topics of shape ``(N,)``, 0 to 45.

    Raises:
        ArgumentError: If `test_split` is out of range or nothing is shorter than
            `maxlen`.
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        Lewis (1997). Reuters-21578, Distribution 1.0; free for research.
    """
    check_test_split(test_split)
    encoding = Encoding(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    x, y = load_samples(locate(_FILE, path))
    x, y = shuffle(np.random.RandomState(seed), x, y)
    texts, y = encoding.select(encoding.shift(x), y)
    return split(as_objects(encoding.limit(texts)), y, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Load the ranks of the words.

    Args:
        path: Name of the file in the data folders, or the path of a file.

    Returns:
        Each word's rank, 1 for the most frequent. `load_data` adds `index_from`.

    Raises:
        DataError: If the file cannot be found, downloaded or read.
    """
    return cast("dict[str, int]", read_json(locate(_WORDS, path)))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the 46 topics in the order of their labels.

    >>> get_label_names()[3:5]
    ('earn', 'acq')
    """
    return tuple(_LABELS.split())
