import io
import sys

import numpy as np
import pytest

from polykeras.errors import ArgumentError, ShapeError
from polykeras.utils import array_to_img, img_to_array, load_img, save_img

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first", None])
def test_round_trip(channels, mode, data_format):
    shape = (channels, 4, 5) if data_format == "channels_first" else (4, 5, channels)
    x = RNG.integers(0, 256, shape).astype("float32")
    image = array_to_img(x, data_format=data_format, scale=False)
    assert image.mode == mode
    assert image.size == (5, 4)
    result = img_to_array(image, data_format=data_format)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, x)


def test_scaling_fills_the_range():
    x = np.linspace(-1, 3, 12).reshape(2, 2, 3)
    pixels = np.asarray(array_to_img(x))
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert x.min() == -1
    assert np.asarray(array_to_img(np.full((2, 2, 3), 7.0))).max() == 0


def test_wide_grayscale():
    x = np.array([[[300.0], [70000.0]]])
    image = array_to_img(x, scale=False)
    assert image.mode == "I"
    np.testing.assert_array_equal(img_to_array(image), x)


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5, 3), (4, 5, 2)])
def test_shapes_that_are_no_image(shape):
    with pytest.raises(ShapeError, match=r"channels|rank 3"):
        array_to_img(np.zeros(shape))


def test_img_to_array_dtype_and_rank():
    assert img_to_array(np.zeros((4, 5)), dtype="uint8").dtype == np.uint8
    assert img_to_array(np.zeros((4, 5)), "channels_first").shape == (1, 4, 5)
    with pytest.raises(ShapeError, match=r"\(1, 4, 5, 3\)"):
        img_to_array(np.zeros((1, 4, 5, 3)))


@pytest.mark.parametrize("name, format_", [("a.png", "PNG"), ("a.jpg", "JPEG")])
def test_files(tmp_path, name, format_):
    x = np.full((6, 8, 3), 100.0)
    save_img(tmp_path / name, x, scale=False)
    with Image.open(tmp_path / name) as opened:
        assert opened.format == format_
    result = img_to_array(load_img(str(tmp_path / name)))
    # JPEG's rounding of colours may be off by one or two steps.
    np.testing.assert_allclose(result, x, atol=2)


def test_open_files_and_formats():
    stream = io.BytesIO()
    x = RNG.integers(0, 256, (3, 4, 3))
    save_img(stream, x, file_format="png", scale=False)
    stream.seek(0)
    np.testing.assert_array_equal(img_to_array(load_img(stream), dtype="int64"), x)


def test_jpeg_drops_alpha_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="no alpha"):
        save_img(tmp_path / "a.jpg", np.zeros((2, 2, 4)))
    assert load_img(tmp_path / "a.jpg").mode == "RGB"


@pytest.mark.parametrize(
    "color_mode, mode", [("grayscale", "L"), ("rgb", "RGB"), ("rgba", "RGBA")]
)
def test_color_modes(tmp_path, color_mode, mode):
    save_img(tmp_path / "a.png", RNG.random((2, 3, 3)))
    assert load_img(tmp_path / "a.png", color_mode=color_mode).mode == mode


def test_wide_grayscale_is_kept(tmp_path):
    x = np.array([[300, 60000]], dtype="uint16")
    Image.fromarray(x).save(tmp_path / "a.png")
    image = load_img(tmp_path / "a.png", color_mode="grayscale")
    assert img_to_array(image, dtype="int32")[..., 0].tolist() == [[300, 60000]]


def test_resizing(tmp_path):
    x = np.zeros((4, 8, 1))
    x[:, 2:6] = 255
    save_img(tmp_path / "a.png", x, scale=False)
    path = tmp_path / "a.png"
    assert load_img(path, target_size=(2, 4)).size == (4, 2)
    whole = img_to_array(load_img(path, "grayscale", (4, 4), "box"))
    centre = img_to_array(load_img(path, "grayscale", (4, 4), keep_aspect_ratio=True))
    assert whole[0, :, 0].tolist() == [0, 255, 255, 0]
    assert centre[0, :, 0].tolist() == [255, 255, 255, 255]


def test_unknown_words(tmp_path):
    with pytest.raises(ArgumentError, match=r"color_mode 'RGB'.*'rgb'"):
        load_img("a.png", color_mode="RGB")
    with pytest.raises(ArgumentError, match=r"interpolation 'linear'.*'bilinear'"):
        load_img("a.png", interpolation="linear")


def test_missing_pillow_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"polykeras\[images\]"):
        array_to_img(np.zeros((2, 2, 3)))
