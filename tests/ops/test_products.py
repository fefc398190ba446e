"""Products: values, shapes, dtypes, derivatives and errors on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    tensor,
)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).uniform(-1, 1, shape)


MATMUL = [
    ((3, 4), (4, 5)),
    ((4,), (4,)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((2, 3, 4), (4, 5)),
    ((2, 6, 3, 4), (4, 5)),
    ((2, 3, 4), (4,)),
    ((4,), (2, 4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (6, 4, 5)),
    ((3, 0), (0, 5)),
    ((0, 3, 4), (4, 5)),
]


@pytest.mark.parametrize("a,b", MATMUL)
def test_matmul_is_numpys(backend, a, b):
    x, y = draw(*a), draw(*b, seed=1)
    for name in ("float64", "float32"):
        out = check_abstract(ops.matmul, x.astype(name), y.astype(name))
        exact = np.matmul(x.astype(name).astype("f8"), y.astype(name).astype("f8"))
        check_values(out, exact, ulp=a[-1] + 2, scale=float(a[-1]), dtype=name)


@pytest.mark.parametrize("a,b", [c for c in MATMUL if 0 not in c[0]])
def test_matmul_gradient(backend, a, b):
    check_gradient(ops.matmul, [draw(*a), draw(*b, seed=1)])


@pytest.mark.parametrize("a,b", [MATMUL[0], MATMUL[2], MATMUL[4], MATMUL[8]])
def test_matmul_second_derivative(backend, a, b):
    def cubed(x, y):
        product = ops.matmul(x, y)
        return product * product * product

    check_gradient(cubed, [draw(*a), draw(*b, seed=1)], order=2)


@pytest.mark.parametrize("name", ["int8", "uint8", "int32", "int64", "bool"])
def test_matmul_keeps_integers(backend, name):
    x = np.array([[1, 0, 1], [1, 1, 0]], name)
    out = check_abstract(ops.matmul, x, x.T.copy())
    check_values(out, np.matmul(x, x.T), dtype=name)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_matmul_of_small_floats_rounds_once(backend, name):
    x = ops.cast(tensor(draw(4, 300).astype("float32")), name)
    exact = np.matmul(host(x).astype("f8"), host(x).astype("f8").T)
    check_values(ops.matmul(x, ops.transpose(x)), exact, ulp=2, scale=100.0, dtype=name)


A, B = draw(2, 3, 4), draw(4, 3, 5, seed=1)
V, W = draw(3), draw(3, seed=9)

COMPOSED = {
    "dot_vectors": (ops.dot, (V, W), np.dot(V, W)),
    "dot_matrix_vector": (ops.dot, (A, draw(4)), np.dot(A, draw(4))),
    "dot_high_ranks": (ops.dot, (A, draw(2, 4, 3)), np.dot(A, draw(2, 4, 3))),
    "dot_scalar": (ops.dot, (V, np.array(2.0)), 2 * V),
    "inner": (ops.inner, (A, draw(5, 4)), np.inner(A, draw(5, 4))),
    "inner_scalar": (ops.inner, (np.array(2.0), V), 2 * V),
    "outer": (ops.outer, (A, V), np.outer(A, V)),
    "vdot": (ops.vdot, (A, A), np.vdot(A, A)),
    "kron": (ops.kron, (A, V), np.kron(A, V)),
    "kron_matrices": (
        ops.kron,
        (draw(2, 3), draw(3, 2)),
        np.kron(draw(2, 3), draw(3, 2)),
    ),
    "tensordot": (lambda x, y: ops.tensordot(x, y, 1), (A, B), np.tensordot(A, B, 1)),
    "tensordot_0": (
        lambda x, y: ops.tensordot(x, y, 0),
        (V, W),
        np.multiply.outer(V, W),
    ),
    "tensordot_pair": (
        lambda x, y: ops.tensordot(x, y, ([1, -1], [1, 0])),
        (A, B),
        np.tensordot(A, B, ([1, 2], [1, 0])),
    ),
    "trace": (ops.trace, (draw(3, 4),), np.trace(draw(3, 4))),
    "trace_axes": (
        lambda x: ops.trace(x, offset=-1, axis1=2, axis2=0),
        (A,),
        np.trace(A, -1, 2, 0),
    ),
    "cross": (ops.cross, (V, W), np.cross(V, W)),
    "cross_axis": (
        lambda x, y: ops.cross(x, y, axis=0),
        (draw(3, 2), draw(3, 2, seed=4)),
        np.cross(draw(3, 2), draw(3, 2, seed=4), axis=0),
    ),
    "cross_batch": (ops.cross, (draw(5, 3), V), np.cross(draw(5, 3), V)),
}


@pytest.mark.parametrize("case", COMPOSED)
def test_composed_products(backend, case):
    fn, args, expected = COMPOSED[case]
    out = check_abstract(fn, *args)
    check_values(out, expected, ulp=16, scale=4.0, dtype="float64")
    check_gradient(fn, args)


def test_cross_of_plane_vectors(backend):
    x, y = draw(4, 2), draw(4, 2, seed=3)
    z = x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]
    check_values(ops.cross(tensor(x), tensor(y)), z, scale=1.0)
    padded = np.pad(x, [(0, 0), (0, 1)])
    check_values(
        ops.cross(tensor(x), tensor(draw(4, 3))),
        np.cross(padded, draw(4, 3)),
        scale=1.0,
    )
    check_values(
        ops.cross(tensor(draw(4, 3)), tensor(x)),
        np.cross(draw(4, 3), padded),
        scale=1.0,
    )


EINSUM = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("ij->", (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("ij,j->i", (2, 3), (3,)),
    ("ij,kl->", (2, 3), (4, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ij,ij,ij->i", (2, 3), (2, 3), (2, 3)),
    ("...ij,...jk->...ik", (5, 2, 3), (5, 3, 4)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk->...ik", (6, 1, 2, 3), (5, 3, 4)),
    ("...i,...i->...", (4, 3), (1, 3)),
    ("i...->...", (3, 2)),
    (" i j , j k -> k i ", (2, 3), (3, 4)),
    ("abc,cd->abd", (2, 3, 4), (4, 5)),
]


@pytest.mark.parametrize("formula,shapes", [(c[0], c[1:]) for c in EINSUM])
def test_einsum(backend, formula, shapes):
    arrays = [draw(*s, seed=i) for i, s in enumerate(shapes)]
    # NumPy wants blanks nowhere in a formula with an ellipsis.
    expected = np.einsum(formula.replace(" ", ""), *arrays)

    def fn(*xs):
        return ops.einsum(formula, *xs)

    out = check_abstract(fn, *arrays)
    check_values(out, expected, ulp=32, scale=4.0, dtype="float64")
    check_gradient(fn, arrays)


def test_einsum_keeps_integers(backend):
    x = np.arange(6, dtype="int8").reshape(2, 3)
    check_values(ops.einsum("ij->i", x), x.sum(1), dtype="int8")
    check_values(ops.einsum("ij,kj->ik", x, x), x @ x.T, dtype="int8")
