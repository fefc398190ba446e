"""Products, linear algebra, Fourier transforms, and ops that take functions."""

from __future__ import annotations

from typing import Any

from tests.peer._case import floats, given, ints, op
from tests.peer._written import written

__all__ = ["CASES"]

MATRIX = floats(3, 4)
STACK = floats(2, 3, 4)
ROW = floats(6)
# Well conditioned: the diagonal is larger than the rest of its row.
SQUARE = given([[3.0, 0.5, -1.0], [0.25, -2.5, 0.75], [1.0, 0.5, 2.0]])
SQUARES = given([[[3.0, 0.5], [0.25, -2.5]], [[2.0, -0.5], [0.75, 1.5]]])
SYMMETRIC = given([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]])
TALL = given([[1.0, 2.0], [0.5, -1.0], [2.0, 0.25]])
# A factorization takes some n**2 roundings, divided by gaps of the spectrum.
FACTORS = {"roundings": 128}

PRODUCTS = [
    op("ops.matmul", MATRIX, floats(4, 2)),
    op("ops.matmul", STACK, floats(2, 4, 2)),
    op("ops.matmul", STACK, floats(4)),
    op("ops.matmul", ints(9, 2, 3), ints(9, 3, 2)),
    op("ops.dot", ROW, ROW),
    op("ops.dot", STACK, floats(4, 2)),
    op("ops.dot", MATRIX, 2.0),
    op("ops.dot", STACK, floats(2, 4, 2)),
    op("ops.inner", ROW, ROW),
    op("ops.inner", MATRIX, floats(2, 4)),
    op("ops.outer", floats(3), floats(2)),
    op("ops.outer", MATRIX, ROW),
    op("ops.vdot", ROW, ROW),
    op("ops.vdot", MATRIX, MATRIX),
    op("ops.tensordot", STACK, floats(3, 4, 2)),
    op("ops.tensordot", STACK, floats(2, 5), axes=[[0], [0]]),
    op("ops.tensordot", floats(2), floats(3), axes=0),
    op("ops.cross", floats(2, 3), floats(2, 3)),
    op("ops.cross", floats(3), floats(2, 3)),
    op("ops.cross", floats(3, 2), floats(3, 2), axis=0),
    *(
        op("ops.einsum", equation, *operands)
        for equation, operands in (
            ("ij,jk->ik", (MATRIX, floats(4, 2))),
            ("bij,bkj->bik", (STACK, floats(2, 5, 4))),
            ("ii->i", (SQUARE,)),
            ("ij->", (MATRIX,)),
            ("i,j,k->ikj", (floats(2), floats(3), floats(2))),
            ("...ij,...j->...i", (STACK, floats(2, 4))),
        )
    ),
    op("ops.norm", ROW),
    op("ops.norm", STACK, axis=1, keepdims=True),
    *(op("ops.norm", ROW, ord=order) for order in (1, 3, float("inf"))),
    op("ops.norm", MATRIX, ord="fro", axis=(0, 1)),
    op("ops.norm", MATRIX, ord=1, axis=(0, 1)),
    op("ops.norm", MATRIX, ord="nuc", axis=(0, 1), about=FACTORS),
    op("ops.norm", STACK, ord=2, axis=(1, 2), about=FACTORS),
    op("ops.normalize", MATRIX),
    op("ops.normalize", STACK, axis=1, order=1),
    op("ops.normalize", given([[0.0, 0.0], [3.0, 4.0]]), about={"gradient": False}),
]


def again(keras: Any, x: Any) -> Any:
    """Return what a decomposition fixes: not the signs of its vectors."""
    ops = keras.ops
    q, r = ops.qr(x)
    return ops.matmul(q, r), ops.abs(r), ops.matmul(ops.transpose(q), q)


def completed(keras: Any, x: Any) -> Any:
    q, r = keras.ops.qr(x, mode="complete")
    return keras.ops.matmul(q, r), list(q.shape), list(r.shape)


def values_and_product(keras: Any, x: Any) -> Any:
    ops = keras.ops
    u, s, v = ops.svd(x, full_matrices=False)
    return s, ops.matmul(u * s, v), ops.svd(x, compute_uv=False)


def full_shapes(keras: Any, x: Any) -> Any:
    return [list(y.shape) for y in keras.ops.svd(x)]


def spectrum(keras: Any, x: Any) -> Any:
    ops = keras.ops
    values, vectors = ops.eigh(x)
    return values, ops.matmul(vectors * values, ops.transpose(vectors))


LINEAR = [
    op("ops.cholesky", SYMMETRIC, about=FACTORS),
    op("ops.cholesky", SYMMETRIC, upper=True, about={**FACTORS, "gradient": False}),
    op("ops.det", SQUARE),
    op("ops.det", SQUARES),
    op("ops.slogdet", SQUARE),
    op("ops.slogdet", SQUARES),
    op("ops.logdet", SYMMETRIC),
    op("ops.inv", SQUARE, about=FACTORS),
    op("ops.inv", SQUARES, about=FACTORS),
    op("ops.pinv", TALL, about=FACTORS),
    op("ops.pinv", SQUARES, about=FACTORS),
    op("ops.solve", SQUARE, floats(3, 2), about=FACTORS),
    op("ops.solve", SQUARES, floats(2, 2, 1), about=FACTORS),
    op("ops.solve_triangular", SQUARE, floats(3, 2), about=FACTORS),
    op("ops.solve_triangular", SQUARE, floats(3, 2), lower=True, about=FACTORS),
    op("ops.lu_factor", SQUARE, about={**FACTORS, "gradient": False}),
    op("ops.lu_factor", SQUARES, about={**FACTORS, "gradient": False}),
    written("ops.qr", again, TALL, **FACTORS),
    written("ops.qr", completed, TALL, gradient=False),
    written("ops.svd", values_and_product, TALL, **FACTORS),
    written("ops.svd", full_shapes, TALL, gradient=False),
    # TensorFlow differentiates for one triangle only.
    written("ops.eigh", spectrum, SYMMETRIC, **FACTORS, engine="jax"),
]
PAIR = (floats(2, 8), floats(2, 8))
FOURIER = [
    op("ops.fft", PAIR),
    op("ops.fft", (floats(6), floats(6))),
    op("ops.fft2", (floats(2, 3, 4), floats(2, 3, 4))),
    op("ops.fft2", (floats(5, 2), floats(5, 2))),
    op("ops.ifft2", (floats(3, 4), floats(3, 4))),
    op("ops.ifft2", (floats(2, 2, 5), floats(2, 2, 5))),
    op("ops.rfft", floats(2, 8)),
    op("ops.rfft", floats(2, 5), fft_length=8),
    op("ops.irfft", (floats(2, 5), floats(2, 5))),
    op("ops.irfft", (floats(2, 5), floats(2, 5)), fft_length=6),
    op("ops.stft", floats(2, 16), 6, 3, 8),
    op("ops.stft", floats(16), 4, 2, 4, window="hamming", center=False),
    op("ops.stft", floats(16), 4, 4, 8, window=None),
]


def looped(keras: Any, x: Any) -> Any:
    ops = keras.ops
    return [
        ops.fori_loop(0, 4, lambda i, y: y * x + ops.cast(i, y.dtype), x),
        ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, ops.sin(y)), (0, x))[1],
    ]


def bounded(keras: Any, x: Any) -> Any:
    return keras.ops.while_loop(
        lambda y: True, lambda y: (y * 2.0,), (x,), maximum_iterations=3
    )


def chosen(keras: Any, x: Any) -> Any:
    ops = keras.ops
    return [
        ops.cond(ops.sum(x) > sign, lambda: x * 2.0, lambda: x - 1.0)
        for sign in (-99.0, 99.0)
    ] + [ops.switch(i, [ops.sin, lambda y: y * 3.0], x) for i in (0, 1, 7)]


def mapped(keras: Any, x: Any) -> Any:
    ops = keras.ops
    return [
        ops.map(lambda row: ops.sum(row) * row, x),
        ops.vectorized_map(lambda row: ops.sum(row) * row, x),
    ]


def scanned(keras: Any, x: Any) -> Any:
    def step(carry: Any, row: Any) -> Any:
        carry = carry * 0.5 + row
        return carry, keras.ops.tanh(carry)

    start = keras.ops.zeros_like(x[0])
    return [
        keras.ops.scan(step, start, x),
        keras.ops.scan(step, start, x, reverse=True),
        keras.ops.scan(lambda c, _: (c * 2.0, c), x[0], length=3),
    ]


def own_gradient(keras: Any, x: Any) -> Any:
    ops = keras.ops

    @ops.custom_gradient
    def clipped(x: Any) -> Any:
        def backward(*args: Any, upstream: Any = None) -> Any:
            return (args[0] if upstream is None else upstream) * 0.25

        return ops.exp(x), backward

    return clipped(x)


CONTROL = [
    # Keras on JAX cannot differentiate a `while_loop`.
    written(
        "ops.while_loop", looped, floats(3), gradient=False, covers=("ops.fori_loop",)
    ),
    written("ops.while_loop", bounded, floats(3), gradient=False),
    written("ops.cond", chosen, floats(3), covers=("ops.switch",)),
    written("ops.map", mapped, floats(3, 2), covers=("ops.vectorized_map",)),
    written("ops.scan", scanned, floats(4, 2)),
    written("ops.custom_gradient", own_gradient, floats(3)),
]
CASES = [*PRODUCTS, *LINEAR, *FOURIER, *CONTROL]
