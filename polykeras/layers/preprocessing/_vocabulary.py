"""A vocabulary: tokens with special ones in front, counted from data or given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from polykeras.backend import Array
from polykeras.errors import ArgumentError, DataError, ShapeError

__all__ = ["TokenCounts", "Words", "checked_weights", "read_tokens", "unique_tokens"]

Token = Any


def read_tokens(given: Any) -> list[Token]:
    """Return the tokens of a vocabulary: an array, a list, or a file of lines.

    Raises:
        ArgumentError: If it is none of these.
        DataError: If there is no such file.
    """
    if isinstance(given, str | Path):
        path = Path(given)
        if not path.is_file():
            raise DataError(
                f"The vocabulary file {str(path)!r} does not exist. Pass the path of a "
                "text file with one token a line, or the tokens."
            )
        return path.read_text(encoding="utf-8").splitlines()
    if hasattr(given, "shape"):
        return list(np.asarray(given).ravel().tolist())
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise ArgumentError(
            "A vocabulary is a list of tokens, an array or the path of a file, "
            f"got {given!r} ({type(given).__name__})."
        )
    return list(given)


def unique_tokens(layer: str, tokens: Sequence[Token], special: set[Token]) -> None:
    """Check that no token occurs twice or stands for something else.

    Raises:
        ArgumentError: If one does.
    """
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        raise ArgumentError(
            f"The vocabulary of {layer} holds tokens more than once: {twice[:5]}."
        )
    taken = [token for token in tokens if token in special]
    if taken:
        raise ArgumentError(
            f"The vocabulary of {layer} holds {taken[0]!r} after its beginning, where "
            "the special tokens (mask and out-of-vocabulary) stand."
        )


class Words:
    """The tokens of a vocabulary, in order, and their numbers.

    An object rather than a list, which layers look into for variables.

    Args:
        tokens: The tokens, without special ones.
        start: The number of the first.
    """

    def __init__(self, tokens: list[Token], start: int) -> None:
        """Number the tokens."""
        self.tokens = tokens
        self.numbers = {token: start + i for i, token in enumerate(tokens)}


class TokenCounts:
    """How often tokens occur in data, and in how many samples."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.tokens: Counter[Token] = Counter()
        self.samples: Counter[Token] = Counter()
        self.number = 0

    def update(self, data: Array, samples: bool) -> None:
        """Count a batch: the last axis is that of a sample.

        Args:
            data: Tokens of any shape.
            samples: Whether to count the samples that a token occurs in, too.
        """
        unique, counts = np.unique(data, return_counts=True)
        self._add(self.tokens, unique, counts)
        if not samples:
            return
        rows = data.reshape(-1, data.shape[-1]) if data.ndim > 1 else data[:, None]
        self.number += len(rows)
        for row in rows:
            self.samples.update(set(row.tolist()))

    def update_rows(self, rows: Iterable[Sequence[Token]], samples: bool) -> None:
        """Count a batch of samples of unequal length.

        Args:
            rows: The tokens of each sample.
            samples: Whether to count the samples that a token occurs in, too.
        """
        for row in rows:
            self.tokens.update(row)
            if samples:
                self.number += 1
                self.samples.update(set(row))

    @staticmethod
    def _add(counter: Counter[Token], tokens: Array, counts: Array) -> None:
        for token, count in zip(tokens.tolist(), counts.tolist(), strict=True):
            counter[token] += count

    def most_common(self, without: set[Token], limit: int | None) -> list[Token]:
        """Return tokens by falling frequency; of equal ones, the last in order first.

        Args:
            without: Tokens to leave out.
            limit: How many to return at most.
        """
        kept = [(n, token) for token, n in self.tokens.items() if token not in without]
        kept.sort(reverse=True)
        return [token for _, token in kept[:limit]]

    def inverse_frequencies(self, tokens: Iterable[Token]) -> Array:
        """Return ``log(1 + N / (1 + n))`` for tokens in n of N samples."""
        found = np.array([self.samples[token] for token in tokens], "float64")
        return np.log1p(self.number / (1.0 + found))


def checked_weights(layer: str, weights: Any, size: int) -> Array:
    """Return one weight a token.

    Raises:
        ShapeError: If there are more or fewer weights than tokens.
    """
    array = np.asarray(weights, "float64").ravel()
    if len(array) != size:
        raise ShapeError(
            f"{layer} has {size} tokens in its vocabulary, but {len(array)} "
            "idf_weights."
        )
    return array
