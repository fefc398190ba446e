"""Ops of networks and of images."""

from __future__ import annotations

from dataclasses import replace

from tests.peer._case import bools, fixed, floats, given, ints, op

__all__ = ["CASES"]

X1 = floats(2, 6, 2)
X2 = floats(1, 5, 4, 2)
FIRST = {"data_format": "channels_first"}

WINDOWS = [
    op("ops.conv", X1, floats(3, 2, 3)),
    op("ops.conv", X1, floats(2, 2, 3), strides=2, padding="same"),
    op("ops.conv", X2, floats(2, 2, 2, 3), dilation_rate=2),
    op("ops.conv", X2, floats(3, 2, 1, 4), strides=(2, 1), padding="same"),
    op("ops.conv", floats(1, 2, 4, 5), floats(2, 2, 2, 3), **FIRST),
    op("ops.conv", floats(1, 3, 3, 2, 2), floats(2, 2, 2, 2, 1)),
    op("ops.conv_transpose", X1, floats(3, 3, 2)),
    op("ops.conv_transpose", X1, floats(3, 3, 2), strides=2, padding="same"),
    op("ops.conv_transpose", floats(1, 2, 3, 2), floats(2, 2, 1, 2), strides=2),
    op(
        "ops.conv_transpose",
        floats(1, 2, 3, 2),
        floats(3, 3, 1, 2),
        strides=2,
        padding="same",
        output_padding=1,
    ),
    op("ops.depthwise_conv", X1, floats(3, 2, 1)),
    op("ops.depthwise_conv", X2, floats(2, 2, 2, 2), padding="same"),
    op("ops.separable_conv", X1, floats(3, 2, 1), floats(1, 2, 3)),
    op("ops.separable_conv", X2, floats(2, 2, 2, 2), floats(1, 1, 4, 3), strides=2),
    *(
        op(f"ops.{kind}_pool", x, **config)
        for kind in ("max", "average")
        for x, config in (
            (X1, {"pool_size": 2, "strides": 2}),
            (X1, {"pool_size": 3, "strides": 1, "padding": "same"}),
            (X2, {"pool_size": (2, 3), "strides": (1, 2)}),
            (X2, {"pool_size": 3, "strides": 2, "padding": "same"}),
            (floats(1, 2, 4, 5), {"pool_size": 2, "strides": 2, **FIRST}),
        )
    ),
]
Q = floats(2, 3, 2, 4)
ATTENTION = [
    op("ops.dot_product_attention", Q, floats(2, 5, 2, 4), floats(2, 5, 2, 4)),
    op("ops.dot_product_attention", Q, Q, Q, is_causal=True, scale=0.25),
    op("ops.dot_product_attention", Q, Q, Q, mask=bools(2, 1, 3, 3)),
    op("ops.dot_product_attention", Q, Q, Q, bias=floats(2, 2, 3, 3)),
    op("ops.dot_product_attention", floats(2, 3, 4, 4), *[floats(2, 5, 2, 4)] * 2),
]
LOGITS = floats(2, 3, low=-2, high=2)
SHARES = floats(2, 3, low=0.1, high=0.9)
STATISTICS = [
    op(
        "ops.batch_normalization",
        floats(4, 3),
        floats(3),
        floats(3, low=0.5, high=2),
        axis=-1,
    ),
    op(
        "ops.batch_normalization",
        floats(2, 3, 4),
        floats(3),
        floats(3, low=0.5, high=2),
        axis=1,
        offset=floats(3),
        scale=floats(3),
        epsilon=0.1,
    ),
    op("ops.layer_normalization", floats(2, 4)),
    op("ops.layer_normalization", floats(2, 4), floats(4), floats(4), epsilon=0.1),
    op("ops.layer_normalization", floats(2, 3, 4), axis=(1, 2)),
    op("ops.rms_normalization", floats(2, 4)),
    op("ops.rms_normalization", floats(2, 4), floats(4), epsilon=0.1),
    op("ops.binary_crossentropy", fixed(SHARES), SHARES),
    op("ops.binary_crossentropy", fixed(SHARES), LOGITS, from_logits=True),
    op(
        "ops.categorical_crossentropy",
        fixed(given([[0.0, 1, 0], [0.25, 0.25, 0.5]])),
        SHARES,
    ),
    op(
        "ops.categorical_crossentropy",
        fixed(given([[0.0, 1, 0], [0.25, 0.25, 0.5]])),
        LOGITS,
        from_logits=True,
    ),
    op("ops.categorical_crossentropy", fixed(SHARES), SHARES, axis=0),
    op("ops.sparse_categorical_crossentropy", ints(3, 2), SHARES),
    op("ops.sparse_categorical_crossentropy", ints(3, 2), LOGITS, from_logits=True),
]
IMAGE = floats(1, 4, 5, 3, low=0.0)
SMALL = floats(1, 4, 5, 1)
TURN = given([[0.83, -0.31, 0.47, 0.29, 0.91, -0.23, 0.0, 0.0]])
PLACES = given([[0.3, 1.6, 2.3, -0.7], [0.2, 3.4, 1.6, 4.6]])
IMAGES = [
    op("ops.image.resize", IMAGE, (6, 3)),
    op("ops.image.resize", IMAGE, (2, 3), antialias=True),
    *(
        op("ops.image.resize", SMALL, (7, 3), interpolation=kind)
        for kind in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    ),
    op("ops.image.resize", SMALL, (3, 3), crop_to_aspect_ratio=True),
    op("ops.image.resize", SMALL, (6, 3), pad_to_aspect_ratio=True, fill_value=0.5),
    op("ops.image.resize", floats(1, 1, 4, 5), (3, 3), data_format="channels_first"),
    *(
        op(
            "ops.image.affine_transform",
            SMALL,
            fixed(TURN),
            interpolation=kind,
            fill_mode=mode,
        )
        for kind, mode in (
            ("bilinear", "constant"),
            ("bilinear", "nearest"),
            ("bilinear", "wrap"),
            ("bilinear", "mirror"),
            ("bilinear", "reflect"),
            ("nearest", "constant"),
        )
    ),
    *(
        op("ops.image.map_coordinates", floats(4, 5), fixed(PLACES), order, fill_mode=m)
        for order, m in (
            (1, "constant"),
            (0, "constant"),
            (1, "nearest"),
            (1, "wrap"),
            (1, "mirror"),
            (1, "reflect"),
        )
    ),
    op("ops.image.extract_patches", SMALL, 2),
    op("ops.image.extract_patches", IMAGE, (2, 3), strides=1, padding="same"),
    op("ops.image.extract_patches", IMAGE, 2, strides=1, dilation_rate=2),
    op("ops.image.crop_images", IMAGE, 1, 1, target_height=2, target_width=3),
    op("ops.image.crop_images", IMAGE, 1, 1, 0, 2),
    op("ops.image.pad_images", IMAGE, 1, 0, 2, 1),
    op("ops.image.pad_images", IMAGE, 1, 1, target_height=7, target_width=6),
    op("ops.image.rgb_to_grayscale", IMAGE),
    op("ops.image.rgb_to_hsv", IMAGE),
    op("ops.image.hsv_to_rgb", IMAGE),
    *(
        op(f"ops.image.{name}", floats(3, 2, 4), data_format="channels_first")
        for name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb")
    ),
]
# Keras resizes in 32 bits. TensorFlow has other constants for `bicubic`, and other
# places at borders; JAX agrees with SciPy.
CASES = [
    *WINDOWS,
    *ATTENTION,
    *STATISTICS,
    *(replace(case, engine="jax") for case in IMAGES),
]
