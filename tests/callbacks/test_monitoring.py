"""Callbacks that watch a value: EarlyStopping, ReduceLROnPlateau, ModelCheckpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import callbacks
from polykeras.backend import Backend
from polykeras.errors import ArgumentError
from tests.callbacks._run import model, run

# Each row: settings, values by epoch, epoch of the stop (None: none), epoch whose
# weights are left in the model.
STOPPING: list[tuple[dict[str, Any], list[float], int | None, int]] = [
    ({}, [3, 2, 1], None, 2),
    ({}, [3, 2, 2, 1], 2, 2),
    ({"patience": 2}, [3, 2, 2, 1, 1, 1], 5, 5),
    ({"patience": 2, "restore_best_weights": True}, [3, 2, 4, 5, 1], 3, 1),
    ({"restore_best_weights": True}, [3, 2, 1], None, 2),
    ({"min_delta": 0.5}, [3, 2.8, 1], 1, 1),
    ({"mode": "max"}, [1, 2, 1], 2, 2),
    ({"baseline": 1.0, "patience": 2}, [3, 2.5, 2.6], 2, 2),
    ({"baseline": 2.7, "patience": 2}, [3, 2.5, 2, 1], None, 3),
    ({"start_from_epoch": 2}, [1, 2, 3, 4, 1], 3, 3),
    ({"start_from_epoch": 2, "restore_best_weights": True}, [1, 2, 3, 4], 3, 2),
    ({"patience": 0}, [float("nan"), 1], None, 1),
]


@pytest.mark.parametrize(("settings", "values", "stop", "left"), STOPPING)
def test_early_stopping(
    settings: dict[str, Any], values: list[float], stop: int | None, left: int
) -> None:
    callback = callbacks.EarlyStopping(**settings)
    run(callback, values)
    assert callback.stopped_epoch == (stop or 0)
    assert callback.model.stop_training is (stop is not None)
    assert callback.model.get_weights()[0].item() == left


def test_early_stopping_tells_the_direction_from_the_name() -> None:
    callback = callbacks.EarlyStopping("val_accuracy")
    run(callback, [0.1, 0.2, 0.3], "val_accuracy")
    assert not callback.model.stop_training


def test_an_unknown_value_warns_and_lists_what_there_is() -> None:
    with pytest.warns(UserWarning, match="monitors 'f1'.*loss, val_loss"):
        run(callbacks.EarlyStopping("f1"), [1.0])
    with pytest.raises(ArgumentError, match="Unknown mode 'least'"):
        callbacks.EarlyStopping(mode="least")


# Settings, values, learning rate after each epoch.
PLATEAUS: list[tuple[dict[str, Any], list[float], list[float]]] = [
    ({"patience": 1}, [3, 3, 3], [1, 0.1, 0.01]),
    ({"patience": 2, "factor": 0.5}, [3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25]),
    ({"patience": 1, "cooldown": 2}, [3, 3, 3, 3, 3], [1, 0.1, 0.1, 0.01, 0.01]),
    ({"patience": 1, "min_lr": 0.05}, [3, 3, 3], [1, 0.1, 0.05]),
    ({"patience": 1, "min_delta": 1.5}, [3, 2, 0], [1, 0.1, 0.1]),
    ({"patience": 1, "mode": "max"}, [1, 2, 3], [1, 1, 1]),
]


@pytest.mark.parametrize(("settings", "values", "rates"), PLATEAUS)
def test_reduce_lr_on_plateau(
    settings: dict[str, Any], values: list[float], rates: list[float]
) -> None:
    got = run(callbacks.ReduceLROnPlateau(**settings), values)
    assert got == pytest.approx(rates, rel=1e-6)


def test_reduce_lr_on_plateau_refuses_to_raise_the_rate() -> None:
    with pytest.raises(ArgumentError, match="factor below 1"):
        callbacks.ReduceLROnPlateau(factor=1.5)


def test_checkpoints_of_weights(backend: Backend, tmp_path: Path) -> None:
    name = str(tmp_path / "deep" / "{epoch:02d}-{val_loss:.1f}.weights.h5")
    run(callbacks.ModelCheckpoint(name, save_weights_only=True), [3, 2, 4])
    written = sorted(p.name for p in (tmp_path / "deep").iterdir())
    assert written == [f"0{i}-{v}.0.weights.h5" for i, v in ((1, 3), (2, 2), (3, 4))]
    other = model()
    other.load_weights(tmp_path / "deep" / "02-2.0.weights.h5")
    assert other.get_weights()[0].item() == 1.0


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, 3),
        ({"save_best_only": True}, 1),
        ({"save_best_only": True, "mode": "max"}, 3),
        ({"save_best_only": True, "initial_value_threshold": 1.0}, None),
    ],
)
def test_checkpoints_of_the_best_epoch(
    tmp_path: Path, settings: dict[str, Any], kept: int | None
) -> None:
    path = tmp_path / "best.safetensors"
    run(
        callbacks.ModelCheckpoint(path, save_weights_only=True, **settings),
        [3, 2, 4, 5],
    )
    assert path.exists() is (kept is not None)
    if kept is not None:
        other = model()
        other.load_weights(path)
        assert other.get_weights()[0].item() == kept


def test_checkpoints_by_batches(tmp_path: Path) -> None:
    name = str(tmp_path / "{epoch}-{batch}.weights.h5")
    callback = callbacks.ModelCheckpoint(name, save_weights_only=True, save_freq=3)
    model().fit(
        np.ones((8, 1)), np.ones((8, 1)), 2, epochs=2, verbose=0, callbacks=callback
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "1-3.weights.h5",
        "2-2.weights.h5",
    ]


def test_checkpoints_of_whole_models(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    run(callbacks.ModelCheckpoint(path, save_best_only=True), [3, 2, 4])
    other = keras.models.load_model(path)
    assert other.compiled
    assert other.get_weights()[0].item() == 1.0
    with pytest.raises(ArgumentError, match=r"ends in \.keras"):
        callbacks.ModelCheckpoint(tmp_path / "m.weights.h5")


def test_checkpoints_refuse_what_they_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"ends in \.weights\.h5|end"):
        callbacks.ModelCheckpoint(tmp_path / "x.bin", save_weights_only=True)
    with pytest.raises(ArgumentError, match="positive number of batches"):
        callbacks.ModelCheckpoint(
            tmp_path / "x.weights.h5", save_weights_only=True, save_freq=0
        )
    missing = callbacks.ModelCheckpoint(
        str(tmp_path / "{acc}.weights.h5"), save_weights_only=True
    )
    with pytest.raises(ArgumentError, match=r"names 'acc'.*loss, val_loss"):
        run(missing, [1.0])
    assert not list(tmp_path.iterdir())


def test_they_work_in_fit(backend: Backend) -> None:
    x = np.ones((4, 1), "float32")
    made = model()
    made.optimizer.learning_rate = 0.0
    stopping = keras.callbacks.EarlyStopping("loss", patience=2)
    history = made.fit(x, 2 * x, epochs=9, verbose=0, callbacks=[stopping])
    assert history.epoch == [0, 1, 2]
