"""Check class numbers on the host, before a step sees them.

A compiled step cannot raise for a value, so it would go on with a wrong loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polykeras import losses, tree
from polykeras.losses.classification import check_class_numbers
from polykeras.training._compile_loss import CompileLoss
from polykeras.training._outputs import by_output, names_of_outputs

__all__ = ["Classes", "LabelCheck", "has_numbered_classes", "numbered_classes"]


@dataclass
class Classes:
    """The number of classes of an output, and a label that does not count."""

    count: int
    ignored: int | None


def has_numbered_classes(loss: CompileLoss) -> bool:
    """Return whether any output may have classes that targets number."""
    return any(map(_numbers_classes, tree.flatten(loss.losses)))


def numbered_classes(
    loss: CompileLoss, outputs: Any, output_names: list[str] | None
) -> tuple[list[str], list[Classes | None]]:
    """Return the names of the outputs and which of them have numbered classes.

    Args:
        loss: The compiled losses.
        outputs: A structure of things with shapes.
        output_names: The names that the model gives its outputs.
    """
    names = names_of_outputs(outputs, output_names)
    _, fns, _ = loss.per_output(names)
    found: list[Classes | None] = []
    for fn, output in zip(fns, tree.flatten(outputs), strict=True):
        entry = None
        if _numbers_classes(fn):
            settings: dict[str, Any] = getattr(fn, "_fn_kwargs", {})
            count = output.shape[settings.get("axis", -1)]
            if count is not None:
                entry = Classes(count, settings.get("ignore_class"))
        found.append(entry)
    return names, found


def _numbers_classes(loss: Any) -> bool:
    return getattr(loss, "fn", None) is losses.sparse_categorical_crossentropy


class LabelCheck:
    """Refuses class numbers that the outputs do not have.

    Args:
        classes: Builds the model for some inputs and returns the names of its
            outputs and their `Classes`.
    """

    def __init__(
        self, classes: Callable[[Any], tuple[list[str], list[Classes | None]]]
    ) -> None:
        """Wait for the first inputs."""
        self._classes = classes
        self._found: tuple[list[str], list[Classes | None]] | None = None

    def __call__(self, x: Callable[[], Any], y: Any) -> bool:
        """Check the labels of some samples.

        Args:
            x: Returns the inputs of a batch, which only the first check needs.
            y: Labels as NumPy arrays; None where they are not on the host.

        Returns:
            Whether an output has numbered classes, so that more labels matter.

        Raises:
            ArgumentError: If a class number is out of range.
        """
        if self._found is None:
            self._found = self._classes(x())
        names, found = self._found
        if not any(found):
            return False
        for classes, labels in zip(
            found, by_output(y, names, "y", repeat=False), strict=True
        ):
            if classes is None or labels is None:
                continue
            values = labels
            if classes.ignored is not None:
                values = labels[labels != classes.ignored]
            check_class_numbers(np.asarray(values), classes.count)
        return True
