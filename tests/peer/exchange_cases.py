"""Models for the exchange of files with Keras, in the API that both packages have.

Every case is a function of the package, ``keras`` or ``polykeras``, that returns a
model. This file is imported by both sides and imports neither.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

CASES: dict[str, Callable[[Any], Any]] = {}
# Cases that are trained before and after saving, with the shapes of their targets.
TRAINED: dict[str, list[tuple[int, ...]]] = {}
# The shapes of targets of Keras 2's models, see make_keras2_files.
OLD: dict[str, list[tuple[int, ...]]] = {
    "stack": [(4,)],
    "graph": [(3,), (4,), (1,)],
    "sequences": [(3,)],
}
# Keras makes these with TensorFlow only.
TENSORFLOW = ("text", "categories", "hashes")
# Keras predicts from no arrays of text, but its models can be called on them.
CALLED = ("text", "hashes")
BATCH = 8


def case(*targets: tuple[int, ...]) -> Callable[[Any], Any]:
    def add(build: Any) -> Any:
        CASES[build.__name__] = build
        if targets:
            TRAINED[build.__name__] = list(targets)
        return build

    return add


def _made(keras: Any, arguments: Any) -> dict[str, Any]:
    """Return arguments, some of which are functions of the package."""
    return {k: v(keras) if callable(v) else v for k, v in dict(arguments).items()}


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng([ord(c) for c in name])


def give_weights(model: Any, name: str) -> None:
    """Set weights that are the same in both packages and far from symmetric."""
    if name in TENSORFLOW:
        return  # What these have was adapted to data.
    rng = seeded(name)
    model.set_weights(
        [
            rng.uniform(0.1, 0.6, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w
            for w in model.get_weights()
        ]
    )


def inputs_of(model: Any, name: str) -> Any:
    """Return data for a model: floats in (0.05, 1), or small non-negative integers."""
    rng = seeded(name + "data")

    def data(x: Any) -> np.ndarray:
        shape = (BATCH, *x.shape[1:])
        if "string" in str(x.dtype):
            return rng.choice(["a", "b", "c cat", "B, dog", "zebra"], shape)
        if "int" in str(x.dtype):
            return rng.integers(0, 5, shape).astype("int32")
        return rng.uniform(0.05, 1.0, shape).astype("float32")

    symbolic = getattr(model, "_exchange_inputs", None) or model.inputs
    made = [data(x) for x in symbolic]
    return made[0] if len(made) == 1 else made


def targets_of(name: str) -> Any:
    rng = seeded(name + "targets")
    shapes = TRAINED.get(name) or OLD[name]
    made = [rng.uniform(0, 1, (BATCH, *s)).astype("float32") for s in shapes]
    return made[0] if len(made) == 1 else made


def outputs_of(model: Any, name: str) -> list[np.ndarray]:
    """Return the predictions of a model, flat."""
    data = inputs_of(model, name)
    if name in CALLED:
        keras = importlib.import_module(type(model).__module__.partition(".")[0])
        if keras.__name__ == "keras":
            data = keras.tree.map_structure(keras.ops.convert_to_tensor, data)
        found = [keras.ops.convert_to_numpy(y) for y in model(data)]
    else:
        found = model.predict(data, batch_size=BATCH, verbose=0)
    if isinstance(found, dict):
        found = [found[k] for k in sorted(found)]
    return [np.asarray(y) for y in (found if isinstance(found, list) else [found])]


def train(model: Any, name: str) -> None:
    model.fit(
        inputs_of(model, name),
        targets_of(name),
        batch_size=BATCH,
        epochs=3,
        shuffle=False,
        verbose=0,
    )


def custom_classes(keras: Any) -> dict[str, Any]:
    """Return registered classes of the package: a layer, a model, a function."""
    register = keras.saving.register_keras_serializable("exchange")

    @register
    def steep(x: Any) -> Any:
        return keras.ops.sigmoid(3.0 * x)

    @register
    class Scale(keras.layers.Layer):
        def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape: Any) -> None:
            self.shift = self.add_weight(shape=(input_shape[-1],), name="shift")
            self.built = True

        def call(self, x: Any) -> Any:
            return x * self.factor + self.shift

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    @register
    class Tower(keras.Model):
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.first = keras.layers.Dense(units, activation=steep)
            self.blocks = [keras.layers.Dense(units), keras.layers.Dense(units)]
            self.named = {"a": Scale(0.5)}
            self.out = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            x = self.first(x)
            for block in self.blocks:
                x = block(x)
            return self.out(self.named["a"](x))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    return {"steep": steep, "Scale": Scale, "Tower": Tower}


# -- kinds of models -------------------------------------------------------------


@case((2,))
def sequential(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(3, activation="relu", kernel_regularizer="l2"),
            layers.Dropout(0.0, seed=1),
            layers.Dense(2, activation="softmax", bias_constraint="non_neg"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


@case((3,), (1,))
def functional(keras: Any) -> Any:
    layers, ops = keras.layers, keras.ops
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(4, name="shared")
    h = shared(a) + shared(b) * 2.0
    h = ops.concatenate([h, ops.relu(h)], axis=-1)
    inner = keras.Sequential([layers.Dense(3), layers.ReLU()], name="inner")
    model = keras.Model([a, b], [inner(h), layers.Dense(1, name="last")(h[:, 1:4])])
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.9)
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        ["mse", keras.losses.Huber(0.7)],
        loss_weights=[1.0, 0.5],
        metrics=[["mae"], [keras.metrics.MeanSquaredError()]],
    )
    return model


@case()
def nested(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((5,), name="in")
    y = layers.Dense(4, activation="tanh")(x)
    block = keras.Model(x, layers.Add()([y, layers.Dense(4)(x)]), name="block")
    outer = layers.Input((5,))
    z = block(outer)
    deep = [keras.Sequential([layers.Dense(5)]), layers.Dense(3, name="top")]
    deep = keras.Sequential(deep, name="deep")
    return keras.Model(outer, {"z": z, "deep": deep(z)})


@case((1,))
def subclassed(keras: Any) -> Any:
    model = custom_classes(keras)["Tower"](4, name="tower")
    model(np.zeros((1, 3), "float32"))
    model._exchange_inputs = [keras.KerasTensor((None, 3))]
    model.compile("rmsprop", "mse")
    return model


@case((2,))
def custom_layers(keras: Any) -> Any:
    made = custom_classes(keras)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((3,)),
            made["Scale"](3.0),
            layers.Dense(2, activation=made["steep"]),
            layers.Lambda(made["steep"]),
        ]
    )
    model.compile("nadam", "mse")
    return model


@case((2,))
def mixed_precision(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(3, dtype="bfloat16"),
            layers.Dense(4, dtype="mixed_bfloat16"),
            layers.Dense(2, dtype="float32"),
        ]
    )
    # Adam would turn the rounding of small gradients into whole steps.
    model.compile("sgd", "mse")
    return model


@case((2,))
def loss_scaling(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential([layers.Input((4,)), layers.Dense(2)])
    inner = keras.optimizers.Adam(0.01)
    model.compile(keras.optimizers.LossScaleOptimizer(inner), "mse")
    return model


def _optimizer_case(name: str, **arguments: Any) -> None:
    def build(keras: Any) -> Any:
        layers = keras.layers
        model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
        given = _made(keras, arguments)
        model.compile(getattr(keras.optimizers, name)(**given), "mse")
        return model

    build.__name__ = f"optimizer_{name.lower()}"
    case((2,))(build)


def _rate(schedule: str, *arguments: Any) -> Callable[[Any], Any]:
    return lambda k: getattr(k.optimizers.schedules, schedule)(*arguments)


for _name, _arguments in {
    "Adadelta": {"learning_rate": _rate("CosineDecay", 0.1, 5)},
    "Adafactor": {"learning_rate": _rate("CosineDecayRestarts", 0.1, 2)},
    "Adagrad": {"weight_decay": 0.01},
    "Adam": {"amsgrad": True, "use_ema": True, "gradient_accumulation_steps": 2},
    "AdamW": {"clipnorm": 1.0},
    "Adamax": {"learning_rate": _rate("InverseTimeDecay", 0.1, 2, 0.5)},
    "Ftrl": {"l1_regularization_strength": 0.01},
    "Lamb": {
        "learning_rate": _rate("PiecewiseConstantDecay", [2, 4], [0.1, 0.05, 0.01])
    },
    "Lion": {"learning_rate": _rate("PolynomialDecay", 0.1, 5)},
    "Muon": {},
    "Nadam": {},
    "RMSprop": {"centered": True, "momentum": 0.5},
    "SGD": {"clipvalue": 0.1},
}.items():
    _optimizer_case(_name, **_arguments)


# -- what models are compiled with, and what weights have ------------------------

_LOSSES = """BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy
    CategoricalFocalCrossentropy CategoricalHinge CosineSimilarity Dice Hinge Huber
    KLDivergence LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
    MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge"""
_METRICS = """AUC Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy
    CategoricalCrossentropy CategoricalHinge CosineSimilarity F1Score FBetaScore
    FalseNegatives FalsePositives Hinge KLDivergence LogCoshError MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    Precision R2Score Recall RootMeanSquaredError SquaredHinge TrueNegatives
    TruePositives"""


_INITIALIZERS = """Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity
    LecunNormal LecunUniform Ones Orthogonal RandomNormal RandomUniform TruncatedNormal
    VarianceScaling Zeros"""
_REGULARIZERS = "L1 L2 L1L2 OrthogonalRegularizer"
_CONSTRAINTS = "MaxNorm MinMaxNorm NonNeg UnitNorm"
_ACTIVATIONS = """elu exponential gelu hard_sigmoid hard_silu hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu softmax softplus
    softsign tanh"""


@case((2,))
def settings(keras: Any) -> Any:
    given: list[dict[str, Any]] = [
        {key: getattr(space, name)()}
        for key, space, names in (
            ("kernel_initializer", keras.initializers, _INITIALIZERS),
            ("kernel_regularizer", keras.regularizers, _REGULARIZERS),
            ("kernel_constraint", keras.constraints, _CONSTRAINTS),
        )
        for name in names.split()
    ]
    given += [{"activation": name} for name in _ACTIVATIONS.split()]
    layers = keras.layers
    x = layers.Input((4,))
    y = layers.Concatenate()([layers.Dense(4, **arguments)(x) for arguments in given])
    model = keras.Model(x, layers.Dense(2)(y))
    model.compile("sgd", "mse")
    return model


@case(*[(1,) if "Sparse" in name else (3,) for name in _LOSSES.split()])
def losses(keras: Any) -> Any:
    layers, metrics = keras.layers, keras.metrics
    x = layers.Input((4,))
    made = [getattr(keras.losses, name)() for name in _LOSSES.split()]
    outputs = [layers.Dense(3, activation="sigmoid")(x) for _ in made]
    model = keras.Model(x, outputs)
    dense = [
        *(getattr(metrics, name)() for name in _METRICS.split()),
        metrics.TopKCategoricalAccuracy(2),
        metrics.PrecisionAtRecall(0.5),
        metrics.RecallAtPrecision(0.5),
        metrics.SensitivityAtSpecificity(0.5),
        metrics.SpecificityAtSensitivity(0.5),
        metrics.BinaryIoU([0, 1]),
        metrics.IoU(3, [0]),
        metrics.MeanIoU(3),
    ]
    sparse = [
        metrics.SparseCategoricalAccuracy(),
        metrics.SparseCategoricalCrossentropy(),
        metrics.SparseTopKCategoricalAccuracy(2),
    ]
    several = [sparse if "Sparse" in type(loss).__name__ else [] for loss in made]
    several[0] = dense
    model.compile("sgd", made, metrics=several)
    return model


# -- layers by the shape of their input ------------------------------------------


def _layers(name: str, shape: tuple[int, ...], rows: list[Any], dtype: str) -> None:
    """Add a case with one output for each layer, all on one input."""

    def build(keras: Any) -> Any:
        x = keras.layers.Input(shape, dtype=dtype)
        outputs: list[Any] = []
        for cls, arguments in rows:
            y = getattr(keras.layers, cls)(**_made(keras, arguments))(x)
            outputs += y if isinstance(y, list | tuple) else [y]
        return keras.Model(x, outputs)

    build.__name__ = name
    case()(build)


def _each(names: str, **arguments: Any) -> list[Any]:
    return [(name, arguments) for name in names.split()]


_layers(
    "vectors",
    (6,),
    [
        ("Dense", {"units": 3, "activation": "gelu", "use_bias": False}),
        ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 4, "bias_axes": "c"}),
        *_each("ReLU", max_value=0.5, negative_slope=0.1),
        *_each("ELU LeakyReLU PReLU Softmax Identity Flatten"),
        ("Activation", {"activation": "swish"}),
        ("BatchNormalization", {}),
        ("LayerNormalization", {"epsilon": 1e-3}),
        ("RMSNormalization", {}),
        ("UnitNormalization", {}),
        ("GroupNormalization", {"groups": 3}),
        ("Normalization", {"mean": 0.25, "variance": 2.0}),
        ("Rescaling", {"scale": 2.0, "offset": 1.0}),
        ("Reshape", {"target_shape": (2, 3)}),
        ("RepeatVector", {"n": 2}),
        ("Dropout", {"rate": 0.5, "seed": 3}),
        ("AlphaDropout", {"rate": 0.5}),
        ("GaussianDropout", {"rate": 0.5}),
        ("GaussianNoise", {"stddev": 0.5}),
        ("ActivityRegularization", {"l1": 0.1}),
        ("Masking", {"mask_value": 0.5}),
    ],
    "float32",
)
_layers(
    "numbers",
    (4,),
    [
        ("Embedding", {"input_dim": 5, "output_dim": 3, "mask_zero": False}),
    ],
    "int32",
)
_layers(
    "sequences",
    (6, 4),
    [
        ("Conv1D", {"filters": 2, "kernel_size": 3, "padding": "causal"}),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2}),
        ("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2}),
        ("SeparableConv1D", {"filters": 3, "kernel_size": 2}),
        *_each("MaxPooling1D AveragePooling1D", pool_size=2, strides=1),
        *_each("GlobalMaxPooling1D GlobalAveragePooling1D"),
        *_each("AdaptiveAveragePooling1D AdaptiveMaxPooling1D", output_size=2),
        ("ZeroPadding1D", {"padding": (1, 2)}),
        ("Cropping1D", {"cropping": (1, 2)}),
        ("UpSampling1D", {"size": 2}),
        ("SpatialDropout1D", {"rate": 0.5}),
        ("Permute", {"dims": (2, 1)}),
        ("SimpleRNN", {"units": 3}),
        ("GRU", {"units": 3, "reset_after": False, "return_sequences": True}),
        ("LSTM", {"units": 2, "return_state": True, "go_backwards": True}),
        ("RNN", {"cell": lambda k: [k.layers.GRUCell(2), k.layers.LSTMCell(3)]}),
        ("RNN", {"cell": lambda k: k.layers.SimpleRNNCell(2)}),
        (
            "RNN",
            {
                "cell": lambda k: k.layers.StackedRNNCells(
                    [k.layers.LSTMCell(2), k.layers.GRUCell(3)]
                )
            },
        ),
        (
            "Bidirectional",
            {"layer": lambda k: k.layers.LSTM(2), "merge_mode": "sum"},
        ),
        (
            "Bidirectional",
            {
                "layer": lambda k: k.layers.GRU(2, return_sequences=True),
                "backward_layer": lambda k: k.layers.LSTM(
                    2, return_sequences=True, go_backwards=True
                ),
            },
        ),
        ("TimeDistributed", {"layer": lambda k: k.layers.Dense(2)}),
    ],
    "float32",
)
_layers(
    "images",
    (6, 6, 3),
    [
        ("Conv2D", {"filters": 2, "kernel_size": (3, 2), "dilation_rate": 2}),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "groups": 3, "padding": "same"}),
        ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2}),
        ("DepthwiseConv2D", {"kernel_size": 3}),
        ("SeparableConv2D", {"filters": 2, "kernel_size": 3, "padding": "same"}),
        *_each("MaxPooling2D AveragePooling2D", pool_size=2),
        *_each("GlobalMaxPooling2D GlobalAveragePooling2D", keepdims=True),
        *_each("AdaptiveAveragePooling2D AdaptiveMaxPooling2D", output_size=3),
        ("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}),
        ("Cropping2D", {"cropping": 1}),
        ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}),
        ("SpatialDropout2D", {"rate": 0.5}),
        ("BatchNormalization", {"axis": 1, "scale": False}),
        ("GroupNormalization", {"groups": -1}),
        (
            "SpectralNormalization",
            {"layer": lambda k: k.layers.Conv2D(2, 3), "power_iterations": 2},
        ),
    ],
    "float32",
)
_layers(
    "pictures",
    (6, 6, 3),
    [
        ("CenterCrop", {"height": 4, "width": 3}),
        ("Resizing", {"height": 3, "width": 5}),
        ("RandomBrightness", {"factor": 0.2}),
        ("RandomContrast", {"factor": 0.2}),
        # Outside of training Keras leaves images of another size as they are.
        ("RandomCrop", {"height": 6, "width": 6}),
        ("RandomFlip", {"mode": "horizontal"}),
        ("RandomRotation", {"factor": 0.1}),
        ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.1}),
        ("RandomZoom", {"height_factor": 0.1}),
    ],
    "float32",
)
_layers(
    "clips_1d",
    (3, 6, 2),
    [("ConvLSTM1D", {"filters": 2, "kernel_size": 3, "return_sequences": True})],
    "float32",
)
_layers(
    "clips_2d",
    (3, 5, 5, 2),
    [("ConvLSTM2D", {"filters": 2, "kernel_size": 3, "padding": "same"})],
    "float32",
)
_layers(
    "clips_3d",
    (2, 4, 4, 4, 1),
    [("ConvLSTM3D", {"filters": 1, "kernel_size": 2})],
    "float32",
)
_layers(
    "volumes",
    (4, 4, 4, 2),
    [
        ("Conv3D", {"filters": 2, "kernel_size": 2}),
        ("Conv3DTranspose", {"filters": 2, "kernel_size": 2}),
        *_each("MaxPooling3D AveragePooling3D", pool_size=2),
        *_each("GlobalMaxPooling3D GlobalAveragePooling3D"),
        *_each("AdaptiveAveragePooling3D AdaptiveMaxPooling3D", output_size=2),
        ("ZeroPadding3D", {"padding": 1}),
        ("Cropping3D", {"cropping": 1}),
        ("UpSampling3D", {"size": 2}),
        ("SpatialDropout3D", {"rate": 0.5}),
    ],
    "float32",
)


@case()
def merging(keras: Any) -> Any:
    layers = keras.layers
    a, b = layers.Input((4,)), layers.Input((4,))
    names = ["Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply"]
    outputs = [getattr(layers, name)()([a, b]) for name in [*names, "Subtract"]]
    return keras.Model([a, b], [*outputs, layers.Dot(axes=1, normalize=True)([a, b])])


@case()
def attention(keras: Any) -> Any:
    layers = keras.layers
    q, v = layers.Input((4, 6)), layers.Input((5, 6))
    return keras.Model(
        [q, v],
        [
            layers.Attention(use_scale=True)([q, v]),
            layers.AdditiveAttention()([q, v]),
            layers.MultiHeadAttention(2, 3, value_dim=2, dropout=0.1)(q, v),
            layers.MultiHeadAttention(2, 3, output_shape=5)(q, v, use_causal_mask=True),
            layers.GroupQueryAttention(4, 4, 2)(q, v),
        ],
    )


@case()
def ops_in_graphs(keras: Any) -> Any:
    ops = keras.ops
    x = keras.layers.Input((3, 4))
    return keras.Model(
        x,
        [
            x[:, 0],
            x[..., 1:3:2],
            ops.einsum("abc,dbc->ad", x, x),
            ops.reshape(x, (-1, 6)),
            ops.split(x, 2, axis=-1)[1],
            ops.where(x > 0.5, x, 0.0),
            ops.transpose(x, (0, 2, 1)),
            ops.clip(x, 0.2, 0.6),
            ops.cast(x * 10, "int32"),
            ops.pad(x, [[0, 0], [1, 1], [0, 0]]),
            ops.softmax(x, axis=1),
            ops.mean(x, axis=(1, 2), keepdims=True),
            ops.stack([x, x], axis=1),
            ops.expand_dims(ops.argmax(x, axis=-1), -1),
            ops.logsumexp(x, axis=-1) - ops.max(x, axis=-1),
            ops.top_k(x, 2)[0],
            ops.one_hot(ops.cast(x[:, 0, 0] * 3, "int32"), 3),
            -(ops.sqrt(ops.abs(x)) ** 2) / (1.0 + x) // 0.3,
            ops.matmul(x, ops.swapaxes(x, 1, 2)),
            ops.take(x, [2, 0], axis=1),
            ops.norm(x, axis=-1),
            ops.image.resize(ops.expand_dims(x, -1), (6, 2)),
        ],
    )


# -- preprocessing ---------------------------------------------------------------


@case()
def text(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((1,), dtype="string")
    found = layers.StringLookup(num_oov_indices=1)
    found.adapt(np.array(["a", "b", "a", "dog"]))
    vectors = layers.TextVectorization(output_mode="int", output_sequence_length=3)
    vectors.adapt(np.array(["a cat", "a dog", "a b"]))
    return keras.Model(
        x,
        [
            found(x),
            vectors(x),
            layers.StringLookup(vocabulary=["b", "a"], output_mode="multi_hot")(x),
        ],
    )


@case()
def categories(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((3,), dtype="int32")
    scaled = layers.Normalization()
    scaled.adapt(np.arange(12.0).reshape(4, 3))
    bins = layers.Discretization(num_bins=3)
    bins.adapt(np.arange(12.0))
    return keras.Model(
        x,
        [
            scaled(keras.ops.cast(x, "float32")),
            bins(keras.ops.cast(x, "float32")),
            layers.CategoryEncoding(5, output_mode="count")(x),
            layers.IntegerLookup(vocabulary=[3, 1, 2])(x),
        ],
    )


@case()
def hashes(keras: Any) -> Any:
    layers = keras.layers
    words, others = (layers.Input((1,), dtype="string") for _ in range(2))
    numbers = layers.Input((1,), dtype="int32")
    return keras.Model(
        [words, others, numbers],
        [
            layers.Hashing(5)(words),
            layers.Hashing(7, salt=[1, 2], mask_value="b")(words),
            layers.Hashing(4, output_mode="multi_hot")(words),
            layers.Hashing(3, salt=9)(numbers),
            layers.HashedCrossing(11)([words, others]),
            layers.HashedCrossing(6, output_mode="one_hot")([words, others]),
        ],
    )
