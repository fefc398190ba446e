"""Linear algebra: reconstruction, gauge-invariant derivatives, errors, NaN results."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, GradientError
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    epsilon,
    host,
    raised,
    tensor,
)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).uniform(-1, 1, shape)


def regular(*shape: int, seed: int = 0) -> np.ndarray:
    return draw(*shape, seed=seed) + 2 * np.eye(shape[-2], shape[-1])


def positive(*shape: int) -> np.ndarray:
    x = draw(*shape)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


def swapped(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2)


DTYPES = ["float64", "float32", "float16", "bfloat16"]
# Backward errors of LAPACK on well-conditioned matrices of up to five rows.
ULP = 64


def close(actual, expected, dtype):
    np.testing.assert_allclose(
        host(actual).astype("f8"), expected, rtol=0, atol=ULP * epsilon(dtype)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_reconstructs(backend, dtype, upper):
    x = host(ops.cast(tensor(positive(2, 4, 4)), dtype))
    factor = check_abstract(lambda a: ops.cholesky(a, upper), x)
    f = host(factor).astype("f8")
    close(f @ swapped(f) if not upper else swapped(f) @ f, x.astype("f8"), dtype)
    assert np.all((np.tril if upper else np.triu)(f, -1 if upper else 1) == 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (2, 5, 3), (3, 5)])
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr_reconstructs(backend, dtype, shape, mode):
    x = host(ops.cast(tensor(draw(*shape)), dtype))
    q, r = (host(t).astype("f8") for t in check_abstract(lambda a: ops.qr(a, mode), x))
    close(q @ r, x.astype("f8"), dtype)
    gram = swapped(q) @ q
    close(gram, np.broadcast_to(np.eye(q.shape[-1]), gram.shape), dtype)
    assert np.all(np.tril(r, -1) == 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (2, 5, 3), (3, 5)])
@pytest.mark.parametrize("full", [False, True])
def test_svd_reconstructs(backend, dtype, shape, full):
    x = host(ops.cast(tensor(draw(*shape)), dtype))
    out = check_abstract(lambda a: ops.svd(a, full), x)
    u, s, vh = (host(t).astype("f8") for t in out)
    k = min(shape[-2:])
    close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x.astype("f8"), dtype)
    close(s, np.linalg.svd(x.astype("f8"), compute_uv=False), dtype)
    alone = check_abstract(lambda a: ops.svd(a, compute_uv=False), x)
    close(alone, s, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigh_reconstructs(backend, dtype):
    x = host(ops.cast(tensor(positive(2, 4, 4)), dtype))
    w, v = (host(t).astype("f8") for t in check_abstract(ops.eigh, x))
    close((v * w[..., None, :]) @ swapped(v), x.astype("f8"), dtype)
    assert np.all(np.diff(w) >= 0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_eig_reconstructs(backend, dtype):
    x = draw(2, 4, 4).astype(dtype)
    w, v = (host(t) for t in check_abstract(ops.eig, x))
    difference = x @ v - v * w[..., None, :]
    assert np.max(np.abs(difference)) < ULP * epsilon(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 4), (2, 5, 3), (3, 5)])
def test_lu_reconstructs(backend, dtype, shape):
    x = host(ops.cast(tensor(draw(*shape)), dtype))
    lu, pivots = check_abstract(ops.lu_factor, x)
    lu, pivots = host(lu).astype("f8"), host(pivots)
    m, k = shape[-2], min(shape[-2:])
    lower = np.tril(lu[..., :k], -1) + np.eye(m, k)
    product = lower @ np.triu(lu[..., :k, :])
    for index in np.ndindex(*shape[:-2]):
        rows = x[index].astype("f8").copy()
        for i, p in enumerate(pivots[index]):
            rows[[i, p]] = rows[[p, i]]
        close(product[index], rows, dtype)


SOLVE = [
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((2, 3, 3), (2, 3)),
    ((2, 3, 3), (2, 3, 2)),
    ((2, 3, 3), (1, 3, 2)),
    ((1, 3, 3), (2, 3, 2)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a,b", SOLVE)
def test_solve(backend, dtype, a, b):
    x = host(ops.cast(tensor(regular(*a)), dtype))
    y = host(ops.cast(tensor(draw(*b)), dtype))
    out = check_abstract(ops.solve, x, y)
    wide = y.astype("f8")[..., None] if len(b) < len(a) else y.astype("f8")
    exact = np.linalg.solve(x.astype("f8"), wide)
    close(out, exact[..., 0] if len(b) < len(a) else exact, dtype)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("a,b", SOLVE)
def test_solve_triangular(backend, a, b, lower):
    x, y = regular(*a), draw(*b)
    out = check_abstract(lambda p, q: ops.solve_triangular(p, q, lower), x, y)
    wide = y[..., None] if len(b) < len(a) else y
    exact = np.linalg.solve(np.tril(x) if lower else np.triu(x), wide)
    close(out, exact[..., 0] if len(b) < len(a) else exact, "float64")


X, WIDE, TALL = regular(3, 3), draw(3, 5), draw(2, 5, 3)
COMPOSED = {
    "inv": (ops.inv, regular(2, 3, 3), np.linalg.inv),
    "det": (ops.det, regular(2, 3, 3), np.linalg.det),
    "slogdet": (ops.slogdet, -regular(2, 3, 3), np.linalg.slogdet),
    "logdet": (ops.logdet, positive(2, 3, 3), lambda x: np.linalg.slogdet(x)[1]),
    "pinv_wide": (ops.pinv, WIDE, np.linalg.pinv),
    "pinv_tall": (ops.pinv, TALL, np.linalg.pinv),
    "rank": (
        ops.matrix_rank,
        np.stack([np.ones((3, 3)), np.eye(3)]),
        np.linalg.matrix_rank,
    ),
    "cholesky_inverse": (
        ops.cholesky_inverse,
        np.tril(regular(2, 3, 3)),
        lambda x: np.linalg.inv(x @ swapped(x)),
    ),
    "cholesky_inverse_upper": (
        lambda x: ops.cholesky_inverse(x, upper=True),
        np.triu(regular(2, 3, 3)),
        lambda x: np.linalg.inv(swapped(x) @ x),
    ),
}


@pytest.mark.parametrize("case", COMPOSED)
def test_composed(backend, case):
    fn, x, reference = COMPOSED[case]
    out = check_abstract(fn, x)
    expected = reference(x)
    expected = tuple(expected) if isinstance(expected, tuple) else expected
    check_values(out, expected, ulp=ULP, scale=1.0)
    if case not in ("rank", "slogdet"):
        check_gradient(fn, [x])


def test_slogdet_gradient(backend):
    check_gradient(lambda x: ops.slogdet(x)[1], [-regular(2, 3, 3)])


@pytest.mark.parametrize("rows", [(5,), (5, 2)])
def test_lstsq(backend, rows):
    a, b = draw(5, 3), draw(*rows)
    out = check_abstract(ops.lstsq, a, b)
    close(out, np.linalg.lstsq(a, b, rcond=None)[0], "float64")
    check_gradient(ops.lstsq, [a, b], tolerance=1e-6)


def test_lstsq_of_deficient_matrices_is_shortest(backend):
    a = np.ones((4, 3))
    out = ops.lstsq(tensor(a), tensor(np.arange(4.0)))
    close(out, np.full(3, 0.5), "float64")


def test_pivots_and_signs_agree_in_compositions(backend):
    x = tensor(np.eye(4)[[1, 2, 3, 0]] * 2)
    assert float(ops.det(x)) == pytest.approx(-16)
    sign, size = ops.slogdet(x)
    assert float(sign) == -1
    assert float(size) == pytest.approx(np.log(16))
    body_sign, body_size = ops.slogdet.op.fn(x)
    assert float(body_sign) == -1
    assert float(body_size) == pytest.approx(np.log(16))
    assert float(ops.det.op.fn(x)) == pytest.approx(-16)


# -- derivatives -------------------------------------------------------------------


def projection(q):
    return ops.matmul(q, ops.transpose(q))


GRADIENTS = {
    "cholesky": (ops.cholesky, [positive(3, 3)]),
    "cholesky_upper": (lambda x: ops.cholesky(x, True), [positive(2, 3, 3)]),
    "qr_square": (ops.qr, [regular(3, 3)]),
    "qr_tall": (ops.qr, [draw(2, 5, 3)]),
    "qr_wide": (ops.qr, [regular(3, 5)]),
    "qr_wide_complete": (lambda x: ops.qr(x, "complete"), [regular(3, 5)]),
    "svd_values": (lambda x: ops.svd(x, compute_uv=False), [draw(4, 3)]),
    "svd_values_with_vectors": (lambda x: ops.svd(x)[1], [draw(4, 3)]),
    "svd_left": (lambda x: projection(ops.svd(x, False)[0][:, :2]), [draw(4, 3)]),
    "svd_right": (
        lambda x: projection(ops.transpose(ops.svd(x, False)[2][:2])),
        [draw(3, 4)],
    ),
    "svd_square": (lambda x: projection(ops.svd(x)[0][:, :1]), [regular(3, 3)]),
    "svd_full": (lambda x: projection(ops.svd(x, True)[0][:, :2]), [draw(4, 3)]),
    "eigh_values": (lambda x: ops.eigh(x)[0], [positive(2, 3, 3)]),
    "eigh_vectors": (lambda x: projection(ops.eigh(x)[1][:, :1]), [positive(4, 4)]),
    "lu": (lambda x: ops.lu_factor(x)[0], [regular(4, 4)[[2, 0, 3, 1]]]),
    "lu_batch": (lambda x: ops.lu_factor(x)[0], [draw(3, 4, 4)]),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_factorization_gradient(backend, case):
    fn, args = GRADIENTS[case]
    check_gradient(fn, args, tolerance=1e-6)


@pytest.mark.parametrize("a,b", SOLVE)
def test_solve_gradient(backend, a, b):
    x, y = regular(*a), draw(*b)
    check_gradient(ops.solve, [x, y])
    check_gradient(lambda p, q: ops.solve_triangular(p, q, lower=True), [x, y])
    check_gradient(ops.solve_triangular, [x, y])


@pytest.mark.parametrize("case", ["cholesky", "qr_tall", "svd_values", "eigh_vectors"])
def test_factorization_second_derivative(backend, case):
    fn, args = GRADIENTS[case]
    check_gradient(fn, args, order=2, tolerance=1e-5)


@pytest.mark.parametrize("fn", [ops.inv, ops.det, ops.logdet])
def test_composed_second_derivative(backend, fn):
    check_gradient(fn, [positive(3, 3)], order=2, tolerance=1e-6)


def test_compositions_agree_with_kernels(backend):
    x = tensor(regular(2, 3, 3))
    for fn in (ops.inv, ops.det, ops.pinv):
        close(fn.op.fn(x), host(fn(x)), "float64")


def test_complete_qr_of_tall_matrices_has_no_derivative():
    with use_backend("numpy"):
        _, pullback = vjp(lambda x: ops.qr(x, "complete")[0], tensor(draw(4, 3)))
        with pytest.raises(GradientError, match="reduced"):
            pullback(tensor(np.ones((4, 4))))


# -- failures ----------------------------------------------------------------------


def test_singular_systems_are_nan(backend):
    singular = np.stack([np.ones((2, 2)), 2 * np.eye(2)])
    out = host(ops.solve(tensor(singular), tensor(np.array([[1.0, 2], [2, 4]]))))
    assert np.all(np.isnan(out[0]))
    np.testing.assert_array_equal(out[1], [1, 2])
    inverse = host(ops.inv(tensor(singular)))
    assert np.all(np.isnan(inverse[0]))
    np.testing.assert_array_equal(inverse[1], np.eye(2) / 2)
    half = np.array([[1.0, 0], [0, 0]])
    assert np.all(np.isnan(host(ops.solve(tensor(half), tensor(np.ones(2))))))
    for lower in (False, True):
        out = ops.solve_triangular(tensor(half), tensor(np.ones(2)), lower)
        assert np.all(np.isnan(host(out)))
    assert float(ops.det(tensor(np.ones((2, 2))))) == 0
    assert float(ops.slogdet(tensor(np.ones((2, 2))))[1]) == -np.inf


def test_cholesky_of_indefinite_matrices_is_nan(backend):
    x = np.stack([-np.eye(2), 4 * np.eye(2)])
    out = host(ops.cholesky(tensor(x)))
    assert np.all(np.isnan(out[0]))
    np.testing.assert_array_equal(out[1], 2 * np.eye(2))
    assert np.all(np.isnan(host(ops.logdet(tensor(-np.eye(2))))))


FLAT, OBLONG = np.ones(3), np.ones((2, 3))
ERRORS = {
    "norm_axes": (ArgumentError, ops.norm, np.ones((2, 2, 2)), 1),
    "norm_order": (ArgumentError, ops.norm, OBLONG, 3, (0, 1)),
    "norm_fro": (ArgumentError, ops.norm, FLAT, "fro"),
    "norm_axis": (ArgumentError, ops.norm, FLAT, None, 2),
    "normalize": (ArgumentError, ops.normalize, FLAT, -1, 0),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_equal(case):
    kind, fn, *args = ERRORS[case]
    texts = set()
    for name in ("numpy", "torch", "jax"):
        with use_backend(name):
            given = [tensor(a) if isinstance(a, np.ndarray) else a for a in args]
            texts.add(raised(kind, fn, *given))
    assert len(texts) == 1


def test_integers_become_floats(backend):
    x = tensor(np.array([[2, 0], [0, 4]], "int32"))
    out = ops.inv(x)
    check_values(out, np.diag([0.5, 0.25]), dtype="float32")
    check_values(ops.norm(tensor(np.array([3, 4], "int32"))), 5.0, dtype="float32")


# -- norms -------------------------------------------------------------------------

INF = float("inf")


@pytest.mark.parametrize("order", [None, 0, 1, 2, 3, 2.5, -1, -2, INF, -INF])
@pytest.mark.parametrize("axis,keepdims", [(-1, False), (0, True)])
def test_vector_norms(backend, order, axis, keepdims):
    x = draw(3, 4)

    def fn(a):
        return ops.norm(a, order, axis, keepdims)

    expected = np.linalg.norm(x, order, axis, keepdims)
    check_values(check_abstract(fn, x), expected, ulp=ULP)
    check_gradient(fn, [x], tolerance=1e-6)


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, INF, -INF])
@pytest.mark.parametrize("axis,keepdims", [((0, 2), False), ((2, 1), True)])
def test_matrix_norms(backend, order, axis, keepdims):
    x = draw(3, 4, 5)

    def fn(a):
        return ops.norm(a, order, axis, keepdims)

    expected = np.linalg.norm(x, order, axis, keepdims)
    check_values(check_abstract(fn, x), expected, ulp=ULP)
    check_gradient(fn, [x], tolerance=1e-6)


def test_norm_of_everything(backend):
    x = draw(2, 3, 4)
    check_values(check_abstract(ops.norm, x), np.linalg.norm(x), ulp=ULP)
    kept = ops.norm(tensor(x), keepdims=True)
    assert tuple(kept.shape) == (1, 1, 1)
    m = draw(3, 4)
    check_values(ops.norm(tensor(m)), np.linalg.norm(m), ulp=ULP)
    check_values(ops.norm(tensor(m), 2), np.linalg.norm(m, 2), ulp=ULP)
    check_values(ops.norm(tensor(np.float64(-3.0))), 3.0)


@pytest.mark.parametrize("order", [None, 1, 2, 3, "fro"])
def test_norm_has_a_finite_derivative_at_zero(backend, order):
    axis = (0, 1) if order == "fro" else -1
    _, pullback = vjp(lambda x: ops.norm(x, order, axis), tensor(np.zeros((2, 3))))
    g = pullback(tensor(np.ones(() if order == "fro" else (2,))))
    np.testing.assert_array_equal(host(g), np.zeros((2, 3)))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("axis", [-1, 0, None])
def test_normalize(backend, order, axis):
    x = draw(3, 4)
    flat = x.ravel() if axis is None else x
    size = np.linalg.norm(flat, order, -1 if axis is None else axis, keepdims=True)

    def fn(a):
        return ops.normalize(a, axis, order)

    check_values(check_abstract(fn, x), x / size, ulp=ULP)
    check_gradient(fn, [x], tolerance=1e-6)


def test_normalize_raises_small_norms(backend):
    x = tensor(np.array([[0.0, 0.0], [3.0, 4.0]], "float32"))
    unit = np.array([[0, 0], [0.6, 0.8]])
    check_values(ops.normalize(x), unit, ulp=4, dtype="float32")
    check_values(ops.normalize(x, epsilon=10.0), unit / 2, ulp=4)
    check_gradient(lambda a: ops.normalize(a, epsilon=10.0), [host(x)])


# -- forward derivatives -----------------------------------------------------------


def test_jvp(backend):
    x, v = draw(3), draw(3, seed=5)

    def fn(a, b):
        return ops.sin(a) * b, ops.sum(a * a)

    (y, total), (dy, dtotal) = ops.jvp(fn, (x, x), (v, 2 * v))
    check_values(y, np.sin(x) * x, ulp=8)
    check_values(total, np.sum(x * x), ulp=8)
    check_values(dy, np.cos(x) * v * x + np.sin(x) * 2 * v, ulp=16, scale=1.0)
    check_values(dtotal, 2 * np.sum(x * v), ulp=16, scale=1.0)


def test_jvp_with_aux(backend):
    y, dy, aux = ops.jvp(lambda a: (a * a, "kept"), [3.0], [1.0], has_aux=True)
    assert (float(y), float(dy), aux) == (9.0, 6.0, "kept")


def test_jvp_errors(backend):
    assert "tuples" in raised(ArgumentError, ops.jvp, ops.sin, 1.0, 1.0)
    assert "shapes" in raised(ArgumentError, ops.jvp, ops.sin, [1.0], [[1.0]])
