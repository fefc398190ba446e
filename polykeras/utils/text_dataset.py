"""`text_dataset_from_directory`: batches of texts from folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from polykeras.errors import ArgumentError
from polykeras.utils.directory import FileDataset, FileList, list_files, make_datasets

__all__ = ["text_dataset_from_directory"]

_SUFFIXES: Final = (".txt",)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str | None = None,
    verbose: bool = True,
) -> Any:
    """Return batches of the texts in folders, one folder a class.

    The result is a `PyDataset` with `class_names` and `file_paths`, and `take`, `map`,
    `cache` and `prefetch`. A `TextVectorization` makes numbers of the texts:
    ``dataset.map(lambda x, y: (vectorize(x), y))``.

    Args:
        directory: The folder that holds the folders of the classes.
        labels: ``"inferred"`` from the folders, a list with one class number a file in
            the order of their paths, or None for texts alone.
        label_mode: ``"int"`` for class numbers, ``"categorical"`` for one-hot rows,
            ``"binary"`` for 0 and 1 as floats, or None for texts alone.
        class_names: The folders to use, in the order of their numbers.
        batch_size: Texts in a batch; None yields single texts.
        max_length: Characters of a text at most; None keeps all.
        shuffle: Whether the order is random, and another in each epoch.
        seed: Where the orders come from.
        validation_split: Share of the files in the validation part.
        subset: ``"training"``, ``"validation"`` or ``"both"`` (a pair of data sets).
        follow_links: Whether links to folders are followed.
        format: Kept for Keras' signature; must be None.
        verbose: Whether to say how many files were found.

    Returns:
        A data set of ``(texts, labels)``, texts an array of strings ``(B,)``; or of
        texts alone.

    Raises:
        DataError: If there are no such files.
        ArgumentError: If arguments contradict each other.
    """
    if max_length is not None and max_length < 1:
        raise ArgumentError(f"max_length must be positive, got {max_length!r}.")
    files = list_files(directory, labels, class_names, _SUFFIXES, follow_links)

    def make(part: FileList, part_seed: int) -> _Texts:
        texts = _Texts(part, label_mode, batch_size, shuffle=shuffle, seed=part_seed)
        texts.max_length = max_length
        return texts

    return make_datasets(
        make,
        files,
        labels=labels,
        label_mode=label_mode,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        format=format,
        verbose=verbose,
    )


class _Texts(FileDataset):
    """Batches of text files."""

    max_length: int | None = None

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return Path(path).read_text(encoding="utf-8")[: self.max_length]
