"""What is compared with Keras less strictly, or not at all, and why.

`ROUNDED` lists where Keras computes in 32 bits, though it was told to use 64. There the
recorded answer has an error of 32 bits, and is compared as such. Ours are the values of
64 bits: each reason says what Keras rounds. A prefix of a case's text says which cases
are meant; those of optimizers "as usual" have constants that 32 bits do not hold.
"""

from __future__ import annotations

from tests.peer._case import Case

__all__ = ["NOT_ASKED", "ROUNDED", "is_rounded"]

CONSTANT = "a constant of the config is rounded to 32 bits before it is used"
EPSILON = "1e-7 is added to a denominator; ours is exact"
NUMBERS = "integers become float32, complex numbers complex64"
PIXELS = "places and weights of pixels are found in 32 bits"

ROUNDED: dict[str, str] = {
    "losses.LogCosh": "log(2) has 32 bits",
    "losses.log_cosh": "log(2) has 32 bits",
    "metrics.LogCoshError": "log(2) has 32 bits",
    "losses.Dice": "the epsilon has 32 bits",
    "losses.dice": "the epsilon has 32 bits",
    "losses.Tversky": "the epsilon has 32 bits",
    "losses.tversky": "the epsilon has 32 bits",
    "losses.CTC": "TensorFlow's CTC has 32 bits",
    "metrics.F1Score": EPSILON,
    "metrics.FBetaScore": EPSILON,
    "metrics.IoU": EPSILON,
    "metrics.MeanIoU": EPSILON,
    "metrics.BinaryIoU": EPSILON,
    "metrics.OneHotIoU": EPSILON,
    "metrics.OneHotMeanIoU": EPSILON,
    "optimizers.Nadam": "the schedule of the momentum has 32 bits",
    **{
        f"optimizers.schedules.{name}Decay": "steps and rates have 32 bits"
        for name in ("Exponential", "InverseTime", "Polynomial", "Cosine")
    },
    "activations.gelu": CONSTANT,
    "activations.leaky_relu": CONSTANT,
    "initializers.Constant": CONSTANT,
    "regularizers.L": CONSTANT,
    "layers.ActivityRegularization": CONSTANT,
    "layers.Dense(float[3x4], config={units: 2, kernel_regularizer": CONSTANT,
    "layers.LeakyReLU(float[3x4], config={})": CONSTANT,
    "layers.Rescaling(uint8": CONSTANT,
    "layers.BatchNormalization(float[2x4x3]": "the mask becomes float32",
    "layers.UpSampling2D(float[1x2x3x2], config={size: 2, interpolation": PIXELS,
    "layers.Resizing": PIXELS,
    "layers.Random": PIXELS,
    "ops.gelu": CONSTANT,
    "ops.leaky_relu(float[2x4": CONSTANT,
    "ops.round(float[2x3 -200": CONSTANT,
    **{
        f"ops.{name}(complex": NUMBERS
        for name in ("sin", "angle", "add", "multiply", "divide", "mean", "prod")
    },
    "ops.mean(int32": NUMBERS,
    "ops.var(int32": NUMBERS,
}


def is_rounded(case: Case) -> bool:
    return str(case).startswith(tuple(ROUNDED)) or case.label == " as usual"


# Names without numbers, or with numbers that only tests of ours can judge.
NOT_ASKED: dict[str, str] = {
    "get": "returns objects by name: tests/surface/test_signatures.py compares them",
    "serialize": "returns configs: tests/saving/test_keras_files.py exchanges them",
    "deserialize": "makes objects of configs: likewise",
    "Input": "symbolic: tests/saving/test_keras_files.py exchanges graphs",
    "InputLayer": "symbolic: likewise",
    "InputSpec": "says what an input must be; it computes nothing",
}
