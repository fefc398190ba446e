"""Core, activation, merging, reshaping, regularization and normalization layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Prepared, bools, floats, given, ints, op, pattern
from tests.peer._layer import layer, make

__all__ = ["CASES"]

X = floats(3, 4)
SEQUENCE = floats(2, 4, 3)
IMAGE = floats(2, 4, 5, 3)
VOLUME = floats(1, 3, 4, 2, 2)


def doubled(x: Any) -> Any:
    return x * 2.0


def shifted(x: Any, by: float = 0.0) -> Any:
    return x + by


CORE = [
    layer("Dense", {"units": 2}, X),
    layer("Dense", {"units": 3, "activation": "swish", "use_bias": False}, SEQUENCE),
    layer(
        "Dense",
        {"units": 2, "kernel_regularizer": "l2", "activity_regularizer": "l1"},
        X,
    ),
    layer(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": (None, 2), "bias_axes": "d"},
        SEQUENCE,
    ),
    layer(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (4, 2, 2), "activation": "tanh"},
        SEQUENCE,
    ),
    layer(
        "EinsumDense",
        {"equation": "...x,xy->...y", "output_shape": 2, "bias_axes": "y"},
        IMAGE,
    ),
    layer("Embedding", {"input_dim": 5, "output_dim": 3}, ints(5, 2, 4)),
    layer(
        "Embedding",
        {"input_dim": 5, "output_dim": 2, "mask_zero": True},
        given([[1, 2, 0], [4, 0, 0]], "int32"),
    ),
    layer("Identity", {}, X),
    layer("Lambda", {"function": doubled}, X),
    layer("Lambda", {"function": shifted, "arguments": {"by": 0.5}}, X),
    layer("Masking", {}, given([[[0.0, 0], [1, 2]], [[3, 0], [0, 0]]])),
    layer(
        "Masking", {"mask_value": 3.0}, given([[[3.0, 3], [1, 2]], [[3, 0], [0, 0]]])
    ),
    layer("ActivityRegularization", {"l1": 0.1, "l2": 0.3}, X),
]
ACTIVATIONS = [
    layer("Activation", {"activation": "tanh"}, X),
    layer("Activation", {"activation": "softmax"}, SEQUENCE),
    layer("ReLU", {}, X),
    layer("ReLU", {"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.2}, X),
    layer("LeakyReLU", {}, X),
    layer("LeakyReLU", {"negative_slope": 0.25}, X),
    layer("ELU", {}, X),
    layer("ELU", {"alpha": 0.3}, X),
    layer("PReLU", {}, X),
    layer("PReLU", {"shared_axes": [1, 2]}, IMAGE),
    layer("Softmax", {}, X),
    layer("Softmax", {"axis": 1}, SEQUENCE),
    layer("Softmax", {"axis": [1, 2]}, SEQUENCE),
    layer("Softmax", {}, SEQUENCE, call={"mask": bools(2, 4, 3)}),
]
MERGING = [
    *(
        layer(cls, {}, [X, X, X])
        for cls in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Concatenate")
    ),
    layer("Add", {}, [SEQUENCE, floats(2, 1, 3)]),
    layer("Multiply", {}, [SEQUENCE, floats(2, 1, 3)]),
    layer("Subtract", {}, [X, X]),
    layer("Concatenate", {"axis": 1}, [SEQUENCE, floats(2, 2, 3)]),
    layer("Dot", {"axes": 1}, [X, X]),
    layer("Dot", {"axes": (2, 1)}, [SEQUENCE, floats(2, 3, 5)]),
    layer("Dot", {"axes": -1, "normalize": True}, [SEQUENCE, floats(2, 5, 3)]),
    *(
        op(f"layers.{name}", [X, X])
        for name in [
            "add",
            "average",
            "concatenate",
            "maximum",
            "minimum",
            "multiply",
            "subtract",
        ]
    ),
    op("layers.dot", [SEQUENCE, SEQUENCE], axes=2),
]
RESHAPING = [
    layer("Flatten", {}, IMAGE),
    layer("Flatten", {"data_format": "channels_first"}, IMAGE),
    layer("Reshape", {"target_shape": (6, 2)}, SEQUENCE),
    layer("Reshape", {"target_shape": (-1,)}, SEQUENCE),
    layer("Permute", {"dims": (2, 1)}, SEQUENCE),
    layer("Permute", {"dims": (3, 1, 2)}, IMAGE),
    layer("RepeatVector", {"n": 3}, X),
    layer("Cropping1D", {"cropping": (1, 2)}, SEQUENCE),
    layer("Cropping1D", {"cropping": 1}, SEQUENCE),
    layer("Cropping2D", {"cropping": ((1, 0), (2, 1))}, IMAGE),
    layer("Cropping2D", {"cropping": 1, "data_format": "channels_first"}, IMAGE),
    layer("Cropping3D", {"cropping": ((1, 1), (0, 2), (1, 0))}, VOLUME),
    layer(
        "Cropping3D",
        {"cropping": ((1, 0), (0, 1), (0, 0)), "data_format": "channels_first"},
        VOLUME,
    ),
    layer("ZeroPadding1D", {"padding": (1, 2)}, SEQUENCE),
    layer("ZeroPadding1D", {"padding": 1, "data_format": "channels_first"}, SEQUENCE),
    layer("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}, IMAGE),
    layer("ZeroPadding2D", {"padding": 1, "data_format": "channels_first"}, IMAGE),
    layer("ZeroPadding3D", {"padding": ((1, 1), (0, 2), (1, 0))}, VOLUME),
    layer("ZeroPadding3D", {"padding": 1, "data_format": "channels_first"}, VOLUME),
    layer("UpSampling1D", {"size": 3}, SEQUENCE),
    layer("UpSampling1D", {}, SEQUENCE),
    layer("UpSampling2D", {"size": (2, 3)}, floats(1, 2, 3, 2)),
    layer("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, floats(1, 2, 3, 2)),
    layer(
        "UpSampling2D", {"size": 2, "data_format": "channels_first"}, floats(1, 2, 2, 3)
    ),
    layer("UpSampling3D", {"size": (2, 1, 2)}, floats(1, 2, 2, 2, 1)),
    layer(
        "UpSampling3D",
        {"size": 2, "data_format": "channels_first"},
        floats(1, 2, 1, 2, 2),
    ),
]
# What is random is compared where it is not: at inference, and at the rate 0.
REGULARIZATION = [
    layer(cls, {name: rate}, x, call={"training": training})
    for cls, name, x in (
        ("Dropout", "rate", X),
        ("AlphaDropout", "rate", X),
        ("GaussianDropout", "rate", X),
        ("GaussianNoise", "stddev", X),
        ("SpatialDropout1D", "rate", SEQUENCE),
        ("SpatialDropout2D", "rate", floats(2, 2, 3, 2)),
        ("SpatialDropout3D", "rate", VOLUME),
    )
    for rate, training in ((0.5, False), (0.0, True))
]


def _dropped(keras: Any, case: Case) -> Prepared:
    """Give what is left of ones, but not where: each value once, and the share."""

    def call() -> Any:
        cls = getattr(keras.layers, case.name.partition(".")[2])
        y = cls(**case.kwargs, seed=3)(np.ones(case.args[0]), training=True)
        return np.unique(np.asarray(keras.ops.convert_to_numpy(y)))

    return Prepared(call)


def dropped(cls: str, shape: tuple[int, ...], **config: Any) -> Case:
    return Case(f"layers.{cls}", (shape,), config, _dropped, gradient=False)


REGULARIZATION += [
    dropped("Dropout", (40, 20), rate=0.3),
    dropped("AlphaDropout", (40, 20), rate=0.3),
    dropped("SpatialDropout1D", (9, 4, 20), rate=0.2),
]
BATCH = floats(4, 3, low=-2, high=3)
NORMALIZATION = [
    *(
        layer(
            "BatchNormalization", config, x, call={"training": training}, roundings=64
        )
        for config, x in (
            ({}, BATCH),
            ({"momentum": 0.6, "epsilon": 0.1, "center": False}, IMAGE),
            ({"axis": 1, "scale": False}, IMAGE),
        )
        for training in (False, True)
    ),
    layer(
        "BatchNormalization",
        {"momentum": 0.5},
        SEQUENCE,
        call={"training": True, "mask": given([[1, 1, 0, 1], [1, 0, 0, 1]], "bool")},
        roundings=64,
    ),
    layer("LayerNormalization", {}, X),
    layer("LayerNormalization", {"axis": [1, 2], "epsilon": 0.1}, SEQUENCE),
    layer("LayerNormalization", {"axis": 1, "scale": False}, SEQUENCE),
    layer("LayerNormalization", {"center": False}, SEQUENCE),
    layer("GroupNormalization", {"groups": 2}, floats(2, 3, 4)),
    layer("GroupNormalization", {"groups": -1, "epsilon": 0.1}, IMAGE),
    layer("GroupNormalization", {"groups": 2, "axis": 1, "center": False}, IMAGE),
    layer("GroupNormalization", {"groups": 1, "scale": False}, X),
    layer("RMSNormalization", {}, X),
    layer("RMSNormalization", {"epsilon": 0.125}, SEQUENCE),
    layer("UnitNormalization", {}, X),
    layer("UnitNormalization", {"axis": [1, 2]}, SEQUENCE),
    layer("SpectralNormalization", {"layer": make("Dense", units=3)}, X),
    layer(
        "SpectralNormalization",
        {"layer": make("Dense", units=3), "power_iterations": 3},
        X,
        call={"training": True},
    ),
    layer(
        "SpectralNormalization",
        {"layer": make("Conv2D", filters=3, kernel_size=2)},
        IMAGE,
        call={"training": True},
    ),
]


def _own(keras: Any, case: Case) -> Prepared:
    """Ask with a layer that holds another, made by subclassing."""

    class Scale(keras.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = keras.layers.Dense(2, activation="relu")

        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight(shape=(input_shape[-1],), name="factor")
            self.inner.build(input_shape)
            self.built = True

        def call(self, x: Any) -> Any:
            self.add_loss(keras.ops.sum(self.factor**2))
            return self.inner(x * self.factor)

    class Twice(keras.layers.Wrapper):
        def call(self, x: Any) -> Any:
            return self.layer(x) * 2.0

    made = Twice(Scale()) if case.name == "layers.Wrapper" else Scale()
    made.build((None, 4))
    made.set_weights(
        [0.6 * pattern(w.shape, i + 0.5) for i, w in enumerate(made.get_weights())]
    )

    def call(*tensors: Any) -> Any:
        return made(*tensors)

    return Prepared(call, made.trainable_variables, lambda: made.losses)


OWN = [Case(f"layers.{name}", (X,), {}, _own) for name in ("Layer", "Wrapper")]
CASES = [
    *CORE,
    *ACTIVATIONS,
    *MERGING,
    *RESHAPING,
    *REGULARIZATION,
    *NORMALIZATION,
    *OWN,
]
