"""Linear algebra beyond products, row by row.

ONNX has no operators for it. The sizes of matrices are known, so each algorithm is
written out: a few nodes for each row.

Reference: Golub and Van Loan, 2013, "Matrix Computations", 4th edition, algorithms
3.1.1, 3.1.2, 3.4.1, 4.2.1 and 5.2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.errors import OperationNotSupported
from polykeras.export._batch_sizes import BatchSize
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import number, rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []

_LAST: Final = np.iinfo(np.int64).max
_MAX_ROWS: Final = 128


def _sizes(g: Graph, x: Any) -> tuple[int, int]:
    rows, columns = (g.size_of(x, axis - 2 + len(x.shape)) for axis in (0, 1))
    if isinstance(rows, BatchSize) or isinstance(columns, BatchSize):
        raise OperationNotSupported("A matrix with the batch as an axis.")
    if min(rows, columns) > _MAX_ROWS:
        raise OperationNotSupported(
            f"ONNX export writes linear algebra out row by row, for up to {_MAX_ROWS} "
            f"rows; a matrix has {rows} rows and {columns} columns."
        )
    return rows, columns


def _part(g: Graph, x: str, rows: Any, columns: Any) -> str:
    """Return rows ``(first, last)`` and columns of matrices; None means all."""
    axes = [
        (axis, *ends) for axis, ends in ((-2, rows), (-1, columns)) if ends is not None
    ]
    starts, stops = (g.integers([a[i] for a in axes]) for i in (1, 2))
    return str(g.node("Slice", x, starts, stops, g.integers([a[0] for a in axes])))


def _only(g: Graph, x: str, kept: Any, dtype: str) -> str:
    """Return entries where an array of truths says so, and zeros elsewhere."""
    return str(g.node("Mul", x, g.constant(kept.astype(dtypes.as_numpy_dtype(dtype)))))


def _transposed(g: Graph, x: str, rank: int) -> str:
    perm = [*range(rank - 2), rank - 1, rank - 2]
    return str(g.node("Transpose", x, perm=perm))


def _nan_where(g: Graph, bad: str, x: str, dtype: str) -> str:
    return str(g.node("Where", bad, number(g, float("nan"), dtype), x))


def _any(g: Graph, truths: str, axes: list[int]) -> str:
    """Return whether some are true, with the axes kept."""
    found = g.node("ReduceMax", g.cast(truths, "int32"), g.integers(axes), keepdims=1)
    return g.cast(found, "bool")


# -- triangles -------------------------------------------------------------------


def _substituted(
    g: Graph, a: str, b: str, rows: int, *, lower: bool, unit: bool = False
) -> str:
    """Return x such that a x = b, one row after the other."""
    solved: list[str] = []
    order = range(rows) if lower else range(rows - 1, -1, -1)
    for i in order:
        row = _part(g, b, (i, i + 1), None)
        if not unit:
            row = g.node("Div", row, _part(g, a, (i, i + 1), (i, i + 1)))
        solved.append(row)
        b = g.node("Sub", b, g.node("MatMul", _part(g, a, None, (i, i + 1)), row))
    return str(g.node("Concat", *(solved if lower else reversed(solved)), axis=-2))


def _as_matrix(g: Graph, a: Any, b: Any) -> tuple[str, bool]:
    name = g.name(b)
    if len(b.shape) == len(a.shape):
        return name, False
    return g.node("Unsqueeze", name, g.integers([-1])), True


def _zero_on_diagonal(g: Graph, a: str, rows: int, dtype: str) -> str:
    diagonal = g.node(
        "ReduceSum", _only(g, a, np.eye(rows), dtype), g.integers([-1]), keepdims=1
    )
    return _any(g, g.node("Equal", diagonal, number(g, 0, dtype)), [-2, -1])


@rule("solve_triangular")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    a, b, lower = call.args
    rows, _ = _sizes(g, a)
    right, is_vector = _as_matrix(g, a, b)
    if not rows:
        return g.node("Identity", g.name(b))
    x = _substituted(g, g.name(a), right, rows, lower=lower)
    x = _nan_where(g, _zero_on_diagonal(g, g.name(a), rows, a.dtype), x, a.dtype)
    return g.node("Squeeze", x, g.integers([-1])) if is_vector else x


@rule("cholesky")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, upper = call.args
    rows, _ = _sizes(g, x)
    rank, dtype = len(x.shape), x.dtype
    if not rows:
        return g.node("Identity", g.name(x))
    a = g.node("Add", g.name(x), _transposed(g, g.name(x), rank))
    a = g.node("Mul", a, number(g, 0.5, dtype))
    columns = []
    for j in range(rows):
        root = g.node("Sqrt", _part(g, a, (j, j + 1), (j, j + 1)))
        column = g.node("Div", _part(g, a, None, (j, j + 1)), root)
        column = _only(g, column, np.arange(rows)[:, None] >= j, dtype)
        columns.append(column)
        square = g.node("MatMul", column, _transposed(g, column, rank))
        a = g.node("Sub", a, square)
    factor = g.node("Concat", *columns, axis=-1)
    # A root of a negative number or a division by zero spreads NaN.
    factor = _nan_where(g, _any(g, g.node("IsNaN", factor), [-2, -1]), factor, dtype)
    return _transposed(g, factor, rank) if upper else factor


# -- elimination -----------------------------------------------------------------


def _exchanged(g: Graph, i: int, pivot: str, rows: int) -> str:
    """Return the numbers of rows after two are exchanged: ``(..., rows, 1)``."""
    numbers = g.constant(np.arange(rows)[:, None])
    here = g.constant(np.array(i))
    other = g.node("Where", g.node("Equal", numbers, pivot), here, numbers)
    return str(g.node("Where", g.node("Equal", numbers, here), pivot, other))


def _rows_of(g: Graph, x: str, numbers: str) -> str:
    numbers = g.node("Expand", numbers, g.node("Shape", x))
    return str(g.node("GatherElements", x, numbers, axis=-2))


def _eliminated(
    g: Graph, a: str, size: tuple[int, int], dtype: str
) -> tuple[str, list[str]]:
    """Return the LU factors in one matrix, and the pivots, each ``(..., 1, 1)``."""
    rows, columns = size
    pivots = []
    zero = number(g, 0, dtype)
    for j in range(min(rows, columns)):
        below = g.node("Abs", _part(g, a, (j, _LAST), (j, j + 1)))
        pivot = g.node("ArgMax", below, axis=-2, keepdims=1)
        pivot = g.node("Add", pivot, g.constant(np.array(j)))
        pivots.append(pivot)
        a = _rows_of(g, a, _exchanged(g, j, pivot, rows))
        top = _part(g, a, (j, j + 1), (j, j + 1))
        # Of a column of zeros nothing is subtracted.
        safe = g.node("Where", g.node("Equal", top, zero), number(g, 1, dtype), top)
        under = np.arange(rows)[:, None] > j
        factor = g.node("Div", _part(g, a, None, (j, j + 1)), safe)
        factor = _only(g, factor, under, dtype)
        row = _only(g, _part(g, a, (j, j + 1), None), np.arange(columns) > j, dtype)
        a = g.node("Sub", a, g.node("MatMul", factor, row))
        here = g.constant(under & (np.arange(columns) == j))
        a = g.node("Where", here, factor, a)
    return a, pivots


@rule("lu_factor")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x = call.args[0]
    size = _sizes(g, x)
    dtype = call.outputs[1].dtype
    if not min(size):
        nothing = g.node("Expand", g.cast(g.integers([0]), dtype), g.shape(shapes[1]))
        return [g.node("Identity", g.name(x)), nothing]
    factors, pivots = _eliminated(g, g.name(x), size, x.dtype)
    joined = g.node("Squeeze", g.node("Concat", *pivots, axis=-2), g.integers([-1]))
    return [factors, g.cast(joined, dtype)]


@rule("solve")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    a, b = call.args
    rows, _ = _sizes(g, a)
    right, is_vector = _as_matrix(g, a, b)
    if not rows:
        return g.node("Identity", g.name(b))
    # Leading axes broadcast before rows are exchanged.
    whole = shapes[0] if not is_vector else (*shapes[0], 1)
    right = g.node("Expand", right, g.shape(whole))
    left = g.node("Expand", g.name(a), g.shape([*whole[:-2], rows, rows]))
    factors, pivots = _eliminated(g, left, (rows, rows), a.dtype)
    for j, pivot in enumerate(pivots):
        right = _rows_of(g, right, _exchanged(g, j, pivot, rows))
    x = _substituted(g, factors, right, rows, lower=True, unit=True)
    x = _substituted(g, factors, x, rows, lower=False)
    x = _nan_where(g, _zero_on_diagonal(g, factors, rows, a.dtype), x, a.dtype)
    return g.node("Squeeze", x, g.integers([-1])) if is_vector else x


# -- reflections -----------------------------------------------------------------


@rule("qr")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, mode = call.args
    rows, columns = _sizes(g, x)
    rank, dtype = len(x.shape), x.dtype
    kept = rows if mode == "complete" else min(rows, columns)
    zero, one = number(g, 0, dtype), number(g, 1, dtype)
    r = g.name(x)
    eye = g.constant(np.eye(rows, dtype=dtypes.as_numpy_dtype(dtype)))
    q = g.node("Expand", eye, g.shape([*shapes[0][:-2], rows, rows]))
    for j in range(min(rows - 1, columns)):
        at = np.arange(rows)[:, None]
        column = _only(g, _part(g, r, None, (j, j + 1)), at >= j, dtype)
        norm = g.node(
            "Sqrt",
            g.node("ReduceSum", g.node("Mul", column, column), g.integers([-2])),
        )
        # Away from zero, so that nothing cancels.
        negative = g.node("Less", _part(g, column, (j, j + 1), None), zero)
        step = g.node("Where", negative, g.node("Neg", norm), norm)
        v = g.node("Add", column, _only(g, step, at == j, dtype))
        square = g.node("ReduceSum", g.node("Mul", v, v), g.integers([-2]))
        square = g.node("Where", g.node("Equal", square, zero), one, square)
        scale = g.node("Div", number(g, 2, dtype), square)
        scaled = g.node("Mul", v, scale)
        turned = _transposed(g, v, rank)
        r = g.node("Sub", r, g.node("MatMul", scaled, g.node("MatMul", turned, r)))
        along = g.node("MatMul", q, scaled)
        q = g.node("Sub", q, g.node("MatMul", along, turned))
    triangle = np.arange(rows)[:, None] <= np.arange(columns)
    r = _part(g, _only(g, r, triangle, dtype), (0, kept), None)
    return [_part(g, q, None, (0, kept)), r]
