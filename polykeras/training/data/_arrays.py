"""Batches from arrays in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from polykeras import config, dtypes, tree
from polykeras.backend import Array, Buffers, active
from polykeras.errors import ArgumentError, DataError
from polykeras.ops._abstract import AbstractEngine, Spec
from polykeras.ops._operands import Operand
from polykeras.training.data._adapter import DataAdapter, DrawOrder, unpack
from polykeras.training.data._ahead import RunGroup
from polykeras.training.data._groups import (
    Group,
    Plan,
    PlanFor,
    Rows,
    gathered,
    grouped,
)
from polykeras.utils.packing import pack_x_y_sample_weight

__all__ = [
    "ArrayAdapter",
    "class_weights",
    "is_ready",
    "is_text",
    "to_host",
    "to_tensor",
]

# Data up to this size stay on the device for a whole run; larger ones are streamed, in
# blocks of about this size.
_RESIDENT_BYTES: Final = 2**29
_BLOCK_BYTES: Final = 2**25
# The device reads one while the next is filled.
_blocks: Final = Buffers(2 * _BLOCK_BYTES, 2)

_KEPT: Final = frozenset(map(np.dtype, ("bool", "uint8", "int8", "int16", "int32")))
_FLOATS: Final = {name: np.dtype(name) for name in ("float16", "float32", "float64")}


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
    if array.dtype.kind == "f":
        return array.astype(dtypes.as_numpy_dtype(config.floatx()), copy=False)
    if array.dtype in (np.int64, np.uint64, np.uint32) and array.size:
        limits = np.iinfo(np.int32)
        if array.min() >= limits.min and array.max() <= limits.max:
            return array.astype(np.int32)
    return array


def is_ready(batch: Any) -> bool:
    """Return whether a batch is a tuple of arrays that `to_host` would not change."""
    if type(batch) is not tuple or not 1 <= len(batch) <= 3:
        return False
    floats = _FLOATS.get(config.floatx())
    for a in batch:
        if type(a) is not np.ndarray or not (a.dtype is floats or a.dtype in _KEPT):
            return False
    return True


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
        parts = pack_x_y_sample_weight(x, y)
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
        self._rest: Iterator[Array] | None = None
        self._wanted = 1
        self._pads = False
        self._tensors: list[Any] | None = None
        self._spec: Any = None
        self._inspected = False

    @contextmanager
    def epoch(self) -> Iterator[Iterator[Any]]:
        """Yield the batches of an epoch."""
        yield self._epoch(None)

    @contextmanager
    def groups(
        self, plan_for: PlanFor, runner: RunGroup | None = None
    ) -> Iterator[Iterator[Group]]:
        """Yield the batches of an epoch, as `Rows` where the plan takes them."""
        plan = plan_for(self._example())
        leaves = [a for a in self._leaves if a is not None]
        size = sum(a.nbytes for a in leaves)
        if not plan.capacity or any(map(is_text, leaves)):
            yield grouped(self._epoch(None), lambda _: plan)
        elif size <= _RESIDENT_BYTES:
            yield self._epoch(plan, self._resident, plan.capacity)
        else:
            fits = _BLOCK_BYTES * self._size // (size * self._batch_size)
            capacity = min(plan.capacity, 1 << max(fits.bit_length() - 1, 0))
            yield self._epoch(plan, self._streamed, capacity)

    def _example(self) -> Any:
        """Return a batch with `Spec` for tensors."""
        if self._spec is not None:
            return self._spec
        size = min(self._batch_size, self._size)
        engine = AbstractEngine(active())

        def spec(a: Array) -> Any:
            if is_text(a):
                return a[:size]
            return Spec((size, *a.shape[1:]), engine.convert_to_tensor(a).dtype)

        self._spec = gathered(self._leaves, self._form, spec)
        return self._spec

    def _epoch(
        self,
        plan: Plan | None,
        group: Callable[[Array, int], Rows] | None = None,
        capacity: int = 1,
    ) -> Iterator[Any]:
        """Yield single batches, or groups of rows where there is a plan."""
        assert self.steps is not None
        left = self.steps - self._take_done()
        partial = plan is not None and self._size % self._batch_size > 0
        self._pads = partial and plan is not None and plan.pads
        if self._rest is None or not self._endless:
            self._rest = self._rows()
        try:
            while left > 0:
                self._wanted = 1 if plan is None else min(plan.rows, capacity, left)
                where = next(self._rest, None)
                if where is None:
                    if not self._endless:
                        return
                    self._rest = self._rows()
                    continue
                if group is None:
                    yield self._batch(where)
                else:
                    self._inspect_once(self._example())
                    # A batch of another size is the last of its pass and alone.
                    whole = self._pads or len(where) >= self._batch_size
                    yield group(where, capacity if whole else 1)
                left -= -(-len(where) // self._batch_size)
        finally:
            if not self._endless:
                # It refers to the adapter, which would hold the data until Python
                # looks for cycles.
                self._rest = None

    @property
    def _goes_on(self) -> bool:
        return self._endless

    def _rows(self) -> Iterator[Array]:
        """Go through the data once, some batches at a time, and yield their rows."""
        order = None if self._draw_order is None else self._draw_order(self._size)
        skip = self._take_skip()
        self._passed = skip
        start = skip * self._batch_size
        while start < self._size:
            whole = (self._size - start) // self._batch_size
            if self._pads:
                whole = -((start - self._size) // self._batch_size)
            count = min(self._wanted, max(whole, 1))
            stop = min(start + count * self._batch_size, self._size)
            self._passed += count
            yield np.arange(start, stop) if order is None else order[start:stop]
            start = stop

    def _batch(self, where: Array) -> Any:
        if self._draw_order is None:
            rows = slice(int(where[0]), int(where[-1]) + 1)
            batch = gathered(self._leaves, self._form, lambda a: to_tensor(a[rows]))
        else:
            batch = gathered(
                self._leaves, self._form, lambda a: to_tensor(a.take(where, 0))
            )
        self._inspect_once(batch)
        return batch

    def _resident(self, where: Array, capacity: int) -> Rows:
        """Return numbers of rows in tensors that hold all data."""
        if self._tensors is None:
            # Steps gather copies of rows, or read a part of the rows.
            self._tensors = [
                None if a is None else active().argument(a) for a in self._leaves
            ]
        numbers = self._numbered(where.astype(np.int32))
        return self._as_rows(self._tensors, numbers, capacity, len(where))

    def _streamed(self, where: Array, capacity: int) -> Rows:
        """Return numbers of rows in tensors that hold these rows only.

        The device works on a group while the next one is gathered here.
        """
        numbers = self._numbered(np.arange(len(where), dtype=np.int32))
        batch = numbers.shape[1]

        def block(a: Array) -> Any:
            rows = _blocks.empty((capacity * batch, *a.shape[1:]), a.dtype)
            np.take(a, where, axis=0, out=rows[: len(where)], mode="clip")
            return active().argument(rows)

        tensors = [None if a is None else block(a) for a in self._leaves]
        return self._as_rows(tensors, numbers, capacity, len(where))

    def _as_rows(
        self, tensors: list[Any], numbers: Array, capacity: int, samples: int
    ) -> Rows:
        ordered = self._draw_order is None and samples == numbers.size
        return Rows(
            tensors, self._form, numbers, capacity, samples, self._pads, ordered
        )

    def _numbered(self, rows: Array) -> Array:
        """Return numbers of rows by batch; the last row fills a last batch up."""
        if self._pads:
            missing = -len(rows) % self._batch_size
            rows = np.concatenate([rows, np.full(missing, rows[-1], rows.dtype)])
        return rows.reshape(-1, min(self._batch_size, len(rows)))

    def _inspect_once(self, batch: Any) -> None:
        if self.inspect is not None and not self._inspected:
            y = unpack(tree.unflatten_leaves(self._form, self._leaves))[1]
            self.inspect(lambda: unpack(batch)[0], y)
            self._inspected = True


def _common_length(parts: Any, leaves: list[Any]) -> int:
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
