"""Shape ops: values against NumPy, abstract results, derivatives, errors."""

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    raised,
    tensor,
)

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
M = np.arange(12, dtype=np.int32).reshape(3, 4)
V = np.array([2.0, -1.0, 0.5], np.float32)

# Ops with NumPy's name and meaning: name, tensor, further arguments.
LIKE_NUMPY = [
    ("ravel", X, ()),
    ("reshape", X, ((-1, 3),)),
    ("reshape", X, (120,)),
    ("reshape", X[:0], ((0, 7),)),
    ("transpose", X, ()),
    ("transpose", X, ((2, 0, 1),)),
    ("moveaxis", X, (0, -1)),
    ("moveaxis", X, ((0, 1), (2, 0))),
    ("swapaxes", X, (0, 2)),
    ("expand_dims", X, (1,)),
    ("expand_dims", X, ((0, -1),)),
    ("squeeze", X[:1, :, :1], ()),
    ("squeeze", X[:1, :, :1], (-1,)),
    ("flip", X, ()),
    ("flip", X, ((0, 2),)),
    ("fliplr", M, ()),
    ("flipud", M, ()),
    ("broadcast_to", X, ((3, 4, 5, 6),)),
    ("broadcast_to", M[:, :1], ((2, 3, 4),)),
    ("tile", M, (2,)),
    ("tile", X, ((2, 1, 2, 3),)),
    ("repeat", X, (2,)),
    ("repeat", X, (3, 1)),
    ("repeat", X, ([1, 0, 2, 3], 0)),
    ("roll", X, (2,)),
    ("roll", X, (2, 1)),
    ("roll", X, ((1, -2), (0, 2))),
    ("rot90", X, ()),
    ("rot90", X, (3, (1, 2))),
    ("rot90", X, (2,)),
    ("split", X, (2, 0)),
    ("split", X, ([1, 3], 1)),
    ("split", X, ([3, 1], 1)),
    ("array_split", X, (4, 1)),
    ("hsplit", X, (5,)),
    ("hsplit", V, (3,)),
    ("vsplit", X, (2,)),
    ("dsplit", X, ([2],)),
    ("diagonal", X, ()),
    ("diagonal", X, (1, 0, 2)),
    ("diagonal", X, (-2, 2, 1)),
    ("diagonal", X, (9, 2, 1)),
    ("diag", M, (1,)),
    ("diag", V, ()),
    ("diag", V, (2,)),
    ("diag", V, (-1,)),
    ("diagflat", M, (-1,)),
    ("vander", V, ()),
    ("vander", V, (4, True)),
    ("vander", V, (0,)),
    ("pad", X, (2,)),
    ("pad", X, (((1, 2), (0, 1), (3, 0)),)),
    ("pad", X, (((1, 2), (3, 0), (2, 7)), "edge")),
    ("pad", X, (((1, 2), (3, 0), (2, 7)), "reflect")),
    ("pad", X, (((1, 2), (3, 0), (2, 7)), "symmetric")),
    ("pad", X, (((1, 2), (3, 0), (2, 7)), "wrap")),
]


@pytest.mark.parametrize("name, x, args", LIKE_NUMPY)
def test_agrees_with_numpy_and_with_its_shape_rule(
    backend: Backend, name, x, args
) -> None:
    out = check_abstract(lambda t: getattr(ops, name)(t, *args), x)
    check_values(out, getattr(np, name)(x, *args), ulp=1, dtype=x.dtype.name)


JOINS = [
    ("concatenate", [X, 2 * X], (1,)),
    ("stack", [M, M + 1], (-1,)),
    ("hstack", [M, M], ()),
    ("hstack", [V, V], ()),
    ("vstack", [V, V], ()),
    ("vstack", [X, X], ()),
    ("dstack", [V, V], ()),
    ("dstack", [M, M], ()),
]


@pytest.mark.parametrize("name, xs, args", JOINS)
def test_joins_agree_with_numpy(backend: Backend, name, xs, args) -> None:
    out = check_abstract(lambda *ts: getattr(ops, name)(list(ts), *args), *xs)
    check_values(out, getattr(np, name)(xs, *args), ulp=0)


def test_joins_promote_dtypes(backend: Backend) -> None:
    for join in (ops.concatenate, ops.stack):
        check_values(join([V, M[0, :3]]), join_reference(join), dtype="float32")


def join_reference(join) -> np.ndarray:
    return getattr(np, join.__name__)([V, M[0, :3]]).astype(np.float32)


def test_append_joins_flat_or_along_an_axis(backend: Backend) -> None:
    check_values(ops.append(M, 7), np.append(M, 7), dtype="int32")
    check_values(ops.append(M, M, 1), np.append(M, M, 1))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid(backend: Backend, indexing) -> None:
    vectors = [M[0], M[:, 0], V]
    out = ops.meshgrid(*vectors, indexing=indexing)
    check_values(out, np.meshgrid(*vectors, indexing=indexing))


def test_unstack_undoes_stack(backend: Backend) -> None:
    parts = check_abstract(lambda x: ops.unstack(x, axis=-1), M)
    check_values(parts, [M[:, i] for i in range(4)])
    check_values(ops.stack(parts, -1), M)


def test_pad_with_a_value(backend: Backend) -> None:
    expected = np.pad(M, 1, constant_values=3)
    check_values(ops.pad(M, 1, constant_values=3), expected, dtype="int32")
    traced = ops.pad(M, 1, constant_values=ops.convert_to_tensor(3.0))
    check_values(traced, expected, dtype="int32")


PATTERNS = [
    ("a b c -> c a b", {}, X.transpose(2, 0, 1)),
    ("a b (h k) -> k a b h 1", {"k": 2}, X.reshape(4, 5, 3, 2).transpose(3, 0, 1, 2)),
    ("a ... -> (...) a", {}, X.reshape(4, 30).T),
    ("... c -> c ...", {}, X.transpose(2, 0, 1)),
]


@pytest.mark.parametrize("pattern, sizes, expected", PATTERNS)
def test_rearrange(backend: Backend, pattern, sizes, expected) -> None:
    if pattern.endswith("1"):
        expected = expected[..., None]
    out = check_abstract(lambda x: ops.rearrange(x, pattern, **sizes), X)
    check_values(out, expected)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_depth_to_space_undoes_space_to_depth(backend: Backend, data_format) -> None:
    x = np.arange(96).reshape(1, 4, 4, 6).astype(np.int32)
    if data_format == "channels_first":
        x = x.transpose(0, 3, 1, 2)
    deep = ops.space_to_depth(x, 2, data_format)
    check_values(ops.depth_to_space(deep, 2, data_format), x)


def test_depth_to_space_lays_out_rows_then_columns(backend: Backend) -> None:
    x = np.arange(8).reshape(1, 1, 1, 8)
    out = ops.depth_to_space(x, 2)
    check_values(out, np.array([[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]]))


def test_size_and_ndim(backend: Backend) -> None:
    assert (ops.size(X), ops.ndim(X)) == (120, 3)
    assert (ops.size([[1, 2]]), ops.ndim(3.0)) == (2, 0)


DTYPES = ["bool", "uint8", "int16", "int64", "bfloat16", "float16", "complex64"]


@pytest.mark.parametrize("op", ["split", "unstack"])
def test_results_are_of_one_type_when_differentiated(backend: Backend, op) -> None:
    def fn(x):
        parts = ops.split(x, 2, 1) if op == "split" else ops.unstack(x, 4, 1)
        kinds.append(type(parts))
        return parts[0] + parts[1]

    kinds = [type(ops.split(V, 3) if op == "split" else ops.unstack(V))]
    x = M.astype(np.float32)
    _out, pullback = vjp(fn, tensor(x))
    grad = pullback(ops.ones_like(fn(tensor(x))))
    assert len(set(kinds)) == 1
    width = 2 if op == "split" else 1
    check_values(grad, np.ones_like(x) * (np.arange(4) < 2 * width), dtype="float32")


@pytest.mark.parametrize("dtype", DTYPES)
def test_moving_values_keeps_every_dtype(backend: Backend, dtype) -> None:
    x = ops.cast(M % 2, dtype)
    moved = [
        ops.reshape(x, (4, 3)),
        ops.transpose(x),
        ops.flip(x),
        ops.pad(x, 1),
        ops.pad(x, 1, mode="edge"),
        ops.roll(x, 1),
        ops.tile(x, 2),
        ops.concatenate([x, x]),
        ops.stack([x, x]),
        *ops.split(x, 2, axis=1),
    ]
    assert {ops.dtype(y) for y in moved} == {dtype}


GRADIENTS = {
    "reshape": lambda x: ops.reshape(x * x, (-1, 6)),
    "transpose": lambda x: ops.transpose(x * x),
    "moveaxis": lambda x: ops.moveaxis(ops.reshape(x * x, (1, 3, 4)), 0, 2),
    "broadcast_to": lambda x: ops.broadcast_to(
        ops.reshape(x * x, (3, 1, 4)), (2, 3, 2, 4)
    ),
    "concatenate": lambda x: ops.concatenate([x * x, x, x + x], 1),
    "stack": lambda x: ops.stack([x * x, x], 1),
    "unstack": lambda x: ops.unstack(x * x, axis=1)[1:3],
    "split": lambda x: ops.split(x * x, [1, 3], 1)[::2],
    "split with overlap": lambda x: ops.split(x * x, [3, 1], 1),
    "pad": lambda x: ops.pad(x * x, ((1, 2), (0, 1))),
    "pad reflect": lambda x: ops.pad(x * x, ((1, 2), (3, 1)), "reflect"),
    "flip": lambda x: ops.flip(x * x, 0),
    "tile": lambda x: ops.tile(x * x, (2, 3, 1)),
    "repeat": lambda x: ops.repeat(x * x, [2, 0, 1], 0),
    "roll": lambda x: ops.roll(x * x, (1, 2), (0, 1)),
    "roll flat": lambda x: ops.roll(x * x, 5),
    "diag": lambda x: ops.diag(ops.ravel(x * x), -1),
    "diagonal": lambda x: ops.diagonal(x * x, 1),
    "vander": lambda x: ops.vander(ops.ravel(x), 3),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_gradients(backend: Backend, case) -> None:
    m = np.random.default_rng(1).normal(size=(3, 4))
    check_gradient(GRADIENTS[case], [m], order=2 if case in ("split", "pad") else 1)


ERRORS = [
    (ShapeError, lambda: ops.reshape(M, (5, -1)), "12 values"),
    (ShapeError, lambda: ops.reshape(M, (-1, -1)), "at most one -1"),
    (ShapeError, lambda: ops.squeeze(M, 0), "size is 3"),
    (ArgumentError, lambda: ops.transpose(M, (0, 0)), "permutation"),
    (ArgumentError, lambda: ops.expand_dims(M, 5), "axis 5"),
    (ArgumentError, lambda: ops.flip(M, 2), "axis 2"),
    (ShapeError, lambda: ops.broadcast_to(M, (3, 5)), "(3, 4) to (3, 5)"),
    (ShapeError, lambda: ops.concatenate([M, M.T]), "(3, 4) and (4, 3)"),
    (ArgumentError, lambda: ops.concatenate([]), "at least one"),
    (ShapeError, lambda: ops.stack([M, M.T]), "(3, 4) and (4, 3)"),
    (ShapeError, lambda: ops.split(M, 2), "2 equal parts"),
    (ShapeError, lambda: ops.unstack(M, 2), "expected 2"),
    (ArgumentError, lambda: ops.pad(M, 1, mode="mirror"), "unknown mode"),
    (ArgumentError, lambda: ops.pad(M, ((1, 1),) * 3), "2 axes"),
    (ArgumentError, lambda: ops.pad(M, -1), ">= 0"),
    (ArgumentError, lambda: ops.pad(M, 1, "edge", 0), "constant_values"),
    (ArgumentError, lambda: ops.moveaxis(M, (0, 1), 0), "as many"),
    (ArgumentError, lambda: ops.repeat(M, [1, 2], 0), "2]"),
    (ArgumentError, lambda: ops.meshgrid(V, indexing="yx"), "'yx'"),
    (ArgumentError, lambda: ops.rearrange(M, "a b -> a"), "same names"),
    (ShapeError, lambda: ops.rearrange(M, "a b c -> c b a"), "2 axes"),
    (ShapeError, lambda: ops.rearrange(M, "a (b c) -> a b c", b=3), "cannot split"),
    (ShapeError, lambda: ops.diag(X), "vector or a matrix"),
    (ShapeError, lambda: ops.depth_to_space(X[None], 4), "multiple of 16"),
]


@pytest.mark.parametrize("kind, call, part", ERRORS)
def test_errors_say_what_came(backend: Backend, kind, call, part) -> None:
    assert part in raised(kind, call)
