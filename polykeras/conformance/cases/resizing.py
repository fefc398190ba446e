"""Cases of resizing images."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import Bound, composed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import Draw, call, given, real
from polykeras.conformance.cases._builders import refused
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_LAST: Final = {"data_format": "channels_last"}
_FIRST: Final = {"data_format": "channels_first"}


def _triangle(t: float) -> float:
    return max(0.0, 1 - t)


def _keys(t: float) -> float:
    """Return the cubic of Keys (1981), equation 15 with a = -1/2."""
    if t < 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def _lanczos(radius: int) -> Any:
    def weigh(t: float) -> float:
        return float(np.sinc(t) * np.sinc(t / radius)) if t < radius else 0.0

    return weigh


_FILTERS: Final = {
    "bilinear": _triangle,
    "linear": _triangle,
    "bicubic": _keys,
    "cubic": _keys,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _matrix(old: int, new: int, name: str, antialias: bool) -> Any:
    """Return the weights that make `new` values of `old` ones, as in the papers."""
    stretch = max(old / new, 1.0) if antialias else 1.0
    rows = []
    for i in range(new):
        at = (i + 0.5) * old / new - 0.5
        row = np.array([_FILTERS[name](abs(at - j) / stretch) for j in range(old)])
        rows.append(row / row.sum())
    return np.array(rows)


def _resize(images: Any, size: Any, interpolation: str = "bilinear", **how: Any) -> Any:
    if how.get("data_format") == "channels_first":
        last = np.moveaxis(images, -3, -1)
        how = {**how, "data_format": "channels_last"}
        return np.moveaxis(_resize(last, size, interpolation, **how), -1, -3)
    h, w = images.shape[-3:-1]
    if how.get("crop_to_aspect_ratio"):
        kept = min(h, w * size[0] // size[1]), min(w, h * size[1] // size[0])
        top, left = (h - kept[0]) // 2, (w - kept[1]) // 2
        images = images[..., top : top + kept[0], left : left + kept[1], :]
    if how.get("pad_to_aspect_ratio"):
        wide = max(h, w * size[0] // size[1]), max(w, h * size[1] // size[0])
        rows, columns = (wide[0] - h) // 2, (wide[1] - w) // 2
        pads = [(0, 0)] * (images.ndim - 3) + [(rows, rows), (columns, columns), (0, 0)]
        images = np.pad(images, pads, constant_values=how.get("fill_value", 0.0))
    h, w = images.shape[-3:-1]
    if interpolation == "nearest":
        rows = [math.floor((i + 0.5) * h / size[0]) for i in range(size[0])]
        columns = [math.floor((i + 0.5) * w / size[1]) for i in range(size[1])]
        return images[..., rows, :, :][..., columns, :]
    antialias = how.get("antialias", False)
    vertical = _matrix(h, size[0], interpolation, antialias)
    horizontal = _matrix(w, size[1], interpolation, antialias)
    return np.einsum("ih,jw,...hwc->...ijc", vertical, horizontal, images)


def _scaled(images: Any, output_shape: Any, scale: Any, shift: Any, *how: Any) -> Any:
    """Resample the axes; what comes from outside of the image is 0."""
    axes, method, antialias = how
    for axis, s, t in zip(axes, np.array(scale), np.array(shift), strict=True):
        old, new = images.shape[axis], output_shape[axis]
        stretch = max(1 / s, 1.0) if antialias else 1.0
        weights = np.zeros((new, old))
        for i in range(new):
            at = (i + 0.5 - t) / s - 0.5
            row = [_FILTERS[method](abs(at - j) / stretch) for j in range(old)]
            if -0.5 <= at <= old - 0.5:
                weights[i] = np.array(row) / sum(row)
        images = np.moveaxis(np.tensordot(weights, images, ((1,), (axis,))), 0, axis)
    return images


def _image(*shape: int) -> Draw:
    return real(*shape, low=0.05, high=0.95)


def _bound() -> Bound:
    return composed(
        64.0, "weights, and sums of at most 16 products", scale=lambda *a, **k: 2.0
    )


def _moved(factors: Any, shifts: Any, method: str, antialias: bool) -> Any:
    return call(
        _image(5, 6),
        (4, 7),
        given(factors).constant(),
        given(shifts).constant(),
        (0, 1),
        method,
        antialias,
    )


CASES: Final = (
    OpCase(
        "image.resize",
        (
            call(_image(2, 4, 5, 3), (8, 6), **_LAST),
            call(_image(4, 5, 2), (3, 2), **_LAST),
            call(_image(1, 2, 4, 5), (6, 3), **_FIRST),
            call(_image(1, 6, 5, 2), (3, 4), "bilinear", antialias=True, **_LAST),
            call(_image(1, 4, 5, 2), (3, 7), interpolation="nearest", **_LAST),
            call(_image(1, 4, 5, 2), (7, 3), "bicubic", **_LAST),
            call(_image(1, 6, 5, 1), (3, 7), "bicubic", antialias=True, **_LAST),
            call(_image(1, 7, 6, 1), (9, 4), "lanczos3", **_LAST),
            call(_image(1, 7, 6, 1), (5, 9), "lanczos5", antialias=True, **_LAST),
            call(_image(1, 6, 4, 1), (3, 3), crop_to_aspect_ratio=True, **_LAST),
            call(
                _image(1, 6, 4, 1),
                (3, 3),
                pad_to_aspect_ratio=True,
                fill_value=0.5,
                **_LAST,
            ),
        ),
        _resize,
        _bound(),
        _WIDE,
        gradient=1,
        errors=(
            refused(ArgumentError, call(_image(4, 4, 1), (2, 2), "cubist"), "cubist"),
            refused(ShapeError, call(_image(4, 4), (2, 2), **_LAST), "(4, 4)"),
            refused(ArgumentError, call(_image(4, 4, 3), (2, 0), **_LAST), "(2, 0)"),
            refused(
                ArgumentError,
                call(
                    _image(4, 4, 3),
                    (2, 2),
                    crop_to_aspect_ratio=True,
                    pad_to_aspect_ratio=True,
                ),
                "aspect ratio, not both",
            ),
        ),
    ),
    OpCase(
        "image.scale_and_translate",
        (
            _moved([1.0, 1.0], [1.0, -2.0], "linear", False),
            _moved([0.5, 1.25], [0.25, -0.5], "linear", True),
            _moved([1.5, 0.75], [-1.0, 0.375], "cubic", True),
            _moved([0.75, 1.5], [0.625, 0.25], "lanczos3", False),
        ),
        _scaled,
        _bound(),
        _WIDE,
        gradient=1,
    ),
)
