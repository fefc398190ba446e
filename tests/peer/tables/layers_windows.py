"""Convolutional and pooling layers."""

from __future__ import annotations

from typing import Any

from tests.peer._case import Case, floats, given
from tests.peer._layer import layer

__all__ = ["CASES"]

X1 = floats(2, 6, 2)
X2 = floats(2, 5, 4, 2)
X3 = floats(1, 4, 4, 3, 2)
FIRST1 = floats(2, 2, 6)
FIRST2 = floats(1, 2, 5, 4)
FIRST3 = floats(1, 2, 3, 4, 3)
FIRST = {"data_format": "channels_first"}
SAME = {"padding": "same"}
MASK = given([[1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 0]], "bool")

CONVOLUTIONS = [
    layer("Conv1D", {"filters": 3, "kernel_size": 3}, X1),
    layer("Conv1D", {"filters": 2, "kernel_size": 3, "strides": 2, **SAME}, X1),
    layer(
        "Conv1D",
        {"filters": 2, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
        X1,
    ),
    layer("Conv1D", {"filters": 2, "kernel_size": 2, "groups": 2, **FIRST}, FIRST1),
    layer("Conv2D", {"filters": 3, "kernel_size": 2, "activation": "tanh"}, X2),
    layer("Conv2D", {"filters": 2, "kernel_size": (3, 2), "strides": 2, **SAME}, X2),
    layer(
        "Conv2D",
        {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 1), "use_bias": False},
        X2,
    ),
    layer("Conv2D", {"filters": 4, "kernel_size": 2, "groups": 2}, X2),
    layer("Conv2D", {"filters": 2, "kernel_size": 3, **SAME, **FIRST}, FIRST2),
    layer("Conv3D", {"filters": 2, "kernel_size": 2}, X3),
    layer("Conv3D", {"filters": 2, "kernel_size": 2, "strides": 2, **SAME}, X3),
    layer("Conv3D", {"filters": 1, "kernel_size": (1, 2, 2), **FIRST}, FIRST3),
]
TRANSPOSED = [
    layer("Conv1DTranspose", {"filters": 2, "kernel_size": 3}, X1),
    layer(
        "Conv1DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, **SAME}, X1
    ),
    layer(
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": 1},
        X1,
    ),
    layer("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "dilation_rate": 2}, X1),
    layer("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, X2),
    layer(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, **SAME, "activation": "relu"},
        floats(1, 3, 2, 2),
    ),
    layer(
        "Conv2DTranspose",
        {"filters": 1, "kernel_size": (3, 2), "use_bias": False, **FIRST},
        FIRST2,
    ),
    layer(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, **SAME},
        floats(1, 3, 2, 2),
    ),
    layer(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1)},
        floats(1, 2, 2, 2, 2),
    ),
    layer(
        "Conv3DTranspose",
        {"filters": 1, "kernel_size": 3, "strides": 2, **SAME},
        floats(1, 2, 2, 2, 1),
    ),
]
SEPARATE = [
    layer("DepthwiseConv1D", {"kernel_size": 3}, X1),
    layer("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2, **SAME}, X1),
    layer("DepthwiseConv1D", {"kernel_size": 2, "strides": 2, **FIRST}, FIRST1),
    layer("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 2}, X2),
    layer("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, **SAME}, X2),
    layer(
        "DepthwiseConv2D",
        {"kernel_size": 2, "dilation_rate": 2, "use_bias": False},
        X2,
    ),
    # Keras on TensorFlow mixes up rows and columns here.
    layer("DepthwiseConv2D", {"kernel_size": (2, 3), **FIRST}, FIRST2, engine="jax"),
    layer("SeparableConv1D", {"filters": 3, "kernel_size": 3}, X1),
    layer(
        "SeparableConv1D",
        {"filters": 2, "kernel_size": 2, "depth_multiplier": 2, "strides": 2, **SAME},
        X1,
    ),
    layer("SeparableConv1D", {"filters": 2, "kernel_size": 2, **FIRST}, FIRST1),
    layer("SeparableConv2D", {"filters": 3, "kernel_size": 2}, X2),
    layer(
        "SeparableConv2D",
        {"filters": 2, "kernel_size": 3, "depth_multiplier": 2, "strides": 2, **SAME},
        X2,
    ),
    layer("SeparableConv2D", {"filters": 2, "kernel_size": 2, **FIRST}, FIRST2),
]


def pools(kind: str, n: int, x: Any, first: Any) -> list[Case]:
    """All configurations of a pooling layer; in 3 dimensions some are enough."""
    cls = f"{kind}Pooling{n}D"
    found = [
        layer(cls, {"pool_size": 2}, x),
        layer(cls, {"pool_size": 2, "strides": 1}, x),
        layer(cls, {"pool_size": 3, "strides": 2, **SAME}, x),
        layer(cls, {"pool_size": 2, **FIRST}, first),
    ]
    if n == 2:
        found.append(layer(cls, {"pool_size": (3, 1), "strides": (1, 2)}, x))
    return found


POOLS = [
    case
    for n, x, first in ((1, X1, FIRST1), (2, X2, FIRST2), (3, X3, FIRST3))
    for case in (
        *pools("Max", n, x, first),
        *pools("Average", n, x, first),
        *(
            layer(f"Global{kind}Pooling{n}D", config, y)
            for kind in ("Max", "Average")
            for config, y in (
                ({}, x),
                ({"keepdims": True}, x),
                (FIRST, first),
            )
        ),
        *(
            layer(f"Adaptive{kind}Pooling{n}D", {"output_size": 2, **config}, x)
            for kind in ("Max", "Average")
            for config in ({}, {"data_format": "channels_first"})
        ),
    )
]
MASKED = [
    layer("GlobalAveragePooling1D", {}, X1, call={"mask": MASK}),
    layer("GlobalAveragePooling1D", {"keepdims": True}, X1, call={"mask": MASK}),
]
CASES = [*CONVOLUTIONS, *TRANSPOSED, *SEPARATE, *POOLS, *MASKED]
