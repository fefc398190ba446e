"""Any namespace that follows the array API standard is a backend that trains."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import dtypes, ops
from polykeras.backend import active, use_backend
from polykeras.backend.array_api import ArrayAPIBackend
from polykeras.errors import DTypeError, ShapeError
from tests.ops._checks import check_gradient, check_values, host, raised, tensor

xp = pytest.importorskip("array_api_strict")


@pytest.fixture(scope="module")
def engine() -> ArrayAPIBackend:
    return ArrayAPIBackend(xp, "strict")


@pytest.fixture
def strict(engine):
    with use_backend(engine) as chosen:
        yield chosen


RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4)).astype(np.float32)
Y = RNG.uniform(0.5, 2.0, (3, 4)).astype(np.float32)
I32 = np.array([[3, -1, 2], [0, 5, -2]], np.int32)
BITS = np.array([[True, False], [True, True]])
SQUARE = (RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)).astype(np.float32)
IMAGE = RNG.normal(size=(2, 6, 6, 3)).astype(np.float32)
FILTERS = RNG.normal(size=(3, 3, 3, 4)).astype(np.float32)

# Name of the op and its arguments; arrays become tensors.
CASES = [
    *((name, (X, Y)) for name in ("add", "subtract", "multiply", "divide", "maximum")),
    *((name, (X, Y)) for name in ("minimum", "arctan2", "mod", "floor_divide", "less")),
    *((name, (I32, I32 * 0 + 2)) for name in ("mod", "floor_divide", "power")),
    *((name, (I32, np.int32(0))) for name in ("mod", "floor_divide")),
    *((name, (X,)) for name in ("exp", "sin", "tanh", "abs", "erf", "sign", "floor")),
    *((name, (X,)) for name in ("relu", "gelu", "softmax", "log_softmax", "sigmoid")),
    *((name, (Y,)) for name in ("log", "sqrt", "log1p", "reciprocal", "rsqrt")),
    *((name, (BITS,)) for name in ("sum", "prod", "any", "all", "argmax", "cumsum")),
    *((name, (X, 1)) for name in ("sum", "mean", "max", "min", "argmax", "var")),
    *((name, (X, 1)) for name in ("logsumexp", "cumsum", "cumprod", "sort", "argsort")),
    *((name, (I32,)) for name in ("sum", "prod", "max", "cumsum", "unique", "nonzero")),
    *((name, (BITS, ~BITS)) for name in ("add", "multiply", "maximum", "minimum")),
    *((name, (BITS,)) for name in ("abs", "square")),
    *((name, (BITS, ~BITS)) for name in ("less", "less_equal", "greater")),
    *((name, (I32, I32 * 20)) for name in ("left_shift", "right_shift")),
    ("signbit", (I32,)),
    ("power", (X, 2.0)),
    ("round", (X, 1)),
    ("clip", (X, -0.5, 0.5)),
    ("where", (X > 0, X, Y)),
    ("cast", (X, "int32")),
    ("arange", (1, 2, 0.25)),
    ("full", ((2, 3), 7, "int32")),
    ("eye", (3, 4, 1)),
    ("one_hot", (np.array([0, 2, 9], np.int32), 3)),
    ("reshape", (X, (2, -1))),
    ("transpose", (X,)),
    ("concatenate", ([X, Y], 1)),
    ("stack", ([X, Y], 1)),
    ("split", (X, 2, 1)),
    ("flip", (X, 1)),
    ("pad", (X, ((1, 2), (0, 3)))),
    ("tile", (X, (2, 1))),
    ("repeat", (X, 2, 1)),
    ("get_item", (X, (slice(None), slice(3, 0, -2)))),
    ("take", (X, np.array([0, -1], np.int32), 0)),
    ("take_along_axis", (X, np.array([[0], [3], [-1]], np.int32), 1)),
    ("slice", (X, (1, 0), (2, 3))),
    ("slice_update", (X, (1, 1), Y[:2, :2])),
    ("scatter", (np.array([[1], [0], [1]], np.int32), X, (3, 4))),
    ("segment_sum", (X, np.array([0, 0, 2], np.int32), 3)),
    ("top_k", (X, 2)),
    ("searchsorted", (np.array([0.0, 1.0, 2.0], np.float32), X.ravel())),
    ("bincount", (np.array([0, 2, 2], np.int32),)),
    ("matmul", (X, Y.T)),
    ("matmul", (BITS, BITS)),
    ("einsum", ("ij,kj->ik", X, Y)),
    ("tensordot", (X, Y.T, 1)),
    ("inv", (SQUARE,)),
    ("det", (SQUARE,)),
    ("solve", (SQUARE, SQUARE[..., :2])),
    ("cholesky", (SQUARE @ SQUARE.transpose(0, 2, 1),)),
    ("fft", ((X, Y),)),
    ("conv", (IMAGE, FILTERS, 2, "same")),
    ("depthwise_conv", (IMAGE, FILTERS[..., :1], 1, "valid")),
    ("conv_transpose", (IMAGE, FILTERS.transpose(0, 1, 3, 2), 2, "same")),
    ("max_pool", (IMAGE, 2, 2, "valid")),
    ("average_pool", (IMAGE, 3, 2, "same")),
    ("categorical_crossentropy", (Y / Y.sum(1, keepdims=True),) * 2),
]


def results(name, args) -> list[np.ndarray]:
    given = [[tensor(x) for x in a] if type(a) is list else a for a in args]
    given = [tensor(a) if isinstance(a, np.ndarray | np.generic) else a for a in given]
    out = getattr(ops, name)(*given)
    return list(out) if isinstance(out, list | tuple) else [out]


@pytest.mark.parametrize("name, args", CASES, ids=[c[0] for c in CASES])
def test_values_are_those_of_the_reference(strict, name, args) -> None:
    with use_backend("numpy"):
        expected = [host(x) for x in results(name, args)]
    found = results(name, args)
    assert all(type(x) is strict.tensor_type for x in found)
    # Sums of at most 54 terms, in another order.
    for x, want in zip(found, expected, strict=True):
        scale = np.abs(want).max() if want.size and want.dtype.kind == "f" else 0
        check_values(x, want, ulp=64, scale=scale, dtype=str(want.dtype))


@pytest.mark.parametrize(
    "fn, args",
    [
        (lambda x, y: ops.tanh(x @ ops.transpose(y)), [X, Y]),
        (lambda x: ops.logsumexp(x, 1), [X]),
        (lambda x: ops.take(x, tensor(np.array([1, 1, 0])), 0) ** 2, [X]),
        (lambda x: ops.max(x, 1) * ops.prod(x, 1), [X]),
        (lambda x, k: ops.conv(x, k, 2, "same"), [IMAGE[:1], FILTERS]),
        (lambda x: ops.max_pool(x, 2), [IMAGE[:1]]),
        (ops.inv, [SQUARE]),
    ],
    ids=["matmul", "logsumexp", "take", "max prod", "conv", "max_pool", "inv"],
)
def test_the_tape_differentiates(strict, fn, args) -> None:
    check_gradient(fn, args)


def test_the_dtypes_that_exist_are_named(strict) -> None:
    message = raised(DTypeError, lambda: ops.cast(tensor(X), "bfloat16"))
    assert "'strict' has no dtype bfloat16" in message
    assert "float32" in message
    assert dtypes.is_inexact(active().dtype_name(tensor(X)))


# NumPy has kernels for all of them; here the last two are compositions.
@pytest.mark.parametrize("name", ["matmul", "fmod", "logaddexp2"])
def test_errors_are_those_of_every_backend(strict, name) -> None:
    def call() -> None:
        getattr(ops, name)(tensor(X), tensor(Y[:2, :3]))

    with use_backend("numpy"):
        expected = raised(ShapeError, call)
    assert f"polykeras.ops.{name} " in expected
    assert raised(ShapeError, call) == expected


def test_the_dtypes_of_the_namespace_are_declared(strict) -> None:
    assert {"bool", "int32", "float32", "complex64"} <= strict.capabilities.dtypes
    assert not {"bfloat16", "float16"} & strict.capabilities.dtypes
    assert strict.capabilities.complex


def test_dense_net_learns(strict) -> None:
    keras.utils.set_random_seed(0)
    x = RNG.normal(size=(64, 5)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    model = keras.Sequential(
        [
            keras.layers.Dense(16, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.01
    logs = model.fit(x, y, batch_size=16, epochs=12, verbose=0).history
    assert logs["loss"][-1] < 0.7 * logs["loss"][0]
    assert type(model.layers[0].kernel.value) is strict.tensor_type
    assert model.predict(x, verbose=0).shape == (64, 2)
