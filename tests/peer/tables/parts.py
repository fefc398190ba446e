"""Activations, initializers, regularizers and constraints."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Prepared, floats, given, op

__all__ = ["CASES"]

X = floats(3, 4, low=-4, high=4)
# Where functions bend, and where exponentials are large. A corner has no slope.
CORNERS = given([[-100.0, -20, -3.5, -2.5], [-0.5, 0.25, 0.5, 2.5], [3.5, 6.5, 20, 80]])

ACTIVATIONS = [
    case
    for name in [
        "elu",
        "exponential",
        "gelu",
        "hard_sigmoid",
        "hard_silu",
        "hard_tanh",
        "leaky_relu",
        "linear",
        "log_sigmoid",
        "log_softmax",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "softsign",
        "tanh",
        "celu",
        "glu",
        "hard_shrink",
        "soft_shrink",
        "sparse_plus",
        "sparse_sigmoid",
        "squareplus",
        "tanh_shrink",
    ]
    for case in (
        op(f"activations.{name}", X),
        *([op(f"activations.{name}", CORNERS)] if name != "exponential" else []),
    )
] + [
    op("activations.elu", X, alpha=0.5),
    op("activations.gelu", X, approximate=True),
    op("activations.leaky_relu", X, negative_slope=0.01),
    op("activations.relu", X, negative_slope=0.1, max_value=2.0, threshold=0.5),
    op("activations.relu", X, max_value=1.0),
    op("activations.softmax", X, axis=0),
    op("activations.softmax", floats(2, 3, 4), axis=(1, 2)),
    op("activations.log_softmax", X, axis=0),
    op("activations.threshold", X, 0.3, -1.0),
]


def _configured(keras: Any, case: Case) -> Prepared:
    """Call an object that is made of the keyword arguments."""

    def call(*tensors: Any) -> Any:
        args, config = case.arguments(keras, list(tensors))
        space, name = case.name.split(".")
        return getattr(getattr(keras, space), name)(**config)(*args)

    return Prepared(call)


def made(name: str, *args: Any, **config: Any) -> Case:
    return Case(name, args, config, _configured)


INITIALIZERS = [
    made("initializers.Zeros", (2, 3)),
    made("initializers.Ones", (2, 3)),
    made("initializers.Constant", (2, 3), value=0.3),
    made("initializers.Identity", (3, 3)),
    made("initializers.Identity", (2, 4), gain=0.5),
    made("initializers.STFT", (8, 1, 5), side="real"),
    made(
        "initializers.STFT", (8, 1, 5), side="imag", window="hamming", scaling="density"
    ),
]


def _moments(keras: Any, case: Case) -> Prepared:
    """Give deviation, mean, and mean magnitude (by shape of the density) of draws."""

    def call() -> Any:
        _, config = case.arguments(keras, [])
        name = case.name.rpartition(".")[2]
        initializer = getattr(keras.initializers, name)(**config, seed=5)
        values = np.asarray(
            keras.ops.convert_to_numpy(initializer(case.args[0])), "float64"
        )
        spread = values.std()
        # The range of a normal distribution is a matter of luck.
        return [
            float(np.log(spread)),
            float(values.mean() / spread),
            float(np.abs(values).mean() / spread),
        ]

    return Prepared(call)


def drawn(name: str, shape: tuple[int, ...], **config: Any) -> Case:
    # The deviation of at least 40,000 draws has a standard error of 1/sqrt(80,000),
    # their mean one of 1/200; two samples differ by less than four times that.
    return Case(
        f"initializers.{name}",
        (shape,),
        config,
        _moments,
        gradient=False,
        atol=4 * np.sqrt(2) / 200,
    )


def _products(keras: Any, case: Case) -> Prepared:
    """Give the products of the columns, or rows, of an orthogonal matrix."""

    def call() -> Any:
        shape = case.args[0]
        initializer = keras.initializers.Orthogonal(**case.kwargs, seed=5)
        q = keras.ops.reshape(initializer(shape), (-1, shape[-1]))
        q = keras.ops.transpose(q) if q.shape[0] < q.shape[1] else q
        return keras.ops.matmul(keras.ops.transpose(q), q)

    return Prepared(call)


MATRIX, KERNEL = (200, 220), (3, 2, 60, 120)
INITIALIZERS += [
    *(
        drawn(name, shape)
        for name in [
            "GlorotNormal",
            "GlorotUniform",
            "HeNormal",
            "HeUniform",
            "LecunNormal",
            "LecunUniform",
            "RandomNormal",
            "RandomUniform",
            "TruncatedNormal",
            "VarianceScaling",
        ]
        for shape in (MATRIX, KERNEL)
    ),
    drawn("RandomNormal", MATRIX, mean=1.0, stddev=0.5),
    drawn("RandomUniform", MATRIX, minval=1.0, maxval=3.0),
    drawn("TruncatedNormal", MATRIX, mean=-1.0, stddev=2.0),
    *(
        drawn("VarianceScaling", KERNEL, scale=2.0, mode=mode, distribution=d)
        for mode in ("fan_in", "fan_out", "fan_avg")
        for d in ("truncated_normal", "untruncated_normal", "uniform")
    ),
    drawn("GlorotUniform", (8, 9, 10, 60), input_axes=(0, 1), output_axes=(2, 3)),
    drawn("HeNormal", (8, 9, 10, 60), input_axes=(0,), output_axes=(-1,)),
    drawn("VarianceScaling", (50000,)),
    *(
        Case("initializers.Orthogonal", (shape,), config, _products, gradient=False)
        for shape, config in (
            ((5, 3), {}),
            ((3, 5), {"gain": 0.5}),
            ((2, 3, 2, 4), {"gain": 2.0}),
        )
    ),
]


def _own(space: str, cls: str, call: Any) -> Any:
    """Ask with a subclass of an abstract class."""

    def prepared(keras: Any, case: Case) -> Prepared:
        base = getattr(getattr(keras, space), cls)
        own = type("Own", (base,), {"__call__": call})()
        return Prepared(lambda *x: own(*case.arguments(keras, list(x))[0]))

    return prepared


REGULARIZERS = [
    made("regularizers.L1", X, l1=0.3),
    made("regularizers.L2", X, l2=0.3),
    made("regularizers.L1L2", X, l1=0.2, l2=0.4),
    made("regularizers.L1L2", X),
    made("regularizers.OrthogonalRegularizer", X, factor=0.5),
    made("regularizers.OrthogonalRegularizer", X, factor=0.5, mode="columns"),
    Case(
        "regularizers.Regularizer",
        (X,),
        {},
        _own("regularizers", "Regularizer", lambda self, x: x[0, 0] ** 2),
    ),
]
CONSTRAINTS = [
    made("constraints.MaxNorm", X),
    made("constraints.MaxNorm", X, max_value=1.5, axis=1),
    made("constraints.MaxNorm", floats(2, 2, 3, 4), max_value=0.8, axis=(0, 1, 2)),
    made("constraints.MinMaxNorm", X),
    made("constraints.MinMaxNorm", X, min_value=5.0, max_value=6.0, rate=0.5, axis=1),
    made("constraints.NonNeg", X),
    made("constraints.UnitNorm", X),
    made("constraints.UnitNorm", X, axis=(0, 1)),
    Case(
        "constraints.Constraint",
        (X,),
        {},
        _own("constraints", "Constraint", lambda self, x: x * 0.5),
    ),
    Case(
        "initializers.Initializer",
        (X,),
        {},
        _own("initializers", "Initializer", lambda self, x: x + 1.0),
    ),
]
CASES = [*ACTIVATIONS, *INITIALIZERS, *REGULARIZERS, *CONSTRAINTS]
