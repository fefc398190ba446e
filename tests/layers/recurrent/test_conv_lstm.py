"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError


def test_states_are_kept_and_given(backend):
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 2)).astype("float32")
    layer = layers.ConvLSTM1D(3, 2, padding="same", return_state=True)
    whole, *_ = layer(x)
    _, *states = layer(x[:, :2])
    rest, *_ = layer(x[:, 2:], initial_state=states)
    kept = layers.ConvLSTM1D(3, 2, padding="same", stateful=True)
    kept.build(x[:, :2].shape)
    kept.set_weights(layer.get_weights())
    kept(x[:, :2])
    for found in (rest, kept(x[:, 2:])):
        np.testing.assert_allclose(
            ops.convert_to_numpy(found), ops.convert_to_numpy(whole), atol=1e-6
        )
    kept.reset_state()
    np.testing.assert_array_equal(
        ops.convert_to_numpy(kept(x[:, :2])), ops.convert_to_numpy(layer(x[:, :2])[0])
    )


def test_dropout_acts_in_training_only(backend):
    x = np.ones((2, 3, 4, 4, 1), "float32")
    layer = layers.ConvLSTM2D(2, 2, dropout=0.5, recurrent_dropout=0.5, seed=0)
    still = ops.convert_to_numpy(layer(x))
    assert not np.array_equal(still, ops.convert_to_numpy(layer(x, training=True)))
    np.testing.assert_array_equal(still, ops.convert_to_numpy(layer(x)))


def test_training(backend):
    """A moving dot is followed."""
    movies = np.zeros((4, 3, 5, 5, 1), "float32")
    for start in range(4):
        for t in range(3):
            movies[start, t, start % 3 + t, 2] = 1.0
    model = keras.Sequential(
        [
            keras.Input((3, 5, 5, 1)),
            layers.ConvLSTM2D(4, 3, padding="same", data_format="channels_last"),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    losses = model.fit(movies, movies[:, -1], epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_channels_first_and_wrong_arguments():
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 3, 2)).astype("float32")
    last = layers.ConvLSTM2D(3, 2)
    first = layers.ConvLSTM2D(3, 2, data_format="channels_first")
    moved = x.transpose(0, 1, 4, 2, 3)
    expected = ops.convert_to_numpy(last(x))
    first(moved)
    first.set_weights(last.get_weights())
    found = ops.convert_to_numpy(first(moved)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(ArgumentError, match="0 <= dropout < 1, got 1"):
        layers.ConvLSTM1D(2, 2, dropout=1)
    with pytest.raises(ArgumentError, match="padding 'causal'"):
        layers.ConvLSTM1D(2, 2, padding="causal")
