"""Cases of `polykeras.ops.image`."""

from __future__ import annotations

import colorsys
from typing import Any, Final

import numpy as np
from scipy import ndimage

from polykeras.conformance._bounds import EXACT, Bound, composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Draw, call, given, real, whole
from polykeras.conformance.cases._builders import refused
from polykeras.errors import ArgumentError, DTypeError, ShapeError

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_LAST: Final = {"data_format": "channels_last"}
_MODES: Final = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "wrap": "grid-wrap",
    "mirror": "mirror",
    "reflect": "reflect",
}


def _image(*shape: int) -> Draw:
    return real(*shape, low=0.05, high=0.95)


def _sums(count: int) -> Bound:
    return composed(
        4.0 * count, f"weights and a sum of {count} products", scale=lambda *a, **k: 2.0
    )


def _gray(images: Any, **_: Any) -> Any:
    return (images @ np.array([0.2989, 0.5870, 0.1140]))[..., None]


def _pixels(fn: Any) -> Any:
    def run(images: Any, **_: Any) -> Any:
        flat = [fn(*p) for p in images.reshape(-1, 3)]
        return np.array(flat).reshape(images.shape)

    return run


def _crop(images: Any, top_cropping: int, left_cropping: int, **how: Any) -> Any:
    h, w = how["target_height"], how["target_width"]
    return images[..., top_cropping : top_cropping + h, left_cropping:, :][..., :w, :]


def _pad(images: Any, **how: Any) -> Any:
    pads = [
        (how["top_padding"], how["bottom_padding"]),
        (how["left_padding"], how["right_padding"]),
    ]
    return np.pad(images, [*[(0, 0)] * (images.ndim - 3), *pads, (0, 0)])


def _gaussian(size: int, sigma: float) -> Any:
    at = np.arange(size) - (size - 1) / 2
    weights = np.exp(-(at**2) / (2 * sigma**2))
    return weights / weights.sum()


def _blur(images: Any, kernel_size: Any, sigma: Any, **_: Any) -> Any:
    for axis, size, s in zip((2, 1), kernel_size, sigma, strict=True):
        images = ndimage.correlate1d(images, _gaussian(size, s), axis, mode="constant")
    return images


def _sobel(images: Any, **_: Any) -> Any:
    steps, weights = np.array([-1.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0])
    found = []
    for along, across in ((1, 2), (2, 1)):
        x = ndimage.correlate1d(images, steps, along, mode="constant")
        found.append(ndimage.correlate1d(x, weights, across, mode="constant"))
    return np.stack(found, -1)


def _ssim(image1: Any, image2: Any, max_val: float = 1.0, **how: Any) -> Any:
    """Compare as Wang et al. (2004) say, in windows that lie inside (equation 13)."""
    weights = _gaussian(how["filter_size"], 1.5)
    reach = how["filter_size"] // 2

    def mean(x: Any) -> Any:
        for axis in (1, 2):
            x = ndimage.correlate1d(x, weights, axis, mode="constant")
        return x[:, reach:-reach, reach:-reach]

    m1, m2 = mean(image1), mean(image2)
    v1, v2 = mean(image1**2) - m1**2, mean(image2**2) - m2**2
    both = mean(image1 * image2) - m1 * m2
    c1, c2 = (0.01 * max_val) ** 2, (0.03 * max_val) ** 2
    light = (2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1)
    return np.mean(light * (2 * both + c2) / (v1 + v2 + c2), axis=(1, 2, 3))


def _coordinates(
    inputs: Any,
    coordinates: Any,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Any:
    return ndimage.map_coordinates(
        inputs, coordinates, order=order, mode=_MODES[fill_mode], cval=fill_value
    )


def _affine(
    images: Any, transform: Any, interpolation: str = "bilinear", **_: Any
) -> Any:
    a = transform
    rows, columns = np.mgrid[: images.shape[0], : images.shape[1]]
    at = [a[3] * columns + a[4] * rows + a[5], a[0] * columns + a[1] * rows + a[2]]
    order = 0 if interpolation == "nearest" else 1
    planes = [
        ndimage.map_coordinates(plane, at, order=order, mode="grid-constant")
        for plane in np.moveaxis(images, -1, 0)
    ]
    return np.stack(planes, -1)


def _patches(
    images: Any,
    size: int,
    strides: int,
    dilation_rate: int = 1,
    padding: str = "valid",
    **_: Any,
) -> Any:
    reach = (size - 1) * dilation_rate + 1
    if padding == "same":
        lacks = [
            max((-(-n // strides) - 1) * strides + reach - n, 0)
            for n in images.shape[1:3]
        ]
        pads = [(n // 2, n - n // 2) for n in lacks]
        images = np.pad(images, [(0, 0), *pads, (0, 0)])
    b, h, w, c = images.shape
    rows = [
        [
            images[
                :, i : i + reach : dilation_rate, j : j + reach : dilation_rate
            ].reshape(b, size * size * c)
            for j in range(0, w - reach + 1, strides)
        ]
        for i in range(0, h - reach + 1, strides)
    ]
    return np.stack([np.stack(row, 1) for row in rows], 1)


def _volumes(volumes: Any, size: int, **_: Any) -> Any:
    b, d, h, w, c = volumes.shape
    cut = volumes.reshape(b, d // size, size, h // size, size, w // size, size, c)
    return cut.transpose(0, 1, 3, 5, 2, 4, 6, 7).reshape(
        b, d // size, h // size, w // size, size**3 * c
    )


def _moved(images: Any, *_: Any, **__: Any) -> Any:
    out = np.zeros_like(images)
    out[2:, 1:] = images[:-2, :-1]
    return out


def _filter(name: str) -> Any:
    return (ErrorSample(call(_image(4, 4, 1), (2, 2), name), ArgumentError, (name,)),)


_CORNERS: Final = [[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]]
_MOVED: Final = [[1.0, 2.0], [6.0, 2.0], [1.0, 7.0], [6.0, 7.0]]

CASES: Final = (
    OpCase(
        "image.rgb_to_grayscale",
        (call(_image(2, 3, 4, 3), **_LAST),),
        _gray,
        _sums(3),
        _WIDE,
        gradient=1,
        errors=(refused(ShapeError, call(real(4, 4)), "rgb_to_grayscale", "(4, 4)"),),
    ),
    OpCase(
        "image.rgb_to_hsv",
        (call(_image(3, 4, 3), **_LAST),),
        _pixels(colorsys.rgb_to_hsv),
        _sums(8),
        _WIDE,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(
            refused(ShapeError, call(real(4, 4, 2), **_LAST), "(4, 4, 2)"),
            refused(DTypeError, call(whole(4, 4, 3, dtype="uint8"), **_LAST), "uint8"),
            refused(ArgumentError, call(real(4, 4, 3), "last"), "'last'"),
        ),
    ),
    OpCase(
        "image.hsv_to_rgb",
        (call(_image(3, 4, 3), **_LAST),),
        _pixels(colorsys.hsv_to_rgb),
        _sums(8),
        _WIDE,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(
            refused(ShapeError, call(real(4, 4, 2), **_LAST), "(4, 4, 2)"),
            refused(DTypeError, call(whole(4, 4, 3, dtype="uint8"), **_LAST), "uint8"),
        ),
    ),
    OpCase(
        "image.crop_images",
        (
            call(
                _image(2, 5, 6, 3),
                top_cropping=1,
                left_cropping=2,
                target_height=3,
                target_width=3,
                **_LAST,
            ),
            call(
                _image(5, 6, 2),
                top_cropping=0,
                left_cropping=3,
                target_height=5,
                target_width=1,
                **_LAST,
            ),
        ),
        _crop,
        EXACT,
        _WIDE,
        gradient=1,
        errors=(
            refused(ArgumentError, call(real(4, 4, 3), 1, 1, **_LAST), "crop_images"),
            refused(
                ShapeError, call(real(4, 4, 3), 2, 0, 2, 0, **_LAST), "crop_images"
            ),
        ),
    ),
    OpCase(
        "image.pad_images",
        (
            call(
                _image(2, 3, 4, 2),
                top_padding=1,
                left_padding=2,
                bottom_padding=0,
                right_padding=1,
                **_LAST,
            ),
        ),
        _pad,
        EXACT,
        _WIDE,
        gradient=1,
        errors=(
            refused(
                ArgumentError,
                call(real(4, 4, 3), -1, 0, 0, 0, **_LAST),
                "pad_images",
                "-1",
            ),
        ),
    ),
    OpCase(
        "image.gaussian_blur",
        (call(_image(1, 5, 6, 2), (3, 3), (1.0, 0.5), **_LAST),),
        _blur,
        _sums(9),
        _WIDE,
        gradient=1,
        errors=(
            refused(
                ArgumentError,
                call(real(4, 4, 3), (0, 3), **_LAST),
                "gaussian_blur",
                "(0, 3)",
            ),
        ),
    ),
    OpCase(
        "image.sobel_edges",
        (call(_image(1, 5, 6, 2), **_LAST),),
        _sobel,
        _sums(9),
        _WIDE,
        gradient=1,
        errors=(
            refused(ShapeError, call(real(4, 4), **_LAST), "sobel_edges", "(4, 4)"),
        ),
    ),
    OpCase(
        "image.ssim",
        (call(_image(2, 9, 10, 1), _image(2, 9, 10, 1), filter_size=5, **_LAST),),
        _ssim,
        composed(4096, "variances, which cancel, near 9e-4", scale=lambda *a, **k: 1.0),
        _WIDE,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(
            refused(
                ShapeError, call(real(4, 4, 3), real(4, 4, 3), **_LAST), "ssim", "11"
            ),
        ),
    ),
    OpCase(
        "image.map_coordinates",
        (
            call(_image(4, 5), real(2, 3, 8, low=-6, high=9), 1, fill_value=0.5),
            *(
                call(_image(4, 5), real(2, 8, low=-6, high=9), 1, mode)
                for mode in ("nearest", "wrap", "mirror", "reflect")
            ),
            call(_image(4, 5), real(2, 8, low=-6, high=9), 0, "nearest"),
        ),
        _coordinates,
        composed(64, "weights of rounded coordinates", scale=lambda *a, **k: 8.0),
        _WIDE,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(
            refused(ArgumentError, call(real(3), real(1, 2), 2), "order", "2"),
            refused(
                ShapeError, call(real(3), real(2, 2), 1), "map_coordinates", "(2, 2)"
            ),
        ),
    ),
    OpCase(
        "image.affine_transform",
        (
            call(
                _image(4, 5, 2),
                given([0.9, 0.2, 0.31, -0.1, 1.1, 0.17, 0.0, 0.0]),
                **_LAST,
            ),
            call(
                _image(4, 5, 2),
                given([0.9, 0.2, 0.31, -0.1, 1.1, 0.17, 0.0, 0.0]).constant(),
                "nearest",
                **_LAST,
            ),
        ),
        _affine,
        composed(64, "weights of rounded coordinates", scale=lambda *a, **k: 4.0),
        _WIDE,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(
            refused(
                ShapeError,
                call(real(4, 4, 3), real(6), **_LAST),
                "affine_transform",
                "8 values",
            ),
        ),
    ),
    OpCase(
        "image.perspective_transform",
        (
            call(
                _image(6, 6, 1),
                given(_CORNERS).constant(),
                given(_MOVED).constant(),
                **_LAST,
            ),
        ),
        _moved,
        composed(
            4096,
            "an 8 by 8 system in pixels, and its coordinates",
            scale=lambda *a, **k: 1.0,
        ),
        ("float64",),
    ),
    OpCase(
        "image.extract_patches",
        (
            call(_image(2, 5, 6, 2), 2, 2, **_LAST),
            call(_image(1, 4, 4, 1), 3, 1, **_LAST),
            call(_image(1, 5, 6, 2), 2, 2, dilation_rate=2, padding="same", **_LAST),
        ),
        _patches,
        EXACT,
        _WIDE,
        gradient=1,
        errors=(
            refused(ShapeError, call(real(4, 4, 3), 5, **_LAST), "5"),
            refused(
                ArgumentError, call(real(4, 4, 3), 0, **_LAST), "extract_patches", "0"
            ),
        ),
    ),
    OpCase(
        "image.extract_patches_3d",
        (call(_image(1, 4, 4, 4, 2), 2, **_LAST),),
        _volumes,
        EXACT,
        _WIDE,
        gradient=1,
        errors=(
            refused(
                ShapeError,
                call(real(4, 4, 3), 2, **_LAST),
                "extract_patches_3d",
                "(4, 4, 3)",
            ),
        ),
    ),
)
