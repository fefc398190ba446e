"""Layers that change images: random in training only, equal on every backend."""

import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import get_backend, use_backend
from polykeras.errors import ArgumentError, ShapeError
from polykeras.registry import deserialize_keras_object, serialize_keras_object

IMAGES = np.random.default_rng(0).uniform(size=(6, 5, 4, 3)).astype("float32")

RANDOM = [
    ("RandomFlip", {}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomRotation", {"factor": 0.2}),
    ("RandomZoom", {"height_factor": 0.3}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": (0.1, 0.2)}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
    ("RandomCrop", {"height": 3, "width": 2}),
    ("RandomContrast", {"factor": 0.4, "value_range": (0, 1)}),
    ("RandomBrightness", {"factor": 0.4, "value_range": (0, 1)}),
]


def values(x):
    return ops.convert_to_numpy(x)


def make(cls, args):
    return getattr(layers, cls)(**args, seed=3)


@pytest.mark.parametrize(("cls", "args"), RANDOM)
def test_random_layers(backend, cls, args):
    layer = make(cls, args)
    found = values(layer(IMAGES))
    with use_backend(get_backend("numpy")):
        reference = values(make(cls, args)(IMAGES))
    # Coordinates are sums of a few products; pixels differ by at most 1 a pixel.
    np.testing.assert_allclose(found, reference, rtol=0, atol=64 * 2.0**-23 * 5)
    assert not np.array_equal(values(layer(IMAGES)), found)  # draws anew
    np.testing.assert_array_equal(values(make(cls, args)(IMAGES)), found)
    if cls == "RandomCrop":
        assert layer(IMAGES, training=False).shape == (6, 3, 2, 3)
    else:
        np.testing.assert_array_equal(values(layer(IMAGES, training=False)), IMAGES)
    one = layer(IMAGES[0])
    assert tuple(one.shape) == found.shape[1:]


@pytest.mark.parametrize(("cls", "args"), RANDOM)
def test_configs_and_shapes(cls, args):
    layer = make(cls, args)
    data = json.loads(json.dumps(serialize_keras_object(layer)))
    again = deserialize_keras_object(data)
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(values(again(IMAGES)), values(layer(IMAGES)))
    symbolic = layer(keras.Input((5, 4, 3)))
    assert symbolic.shape == (None, *layer(IMAGES).shape[1:])
    assert ops.dtype(layer(IMAGES.astype("uint8"))) == "float32"


@pytest.mark.parametrize(
    ("cls", "args"),
    [
        *RANDOM,
        ("Resizing", {"height": 3, "width": 7}),
        ("CenterCrop", {"height": 3, "width": 2}),
    ],
)
def test_channels_first(cls, args):
    if cls.startswith("Random"):
        args = {**args, "seed": 3}
    last = getattr(layers, cls)(**args)(IMAGES)
    first = getattr(layers, cls)(**args, data_format="channels_first")
    moved = values(first(IMAGES.transpose(0, 3, 1, 2))).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(moved, values(last), rtol=0, atol=1e-6)


def test_each_image_is_changed_otherwise(backend):
    same = np.repeat(IMAGES[:1], 8, axis=0)
    for cls, args in RANDOM:
        if cls == "RandomCrop":
            continue  # one window for the whole batch
        found = values(make(cls, args)(same))
        assert len({image.tobytes() for image in found}) > 1, cls


def test_training_with_augmentation(backend):
    model = keras.Sequential(
        [
            keras.Input((5, 4, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.RandomCrop(4, 4),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = model.fit(IMAGES, np.ones(6), epochs=3, verbose=0).history["loss"]
    assert len(set(losses)) == 3
    first, second = (model.evaluate(IMAGES, np.ones(6), verbose=0) for _ in range(2))
    assert first == second


def test_integers_are_kept_by_resizing_alone():
    data = (IMAGES * 255).astype("uint8")
    assert ops.dtype(layers.Resizing(2, 2)(data)) == "uint8"
    assert ops.dtype(layers.CenterCrop(2, 2)(data)) == "float32"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: layers.Resizing(0, 3), "positive int height, got 0"),
        (lambda: layers.Resizing(2, 3, "bilinaer"), "Did you mean 'bilinear'"),
        (lambda: layers.RandomFlip("horizontl"), "Did you mean 'horizontal'"),
        (lambda: layers.RandomRotation((0.3, 0.1)), "the lower end first"),
        (lambda: layers.RandomRotation(0.1, "mirror"), "fill_mode 'mirror'"),
        (lambda: layers.RandomZoom("big"), "as a number or two"),
        (lambda: layers.RandomBrightness(2.0), "from -1 to 1"),
        (lambda: layers.RandomContrast(-1.0), "needs factors from 0"),
        (lambda: layers.RandomContrast(0.1, (5, 1)), "rising order"),
        (lambda: layers.CenterCrop(2, -1), "positive int width, got -1"),
    ],
)
def test_wrong_arguments(wrong, said):
    with pytest.raises(ArgumentError, match=said):
        wrong()


def test_wrong_shapes():
    with pytest.raises(ShapeError, match=r"3 or 4 axes, got shape \(2, 3\)"):
        layers.RandomFlip()(np.ones((2, 3)))
