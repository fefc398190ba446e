"""Labelled files in folders: one folder a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras.errors import ArgumentError, DataError, nearest
from polykeras.random import make_default_seed
from polykeras.utils.batch_dataset import SampleDataset, shuffled
from polykeras.utils.numerical import to_categorical
from polykeras.utils.printing import say

if TYPE_CHECKING:
    from polykeras.backend import Array

__all__ = ["FileDataset", "FileList", "list_files", "make_datasets"]

_LABEL_MODES: Final = ("int", "categorical", "binary", None)
_SUBSETS: Final = ("training", "validation", "both")


@dataclass(frozen=True)
class FileList:
    """Files, and the numbers of their classes."""

    paths: list[str]
    classes: list[int] | None
    class_names: list[str]

    def part(self, where: slice) -> FileList:
        """Return some of the files."""
        kept = None if self.classes is None else self.classes[where]
        return FileList(self.paths[where], kept, self.class_names)


def list_files(
    directory: Any,
    labels: Any,
    class_names: Sequence[str] | None,
    suffixes: tuple[str, ...],
    follow_links: bool,
) -> FileList:
    """Return the files below a folder in the order of their paths.

    Args:
        directory: The folder.
        labels: ``"inferred"`` from the names of the folders inside, a list with one
            class number a file, or None for no labels.
        class_names: The folders inside to use, in the order of their numbers.
        suffixes: Endings of names that count, in lower case.
        follow_links: Whether links to folders are followed.

    Raises:
        DataError: If there is no such folder, no file, or a label too few.
        ArgumentError: If `class_names` do not fit.
    """
    root = Path(directory)
    if not root.is_dir():
        raise DataError(f"There is no folder {str(root)!r}.")
    if labels != "inferred":
        if class_names is not None:
            raise ArgumentError("class_names need labels='inferred'.")
        paths = _walk(root, suffixes, follow_links)
        return _with_labels(root, paths, labels)
    folders = sorted(p.name for p in root.iterdir() if p.is_dir() and p.name[0] != ".")
    names = folders if class_names is None else list(class_names)
    if set(names) - set(folders):
        wrong = sorted(set(names) - set(folders))[0]
        raise ArgumentError(
            f"class_names holds {wrong!r}, which is no folder in {str(root)!r}. "
            f"{nearest(wrong, folders)}"
        )
    found = FileList([], [], names)
    for number, name in enumerate(names):
        paths = _walk(root / name, suffixes, follow_links)
        found.paths.extend(paths)
        assert found.classes is not None  # made two lines above
        found.classes.extend([number] * len(paths))
    return _checked(root, found, suffixes)


def _walk(root: Path, suffixes: tuple[str, ...], follow_links: bool) -> list[str]:
    found = []
    for folder, _, files in os.walk(root, followlinks=follow_links):
        found += [
            str(Path(folder) / name)
            for name in files
            if name.lower().endswith(suffixes) and not name.startswith(".")
        ]
    return sorted(found)


def _with_labels(root: Path, paths: list[str], labels: Any) -> FileList:
    if labels is None:
        return FileList(paths, None, [])
    given = [int(n) for n in labels]
    if len(given) != len(paths):
        raise DataError(
            f"labels has {len(given)} entries, but {str(root)!r} holds {len(paths)} "
            "files. There must be one a file, in the order of the paths."
        )
    return FileList(paths, given, [str(n) for n in sorted(set(given))])


def _checked(root: Path, files: FileList, suffixes: tuple[str, ...]) -> FileList:
    if not files.paths:
        raise DataError(
            f"No files ending in {', '.join(suffixes)} were found in the folders of "
            f"{str(root)!r}. Put the files of each class into a folder of its own."
        )
    return files


class FileDataset(SampleDataset):
    """Batches of what some files hold, with their labels.

    Subclasses define `read`.

    Attributes:
        file_paths: The files.
        class_names: The names of the classes, in the order of their numbers.
    """

    def __init__(
        self,
        files: FileList,
        label_mode: str | None,
        batch_size: int | None,
        **more: Any,
    ) -> None:
        """Keep the files and encode their labels."""
        super().__init__(len(files.paths), batch_size, **more)
        self.file_paths = files.paths
        self.class_names = files.class_names
        self.labels = _encoded(files, label_mode)

    def read(self, path: str) -> Any:
        """Return what a file holds."""
        raise NotImplementedError

    def samples(self, numbers: Array) -> Any:
        """Return what files hold, and their labels if there are any."""
        x = np.stack([self.read(self.file_paths[i]) for i in numbers])
        return x if self.labels is None else (x, self.labels[numbers])


def _encoded(files: FileList, label_mode: str | None) -> Array | None:
    if files.classes is None or label_mode is None:
        return None
    numbers = np.array(files.classes, "int32")
    if label_mode == "binary":
        if len(files.class_names) != 2:
            raise ArgumentError(
                "label_mode='binary' needs two classes, but there are "
                f"{len(files.class_names)}: {files.class_names}. Use 'int' or "
                "'categorical'."
            )
        return numbers[:, None].astype("float32")
    if label_mode == "categorical":
        encoded: Array = to_categorical(numbers, len(files.class_names))
        return encoded.astype("float32")
    return numbers


def make_datasets(
    make: Any,
    files: FileList,
    *,
    labels: Any,
    label_mode: str | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    format: str | None,
    verbose: bool,
) -> Any:
    """Return one data set of files, or two where both parts are asked for.

    Args:
        make: Called with the files of a part and its seed.
        files: All files.
        labels: As for `list_files`.
        label_mode: ``"int"``, ``"categorical"``, ``"binary"`` or None.
        shuffle: Whether files are drawn in random order.
        seed: Where the order comes from.
        validation_split: Share of the files in the validation part.
        subset: ``"training"``, ``"validation"`` or ``"both"``, with a split.
        format: Must be None.
        verbose: Whether to say how many files were found.

    Raises:
        ArgumentError: If the arguments contradict each other.
    """
    if label_mode not in _LABEL_MODES:
        allowed = ("int", "categorical", "binary")
        raise ArgumentError(
            f"Unknown label_mode {label_mode!r}. {nearest(label_mode, allowed)}"
        )
    if labels is None and label_mode is not None:
        raise ArgumentError("labels=None needs label_mode=None, too.")
    if format is not None:
        raise ArgumentError(
            f"format={format!r} is not supported: the result is a PyDataset, which "
            "needs no other package. Leave the argument out."
        )
    if (validation_split is None) != (subset is None):
        raise ArgumentError(
            "validation_split and subset belong together, got "
            f"{validation_split!r} and {subset!r}."
        )
    if verbose:
        say(
            f"Found {len(files.paths)} files"
            + (f" belonging to {len(files.class_names)} classes." if labels else ".")
        )
    if validation_split is None:
        return make(files, make_default_seed() if seed is None else seed)
    if subset not in _SUBSETS:
        raise ArgumentError(f"Unknown subset {subset!r}. {nearest(subset, _SUBSETS)}")
    if not 0 < validation_split < 1:
        raise ArgumentError(
            f"validation_split must lie between 0 and 1, got {validation_split!r}."
        )
    if shuffle and seed is None:
        raise ArgumentError(
            "With shuffle=True a split needs a seed, so that the two parts share no "
            "file."
        )
    if shuffle:
        order = shuffled(len(files.paths), seed or 0)
        files = FileList(
            [files.paths[i] for i in order],
            None if files.classes is None else [files.classes[i] for i in order],
            files.class_names,
        )
    cut = len(files.paths) - int(validation_split * len(files.paths))
    parts = {
        "training": files.part(slice(0, cut)),
        "validation": files.part(slice(cut, None)),
    }
    chosen = ["training", "validation"] if subset == "both" else [str(subset)]
    if verbose:
        for name in chosen:
            say(f"Using {len(parts[name].paths)} files for {name}.")
    made = [make(parts[name], seed or 0) for name in chosen]
    return tuple(made) if subset == "both" else made[0]
