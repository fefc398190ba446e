"""Batches from arrays in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np

from polykeras import config, dtypes, tree
from polykeras.backend import Array, active
from polykeras.errors import ArgumentError, DataError
from polykeras.ops._operands import Operand
from polykeras.training.data._adapter import DataAdapter, DrawOrder, unpack

__all__ = ["ArrayAdapter", "class_weights", "is_text", "to_host", "to_tensor"]


def to_host(x: Any) -> Array:
    """Return a NumPy array in a dtype that training uses.

    Floats become floatx, and 64-bit integers that fit become int32: models compute
    in these, and halving the width halves what is moved. Text stays text.
    """
    if isinstance(x, Operand):
        x = x.operand()
    engine = active().host
    if engine.is_tensor(x):
        array = engine.to_numpy(x)
    elif hasattr(x, "to_numpy"):
        array = x.to_numpy()
    else:
        array = np.asarray(x)
    if array.dtype.kind in "SU":
        return array
    if array.dtype == object and all(isinstance(v, str) for v in array.flat):
        return array.astype(str)
    if array.dtype == object:
        try:
            array = array.astype(dtypes.as_numpy_dtype(config.floatx()))
        except (TypeError, ValueError) as error:
            raise DataError(
                "The data hold Python objects that are not numbers (rows of unequal "
                "length, or columns of text). Pad the rows or encode the columns."
            ) from error
    if array.dtype.kind == "f" and array.dtype.name != config.floatx():
        return array.astype(dtypes.as_numpy_dtype(config.floatx()))
    if array.dtype in (np.int64, np.uint64, np.uint32) and array.size:
        limits = np.iinfo(np.int32)
        if array.min() >= limits.min and array.max() <= limits.max:
            return array.astype(np.int32)
    return array


def is_text(x: Any) -> bool:
    """Return whether `x` is an array of strings, which stays on the host."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "SU"


def to_tensor(array: Array) -> Any:
    """Return a tensor of the active backend; text stays as it is."""
    return array if is_text(array) else active().convert_to_tensor(array)


class ArrayAdapter(DataAdapter):
    """Slices arrays, in an order drawn anew for each epoch.

    Args:
        x: A structure of arrays.
        y: Likewise, or None.
        sample_weight: Likewise, or None.
        batch_size: Samples in a batch.
        steps: Batches in an epoch; None means all.
        repeat: Whether an epoch goes on where the one before ended.
        draw_order: Returns the order of an epoch's samples; None keeps them.
        class_weight: Class to the weight of its samples.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        *,
        batch_size: int,
        steps: int | None,
        repeat: bool,
        draw_order: DrawOrder | None,
        class_weight: dict[int, float] | None,
    ) -> None:
        """Check that lengths agree."""
        if batch_size < 1:
            raise ArgumentError(
                f"batch_size must be a positive integer, got {batch_size!r}."
            )
        parts: tuple[Any, ...] = (x,) if y is None else (x, y)
        if sample_weight is not None:
            parts = (x, y, sample_weight)
        self._leaves, self._form = tree.flatten_leaves(parts)
        self._leaves = [None if a is None else to_host(a) for a in self._leaves]
        self._size = _common_length(parts, self._leaves)
        if class_weight is not None:
            if y is None or sample_weight is not None:
                raise ArgumentError("class_weight needs y and excludes sample_weight.")
            x, y = tree.unflatten_leaves(self._form, self._leaves)
            weighted = (x, y, class_weights(y, class_weight))
            self._leaves, self._form = tree.flatten_leaves(weighted)
        self._batch_size = batch_size
        self._draw_order = draw_order
        whole = -(-self._size // batch_size)
        self._endless = repeat and steps is not None and steps != whole
        self.steps = whole if steps is None else steps
        if not self._endless:
            self.steps = min(self.steps, whole)
        self._rest: Iterator[Any] | None = None
        self._inspected = False

    @contextmanager
    def epoch(self) -> Iterator[Iterator[Any]]:
        """Yield the batches of an epoch."""
        assert self.steps is not None
        left = self.steps - self._take_done()
        if not self._endless:
            yield islice(self._pass(), left)
            return
        if self._rest is None:
            self._rest = self._forever()
        yield islice(self._rest, left)

    @property
    def _goes_on(self) -> bool:
        return self._endless

    def _forever(self) -> Iterator[Any]:
        while True:
            yield from self._pass()

    def _pass(self) -> Iterator[Any]:
        order = None if self._draw_order is None else self._draw_order(self._size)
        skip = self._take_skip()
        self._passed = skip
        for start in range(skip * self._batch_size, self._size, self._batch_size):
            where: Any = slice(start, start + self._batch_size)
            if order is not None:
                where = order[where]
            batch = tree.unflatten_leaves(
                self._form,
                [None if a is None else to_tensor(a[where]) for a in self._leaves],
            )
            if self.inspect is not None and not self._inspected:
                y = unpack(tree.unflatten_leaves(self._form, self._leaves))[1]
                self.inspect(batch[0], y)
                self._inspected = True
            self._passed += 1
            yield batch


def _common_length(parts: tuple[Any, ...], leaves: list[Any]) -> int:
    lengths = {len(a) for a in leaves if a is not None and a.ndim}
    if any(a is not None and a.ndim == 0 for a in leaves):
        raise DataError("The data hold a single number where an array is needed.")
    if len(lengths) != 1:
        x, y, weight = unpack(parts)
        shown = {
            name: [tuple(np.shape(a)) for a in tree.flatten(value) if a is not None]
            for name, value in (("x", x), ("y", y), ("sample_weight", weight))
            if value is not None
        }
        raise DataError(
            f"All data must have the same number of samples, but the shapes are "
            f"{shown}."
        )
    (size,) = lengths
    if size == 0:
        raise DataError("The data are empty: they hold 0 samples.")
    return size


def class_weights(y: Any, class_weight: dict[int, float]) -> Array:
    """Return the weight of each sample by its class.

    Args:
        y: Class numbers, or one-hot rows.
        class_weight: Class to weight; classes left out weigh 1.

    Raises:
        ArgumentError: If there are several targets.
    """
    leaves = tree.flatten(y)
    if len(leaves) != 1:
        raise ArgumentError("class_weight works for models with one output only.")
    classes = np.asarray(leaves[0])
    if classes.ndim > 1 and classes.shape[-1] > 1:
        classes = classes.argmax(axis=-1)
    classes = classes.reshape(len(classes), -1)[:, 0].astype(np.int64)
    weights = np.ones(len(classes), dtypes.as_numpy_dtype(config.floatx()))
    for label, weight in class_weight.items():
        if not str(label).isdigit():
            raise ArgumentError(
                f"class_weight maps numbers of classes to weights, got {label!r}."
            )
        weights[classes == int(label)] = weight
    return weights
