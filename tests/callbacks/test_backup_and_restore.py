"""Runs that are broken off and taken up again end like undisturbed ones."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import callbacks, layers
from polykeras.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
Y = X @ np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)


class BreakOffError(Exception):
    pass


class BreakOff(callbacks.Callback):
    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise BreakOffError


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        rows = slice(index * 7, index * 7 + 7)
        return X[rows], Y[rows]


def generator():
    start = 0
    while True:
        yield X[start % 40 : start % 40 + 8], Y[start % 40 : start % 40 + 8]
        start += 3


def arrays(model, **arguments):
    return model.fit(X, Y, batch_size=8, **arguments)


def validated(model, **arguments):
    return model.fit(X, Y, batch_size=8, validation_split=0.2, **arguments)


def endless(model, **arguments):
    return model.fit(X, Y, batch_size=8, steps_per_epoch=5, **arguments)


def several(model, **arguments):
    model.steps_per_execution = 3
    return model.fit(X, Y, batch_size=8, **arguments)


def dataset(model, **arguments):
    return model.fit(Batches(), **arguments)


def generated(model, **arguments):
    return model.fit(generator(), steps_per_epoch=6, **arguments)


def run(fit, folder=None, freq="epoch", batches=None, logs=None):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    observers = [
        callbacks.ReduceLROnPlateau("loss", patience=0, factor=0.5),
        callbacks.EarlyStopping("loss", patience=50, restore_best_weights=True),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.95),
    ]
    if logs is not None:
        observers.append(callbacks.CSVLogger(logs))
    if folder is not None:
        observers.append(callbacks.BackupAndRestore(folder, save_freq=freq))
    if batches is not None:
        observers.append(BreakOff(batches))
    history = fit(model, epochs=3, verbose=0, callbacks=observers)
    state = [v.numpy() for v in [*model.weights, *model.optimizer.variables]]
    return state, history


@pytest.mark.parametrize(
    "fit", [arrays, validated, endless, several, dataset, generated]
)
@pytest.mark.parametrize(("freq", "batches"), [("epoch", 9), (1, 8), (3, 13)])
def test_it_ends_with_the_same_bits(tmp_path, fit, freq, batches):
    expected, whole = run(fit)
    if fit is several:
        batches = batches // 3 + 1
    with pytest.raises(BreakOffError):
        run(fit, tmp_path / "b", freq, batches)
    assert (tmp_path / "b").exists()
    found, resumed = run(fit, tmp_path / "b", freq)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.history == whole.history
    assert resumed.epoch == whole.epoch
    assert not (tmp_path / "b").exists()


def test_every_backend(backend, tmp_path):
    expected, whole = run(arrays)
    with pytest.raises(BreakOffError):
        run(arrays, tmp_path / "b", 2, 10)
    found, resumed = run(arrays, tmp_path / "b", 2)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.history == whole.history


def test_files_of_other_callbacks_go_on(tmp_path):
    run(arrays, logs=tmp_path / "whole.csv")
    with pytest.raises(BreakOffError):
        run(arrays, tmp_path / "b", "epoch", 16, logs=tmp_path / "parts.csv")
    run(arrays, tmp_path / "b", logs=tmp_path / "parts.csv")
    whole = (tmp_path / "whole.csv").read_text()
    assert (tmp_path / "parts.csv").read_text() == whole
    assert whole.count("\n") == 4


def test_a_stopped_run_stays_stopped(tmp_path):
    def stopping(batches=None):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([layers.Input((4,)), layers.Dense(2)])
        model.compile(keras.optimizers.SGD(0.0), "mse")
        stop = callbacks.EarlyStopping("loss", patience=1)
        backup = callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
        return arrays(model, epochs=9, verbose=0, callbacks=[stop, backup]).epoch

    assert stopping() == [0, 1]
    assert stopping() == [0, 1]


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ArgumentError, match="needs a folder"):
        callbacks.BackupAndRestore("")
    with pytest.raises(ArgumentError, match="save_freq"):
        callbacks.BackupAndRestore(tmp_path, save_freq=0)
