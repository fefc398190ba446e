"""Ops that make, shape, join, cut and index arrays."""

from __future__ import annotations

from typing import Any

from tests.peer._case import Case, bools, floats, given, ints, op
from tests.peer._written import written

__all__ = ["CASES"]

X = floats(2, 3, 4)
MATRIX = floats(3, 4)
SQUARE = floats(3, 3)
ROW = floats(6)
INTS = ints(9, 2, 3)


def each(names: str, *args: Any, **kwargs: Any) -> list[Case]:
    return [op(f"ops.{n}", *args, **kwargs) for n in names.split()]


FIRST = {"data_format": "channels_first"}
ONE_ORDER = {"engine": "tensorflow"}


def bits(keras: Any, x: Any) -> Any:
    return keras.ops.view(keras.ops.cast(x, "float32"), "int32")


CREATION = [
    op("ops.arange", 5),
    op("ops.arange", 1, 9, 2),
    op("ops.arange", 0.0, 1.0, 0.25),
    op("ops.arange", 3, dtype="float32"),
    op("ops.arange", 5, -1, -2),
    op("ops.eye", 3),
    # Keras on TensorFlow gives another shape.
    op("ops.eye", 2, 4, 1, about={"engine": "jax"}),
    op("ops.eye", 3, k=-1, dtype="int32"),
    op("ops.identity", 3),
    op("ops.identity", 2, dtype="int32"),
    op("ops.full", (2, 3), 0.5),
    op("ops.full", (2,), 3, dtype="int32"),
    op("ops.full_like", X, 2.5),
    op("ops.full_like", INTS, 2, dtype="float32"),
    *each("ones zeros", (2, 3)),
    *each("ones zeros", (2,), dtype="bool"),
    *each("ones_like zeros_like", MATRIX),
    *each("ones_like zeros_like", INTS),
    *each("ones_like zeros_like", MATRIX, dtype="int32"),
    op("ops.linspace", 0.0, 1.0, 5),
    op("ops.linspace", 0, 10, 4, endpoint=False),
    op("ops.linspace", given([0.0, 1.0]), given([1.0, 3.0]), 3, axis=1),
    op("ops.linspace", 0, 10, 5, retstep=True),
    op("ops.logspace", 0.0, 2.0, 5),
    op("ops.logspace", 0, 3, 4, endpoint=False, base=2),
    op("ops.tri", 3),
    op("ops.tri", 3, 4, k=1, dtype="int32"),
    op("ops.meshgrid", floats(2), floats(3)),
    op("ops.meshgrid", floats(2), floats(3), floats(2), indexing="ij"),
    op("ops.array", [[1, 2], [3, 4]]),
    op("ops.array", [1.5, 2.5], dtype="int32"),
    op("ops.convert_to_tensor", [1, 2, 3]),
    op("ops.convert_to_tensor", [True, False]),
    op("ops.convert_to_tensor", MATRIX, dtype="float16"),
    op("ops.convert_to_numpy", MATRIX, about={"gradient": False}),
    op("ops.cast", MATRIX, "int32"),
    op("ops.cast", INTS, "bool"),
    op("ops.cast", MATRIX, "float16"),
    op("ops.cast", bools(2, 3), "float32"),
    *each("shape ndim size dtype is_tensor", X),
    *each("dtype size", INTS),
    op("ops.is_tensor", [1, 2]),
    written("ops.view", bits, MATRIX, gradient=False),
    op("ops.view", given([1, 2, 3, 4], "int32"), "int16"),
    op("ops.view_as_complex", floats(3, 2)),
]
SHAPING = [
    op("ops.reshape", X, (4, 6)),
    op("ops.reshape", X, (-1, 8)),
    op("ops.ravel", X),
    op("ops.ravel", 2.5),
    op("ops.expand_dims", X, 1),
    op("ops.expand_dims", X, (0, -1)),
    op("ops.squeeze", floats(1, 3, 1)),
    op("ops.squeeze", floats(1, 3, 1), axis=-1),
    op("ops.transpose", X),
    op("ops.transpose", X, axes=(1, 2, 0)),
    op("ops.swapaxes", X, 0, 2),
    op("ops.swapaxes", X, -1, 1),
    op("ops.moveaxis", X, 0, -1),
    op("ops.moveaxis", X, (0, 1), (2, 0)),
    op("ops.broadcast_to", floats(3, 1), (2, 3, 4)),
    op("ops.broadcast_to", floats(1), (3,)),
    op("ops.tile", MATRIX, (2, 3)),
    op("ops.tile", ROW, 2),
    op("ops.repeat", MATRIX, 2),
    op("ops.repeat", MATRIX, 2, axis=0),
    op("ops.repeat", MATRIX, given([1, 0, 2], "int32"), axis=0),
    op("ops.flip", X),
    op("ops.flip", X, axis=(0, 2)),
    *each("fliplr flipud rot90", MATRIX),
    *each("fliplr flipud", X),
    op("ops.rot90", X, k=3, axes=(0, 2)),
    op("ops.roll", X, 2),
    op("ops.roll", X, 1, axis=1),
    op("ops.roll", X, (1, -1), axis=(0, 2)),
    op("ops.pad", MATRIX, 1),
    op("ops.pad", MATRIX, ((1, 0), (0, 2)), constant_values=0.5),
    *(
        op("ops.pad", MATRIX, ((1, 1), (2, 0)), mode=mode)
        for mode in ("reflect", "symmetric", "edge", "wrap")
    ),
    op("ops.rearrange", X, "a b c -> (a b) c"),
    op("ops.rearrange", floats(4, 6), "(a x) (b y) -> a b (x y)", x=2, y=3),
    op("ops.depth_to_space", floats(1, 2, 3, 8), 2),
    op("ops.depth_to_space", floats(1, 4, 2, 3), 2, data_format="channels_first"),
    op("ops.space_to_depth", floats(1, 4, 2, 3), 2),
    # On JAX, the order of the channels depends on the data format.
    op("ops.space_to_depth", floats(1, 3, 4, 2), 2, **FIRST, about=ONE_ORDER),
    op("ops.depth_to_space", floats(1, 8, 2, 3), 2, **FIRST, about=ONE_ORDER),
]
JOINING = [
    op("ops.concatenate", [MATRIX, floats(2, 4)]),
    op("ops.concatenate", [MATRIX, ints(5, 3, 2)], axis=1),
    op("ops.append", MATRIX, floats(2)),
    op("ops.append", MATRIX, floats(1, 4), axis=0),
    op("ops.stack", [ROW, ROW, ROW]),
    op("ops.stack", [MATRIX, MATRIX], axis=-1),
    *each("dstack hstack vstack", [MATRIX, MATRIX]),
    *each("dstack hstack", [ROW, ROW]),
    # Keras on TensorFlow joins the rows to one.
    op("ops.vstack", [ROW, ROW], about={"engine": "jax"}),
    op("ops.split", ROW, 3),
    op("ops.split", MATRIX, [1, 3], axis=1),
    op("ops.array_split", floats(7), 3),
    op("ops.array_split", MATRIX, 2, axis=0),
    op("ops.hsplit", MATRIX, 2),
    op("ops.hsplit", MATRIX, [1, 3]),
    op("ops.vsplit", MATRIX, [1]),
    op("ops.vsplit", MATRIX, 3),
    op("ops.unstack", MATRIX),
    op("ops.unstack", MATRIX, axis=1),
]
DIAGONALS = [
    op("ops.diag", ROW),
    op("ops.diag", MATRIX, k=1),
    op("ops.diag", ROW, k=-1),
    op("ops.diagonal", MATRIX),
    op("ops.diagonal", X, offset=1, axis1=1, axis2=2),
    op("ops.trace", MATRIX),
    op("ops.trace", X, offset=-1, axis1=1, axis2=2),
    op("ops.trace", ints(9, 3, 3)),
    *each("tril triu", MATRIX),
    *each("tril triu", X, k=1),
    *each("tril triu", MATRIX, k=-1),
]


def item(keras: Any, x: Any) -> Any:
    get = keras.ops.get_item
    return [
        get(x, 1),
        get(x, (slice(None), 0)),
        get(x, (Ellipsis, slice(3, None, -2))),
        get(x, (0, slice(1, 3), None)),
        x[:, 1:, ::2],
        x[-1],
    ]


INDEXING = [
    written("ops.get_item", item, X),
    op("ops.take", ROW, given([0, 5, 2], "int32")),
    op("ops.take", X, given([[2, 0], [1, 1]], "int32"), axis=1),
    op("ops.take", X, -1, axis=2),
    op("ops.take_along_axis", MATRIX, ints(4, 3, 2), axis=1),
    op("ops.take_along_axis", MATRIX, ints(3, 2, 4), axis=0),
    op("ops.where", bools(2, 3), floats(2, 3), floats(3)),
    op("ops.where", bools(2, 3), ints(5, 2, 3), 0.5),
    op("ops.where", given([0, 1, 1, 0], "int32")),
    op("ops.select", [bools(3), bools(3)], [floats(3), floats(3)], default=0.5),
    op("ops.select", [bools(2, 3)], [floats(2, 3)]),
    op("ops.slice", X, (0, 1, 1), (2, 2, 3)),
    op("ops.slice", X, given([1, 0, 2], "int32"), (1, 3, 2)),
    op("ops.slice_update", X, (0, 1, 2), floats(1, 2, 2)),
    op("ops.slice_update", MATRIX, given([1, 0], "int32"), floats(2, 4)),
    op("ops.scatter", given([[0], [2], [0]], "int32"), floats(3), (4,)),
    op("ops.scatter", given([[0, 1], [2, 0]], "int32"), floats(2, 2), (3, 2, 2)),
    op("ops.scatter_update", MATRIX, given([[0, 1], [2, 3]], "int32"), floats(2)),
    op("ops.scatter_update", MATRIX, given([[1], [0]], "int32"), floats(2, 4)),
    *(
        op(
            "ops.scatter_update",
            floats(4, low=0.5, high=2),
            given([[1], [0], [1]], "int32"),
            floats(3, low=0.5, high=2),
            reduction=reduction,
            # Keras on JAX has no gradient for products.
            about={"gradient": reduction == "add"},
        )
        for reduction in ("add", "max", "min", "mul")
    ),
]


def empties(keras: Any) -> Any:
    """Return what is known of arrays without values: shape and dtype."""
    like = keras.ops.empty_like(keras.ops.ones((2, 3), "int32"))
    made = keras.ops.empty((2, 3), dtype="float32")
    return [keras.ops.zeros_like(keras.ops.cast(x, "int32")) for x in (like, made)] + [
        str(keras.backend.standardize_dtype(x.dtype)) for x in (like, made)
    ]


CREATION += [
    written(f"ops.{name}", empties, gradient=False) for name in ("empty", "empty_like")
]
CASES = [*CREATION, *SHAPING, *JOINING, *DIAGONALS, *INDEXING]
