"""Ops on images: stored references, properties, derivatives and errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from polykeras import ops
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    tensor,
)

image = ops.image


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).uniform(0, 1, shape)


def channels_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, -1, -3)


# -- colour ------------------------------------------------------------------------


def test_colours_go_there_and_back(backend):
    x = draw(2, 4, 5, 3)
    hsv = check_abstract(image.rgb_to_hsv, x)
    check_values(image.hsv_to_rgb(hsv), x, ulp=64, scale=1.0)
    first = image.rgb_to_hsv(tensor(channels_first(x)), "channels_first")
    check_values(first, channels_first(host(hsv)), ulp=4)


def test_known_colours(backend):
    rgb = np.array(
        [[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5], [0, 0, 0]]], "f4"
    )
    hue = np.array([0, 1 / 3, 2 / 3, 0, 0])
    expected = np.stack([hue, [1, 1, 1, 0, 0], [1, 1, 1, 0.5, 0]], -1)[None]
    check_values(image.rgb_to_hsv(tensor(rgb)), expected, ulp=4, dtype="float32")


def test_grayscale(backend):
    x = draw(2, 4, 5, 3)
    expected = (x @ np.array([0.2989, 0.5870, 0.1140]))[..., None]
    check_values(check_abstract(image.rgb_to_grayscale, x), expected, ulp=8)
    check_gradient(image.rgb_to_grayscale, [x])
    small = (x * 255).astype("uint8")
    out = check_abstract(image.rgb_to_grayscale, small)
    assert ops.dtype(out) == "uint8"
    check_values(image.rgb_to_grayscale(tensor(x[..., :1])), x[..., :1])


@pytest.mark.parametrize("fn", [image.rgb_to_hsv, image.hsv_to_rgb])
def test_colour_gradient(backend, fn):
    check_gradient(fn, [draw(3, 4, 3)], tolerance=1e-6)


# -- cropping and padding ----------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {
            "top_cropping": 1,
            "left_cropping": 2,
            "bottom_cropping": 1,
            "right_cropping": 1,
        },
        {"top_cropping": 1, "left_cropping": 2, "target_height": 3, "target_width": 3},
        {
            "bottom_cropping": 1,
            "right_cropping": 1,
            "target_height": 3,
            "target_width": 3,
        },
    ],
    ids=range(3),
)
def test_crop(backend, settings):
    x = draw(2, 5, 6, 3)
    expected = x[:, 1:4, 2:5]
    out = check_abstract(lambda a: image.crop_images(a, **settings), x)
    check_values(out, expected)
    first = tensor(channels_first(x))
    out = image.crop_images(first, **settings, data_format="channels_first")
    check_values(out, channels_first(expected))


@pytest.mark.parametrize(
    "settings",
    [
        {"top_padding": 1, "left_padding": 2, "bottom_padding": 0, "right_padding": 1},
        {"top_padding": 1, "left_padding": 2, "target_height": 6, "target_width": 9},
        {
            "bottom_padding": 0,
            "right_padding": 1,
            "target_height": 6,
            "target_width": 9,
        },
    ],
    ids=range(3),
)
def test_pad(backend, settings):
    x = draw(5, 6, 3)
    expected = np.pad(x, [(1, 0), (2, 1), (0, 0)])
    check_values(check_abstract(lambda a: image.pad_images(a, **settings), x), expected)


# -- resizing ----------------------------------------------------------------------

RAMP = np.arange(16, dtype="float64").reshape(1, 4, 4, 1)


def linear_weights(old: int, new: int) -> np.ndarray:
    at = (np.arange(new) + 0.5) * old / new - 0.5
    grid = np.clip(at, 0, old - 1)
    return np.maximum(0, 1 - np.abs(grid[:, None] - np.arange(old)))


@pytest.mark.parametrize("size", [(4, 4), (8, 6), (3, 2), (1, 7)])
def test_bilinear_is_linear_between_centres(backend, size):
    x = draw(2, 4, 5, 3)
    expected = np.einsum(
        "ih,jw,bhwc->bijc", linear_weights(4, size[0]), linear_weights(5, size[1]), x
    )
    out = check_abstract(lambda a: image.resize(a, size), x)
    check_values(out, expected, ulp=32, scale=1.0, dtype="float64")
    first = image.resize(tensor(channels_first(x)), size, data_format="channels_first")
    check_values(first, channels_first(expected), ulp=32, scale=1.0)


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [False, True])
def test_filters_keep_constants_and_have_derivatives(backend, name, antialias):
    def fn(a):
        return image.resize(a, (3, 7), name, antialias)

    check_values(fn(tensor(np.ones((5, 5, 2)))), np.ones((3, 7, 2)), ulp=16)
    check_gradient(fn, [draw(5, 4, 2)])


# Rows of a ramp of four values enlarged to six, as Keras 3.15 gives them.
REFERENCE = {
    "nearest": [0, 1, 1, 2, 3, 3],
    "bicubic": [-0.0657892, 0.4117647, 1.1666665, 1.8333333, 2.5882354, 3.0657897],
    "lanczos3": [-0.0635947, 0.3716381, 1.1933339, 1.8066666, 2.6283619, 3.0635946],
}


@pytest.mark.parametrize("name", REFERENCE)
def test_filters_against_stored_rows(backend, name):
    x = tensor(np.tile(np.arange(4.0), (2, 1))[..., None])
    out = host(image.resize(x, (2, 6), name))[0, :, 0]
    np.testing.assert_allclose(out, REFERENCE[name], atol=5e-7)


def test_resize_of_integers_rounds_and_saturates(backend):
    x = tensor(np.array([[0, 255, 0, 255]], "uint8")[..., None])
    out = image.resize(x, (1, 9), "bicubic")
    assert ops.dtype(out) == "uint8"
    assert host(out).min() == 0
    assert host(out).max() == 255


def test_aspect_ratio(backend):
    x = draw(2, 4, 8, 3)
    cropped = image.resize(tensor(x), (2, 2), crop_to_aspect_ratio=True)
    check_values(cropped, host(image.resize(tensor(x[:, :, 2:6]), (2, 2))), ulp=4)
    padded = image.resize(tensor(x), (4, 4), pad_to_aspect_ratio=True, fill_value=2.0)
    full = np.pad(x, [(0, 0), (2, 2), (0, 0), (0, 0)], constant_values=2.0)
    check_values(padded, host(image.resize(tensor(full), (4, 4))), ulp=4)


def test_scale_and_translate_shifts(backend):
    x = draw(5, 6)
    shift, scale = np.array([1.0, -2.0]), np.ones(2)

    def fn(a, s, t):
        return image.scale_and_translate(a, (5, 6), s, t, (0, 1), "linear", False)

    out = check_abstract(fn, x, scale, shift)
    expected = np.zeros((5, 6))
    expected[1:, :4] = x[:4, 2:]
    check_values(out, expected, ulp=16, scale=1.0)
    check_gradient(fn, [x, scale * 1.3, shift + 0.21], tolerance=1e-6)


# -- sampling ----------------------------------------------------------------------

# SciPy's names of the same extensions.
MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "wrap": "grid-wrap",
    "mirror": "mirror",
    "reflect": "reflect",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_map_coordinates_is_scipys(backend, mode, order):
    x = draw(4, 5)
    at = np.random.default_rng(3).uniform(-7, 11, (2, 3, 8))

    def fn(a, c):
        return image.map_coordinates(a, c, order, mode, 0.5)

    expected = ndimage.map_coordinates(x, at, order=order, mode=MODES[mode], cval=0.5)
    check_values(check_abstract(fn, x, at), expected, ulp=64, scale=1.0)
    check_gradient(fn, [x, at], tolerance=1e-6)


def test_identity_transforms(backend):
    x = draw(2, 4, 5, 3)
    unit = np.array([1.0, 0, 0, 0, 1, 0, 0, 0])
    out = check_abstract(image.affine_transform, x, unit)
    check_values(out, x, ulp=8, scale=1.0)
    corners = np.array([[0.0, 0], [4, 0], [0, 3], [4, 3]])
    out = check_abstract(image.perspective_transform, x, corners, corners)
    inner = host(out)[:, :-1, :-1]
    np.testing.assert_allclose(inner, x[:, :-1, :-1], atol=1e-12)


@pytest.mark.parametrize("interpolation,order", [("nearest", 0), ("bilinear", 1)])
def test_affine_transform(backend, interpolation, order):
    x = draw(4, 5, 2)
    a = np.array([0.9, 0.2, 0.31, -0.1, 1.1, 0.17, 0.0, 0.0])
    rows, columns = np.mgrid[:4, :5]
    at = np.stack(
        [a[3] * columns + a[4] * rows + a[5], a[0] * columns + a[1] * rows + a[2]]
    )
    expected = np.stack(
        [
            ndimage.map_coordinates(x[..., c], at, order=order, mode="grid-constant")
            for c in range(2)
        ],
        -1,
    )
    out = image.affine_transform(tensor(x), tensor(a), interpolation)
    check_values(out, expected, ulp=64, scale=1.0)
    first = tensor(channels_first(x))
    out = image.affine_transform(
        first, tensor(a), interpolation, data_format="channels_first"
    )
    check_values(out, channels_first(expected), ulp=64, scale=1.0)


def test_perspective_transform_moves_points(backend):
    x = np.zeros((6, 6, 1))
    x[1, 2] = 1
    start = np.array([[0.0, 0], [5, 0], [0, 5], [5, 5]])
    shifted = start + np.array([1, 2])
    out = image.perspective_transform(tensor(x), tensor(start), tensor(shifted))
    expected = np.zeros((6, 6, 1))
    expected[3, 3] = 1
    np.testing.assert_allclose(host(out), expected, atol=1e-9)


def test_elastic_transform_is_seeded(backend):
    x = tensor(draw(8, 8, 2).astype("f4"))
    one, same, other = (image.elastic_transform(x, 5.0, 2.0, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(host(one), host(same))
    assert np.any(host(one) != host(other))


# -- patches -----------------------------------------------------------------------


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rate", [1, 2])
def test_extract_patches(backend, padding, rate):
    x = draw(2, 7, 8, 3)

    def fn(a):
        return image.extract_patches(a, (3, 2), (2, 3), rate, padding)

    span = (2 * rate + 1, rate + 1)
    if padding == "same":
        count = (4, 3)
        extra = [
            max((c - 1) * s + k - n, 0)
            for c, s, k, n in zip(count, (2, 3), span, (7, 8), strict=True)
        ]
    else:
        count = tuple(
            (n - k) // s + 1 for n, k, s in zip((7, 8), span, (2, 3), strict=True)
        )
        extra = [0, 0]
    padded = np.pad(x, [(0, 0), *[(e // 2, e - e // 2) for e in extra], (0, 0)])
    expected = np.stack(
        [
            np.stack(
                [
                    padded[
                        :,
                        2 * i : 2 * i + span[0] : rate,
                        3 * j : 3 * j + span[1] : rate,
                    ].reshape(2, -1)
                    for j in range(count[1])
                ],
                1,
            )
            for i in range(count[0])
        ],
        1,
    )
    check_values(check_abstract(fn, x), expected)
    check_gradient(fn, [x])


def test_patches_of_single_and_channels_first_images(backend):
    x = draw(4, 6, 3)
    whole = host(image.extract_patches(tensor(x[None]), 2))[0]
    check_values(image.extract_patches(tensor(x), 2), whole)
    first = tensor(channels_first(x))
    out = image.extract_patches(first, 2, data_format="channels_first")
    check_values(out, channels_first(whole))


def test_extract_patches_3d(backend):
    x = draw(1, 4, 4, 6, 2)
    out = host(check_abstract(lambda a: image.extract_patches_3d(a, (2, 4, 3)), x))
    assert out.shape == (1, 2, 1, 2, 48)
    np.testing.assert_array_equal(out[0, 1, 0, 1], x[0, 2:, :, 3:].ravel())


# -- filters -----------------------------------------------------------------------


def test_gaussian_blur(backend):
    x = draw(6, 7, 2)
    kernel = np.exp(-0.5 * (np.arange(-1, 2) / 0.8) ** 2)
    wide = np.exp(-0.5 * (np.arange(-2, 3) / 1.2) ** 2)
    smooth = ndimage.correlate1d(x, wide / wide.sum(), axis=1, mode="constant")
    expected = ndimage.correlate1d(
        smooth, kernel / kernel.sum(), axis=0, mode="constant"
    )

    def fn(a):
        return image.gaussian_blur(a, (5, 3), (1.2, 0.8))

    check_values(check_abstract(fn, x), expected, ulp=16, scale=1.0)
    check_gradient(fn, [x])


def test_sobel_edges(backend):
    x = draw(6, 7, 1)
    edges = [ndimage.sobel(x[..., 0], axis=i, mode="constant") for i in (0, 1)]
    expected = np.stack(edges, axis=-1)[..., None, :]
    out = check_abstract(image.sobel_edges, x)
    check_values(out, expected, ulp=16, scale=4.0)


def test_ssim(backend):
    x = draw(2, 14, 13, 3)
    check_values(image.ssim(tensor(x), tensor(x)), np.ones(2), ulp=16)
    noisy = x + 0.2 * draw(2, 14, 13, 3, seed=5)
    out = host(check_abstract(image.ssim, x, noisy))
    assert np.all((out > 0) & (out < 1))
    assert tuple(image.ssim(tensor(x[0]), tensor(noisy[0])).shape) == ()
