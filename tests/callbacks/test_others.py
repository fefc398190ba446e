"""The other callbacks, and the order and contents of what they are told."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import callbacks
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, PolykerasError
from tests.callbacks._run import model, run

ONES = np.ones((6, 1), "float32")


class Recorder(callbacks.Callback):
    """Writes down every hook and checks that logs hold floats."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []


def _recording(name: str) -> Any:
    def hook(self: Recorder, *args: Any, logs: Any = None) -> None:
        if len(args) > 1:
            *args, logs = args  # type: ignore[assignment]
        self.seen.append(name.removeprefix("on_"))
        values = [] if "predict_batch" in name else list((logs or {}).values())
        assert all(type(v) is float for v in values), (name, logs)

    return hook


for _name in [n for n in dir(callbacks.Callback) if n.startswith("on_")]:
    if _name not in ("on_batch_begin", "on_batch_end"):
        setattr(Recorder, _name, _recording(_name))


def test_hooks_come_in_order_with_floats(backend: Backend) -> None:
    recorder = Recorder()
    made = model()
    made.fit(
        ONES, ONES, 3, verbose=0, validation_data=(ONES, ONES), callbacks=[recorder]
    )
    batch = ["train_batch_begin", "train_batch_end"]
    test = ["test_begin", *["test_batch_begin", "test_batch_end"] * 2, "test_end"]
    assert recorder.seen == [
        *("train_begin", "epoch_begin", *batch * 2, *test, "epoch_end", "train_end")
    ]
    assert recorder.model is made
    assert recorder.params == {"verbose": 0, "epochs": 1, "steps": 2}
    recorder.seen.clear()
    made.evaluate(ONES, ONES, 3, verbose=0, callbacks=[recorder])
    assert recorder.seen == test
    recorder.seen.clear()
    made.predict(ONES, verbose=0, callbacks=[recorder])
    assert recorder.seen == [
        *("predict_begin", "predict_batch_begin", "predict_batch_end", "predict_end")
    ]


def test_things_that_are_no_callback_are_refused() -> None:
    with pytest.raises(ArgumentError, match="holds a str"):
        model().fit(ONES, ONES, verbose=0, callbacks=["early"])


def test_lambda_callback(backend: Backend) -> None:
    seen: list[Any] = []
    made = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
        on_test_begin=lambda logs: seen.append("test"),
    )
    model().fit(ONES, ONES, epochs=2, verbose=0, callbacks=made)
    assert seen == [(0, ["loss"]), (1, ["loss"])]
    with pytest.raises(ArgumentError, match="'on_end' is no hook"):
        callbacks.LambdaCallback(on_end=print)


def test_stop_training_ends_after_the_batch(backend: Backend) -> None:
    made = model()

    def stop(batch: int, logs: Any) -> None:
        made.stop_training = batch == 1

    watch = callbacks.LambdaCallback(on_train_batch_end=stop)
    history = made.fit(ONES, ONES, 1, epochs=5, verbose=0, callbacks=[watch])
    assert history.epoch == [0]
    assert int(made.optimizer.iterations.numpy()) == 2


def test_learning_rate_scheduler(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    made = model()
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = made.fit(ONES, ONES, epochs=3, verbose=0, callbacks=[schedule])
    assert history.history["learning_rate"] == [0.5, 0.25, 0.125]
    assert "Epoch 3: learning rate 0.125" in capsys.readouterr().out
    assert run(callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch), [1, 1]) == [
        1.0,
        0.5,
    ]
    with pytest.raises(
        ArgumentError, match=r"must return a float, got 'a' for epoch 0"
    ):
        run(callbacks.LearningRateScheduler(lambda epoch: "a"), [1])


def test_csv_logger(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    made = model()
    for append in (False, True):
        logger = callbacks.CSVLogger(path, append=append)
        made.fit(ONES, ONES, epochs=2, verbose=0, callbacks=[logger])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"] * 2
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    logger = callbacks.CSVLogger(path, separator=";")
    history = made.fit(ONES, ONES, verbose=0, callbacks=[logger])
    assert path.read_text().splitlines() == [
        "epoch;loss",
        f"0;{history.history['loss'][0]}",
    ]


def test_csv_logger_keeps_its_columns(tmp_path: Path) -> None:
    logger = callbacks.CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    logger.on_epoch_end(1, {"loss": 0.5})
    logger.on_epoch_end(2, {"loss": 0.5, "val_loss": 1.0, "more": 1.0})
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines == ["epoch,loss,val_loss", "0,1.0,2.0", "1,0.5,NA", "2,0.5,1.0"]


def test_csv_logger_leaves_a_whole_file_when_the_data_fail(
    backend: Backend, tmp_path: Path
) -> None:
    def batches() -> Iterator[Any]:
        yield ONES, ONES
        yield ONES, ONES
        raise OSError("the disk is gone")

    path = tmp_path / "log.csv"
    made = model()
    with pytest.raises(OSError, match="the disk is gone"):
        made.fit(
            batches(),
            steps_per_epoch=1,
            epochs=3,
            verbose=0,
            callbacks=[callbacks.CSVLogger(path)],
        )
    assert len(path.read_text().splitlines()) == 3
    path.unlink()
    assert np.isfinite(made.evaluate(ONES, ONES, verbose=0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_terminate_on_nan(
    backend: Backend, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.array([1.0, value, 1.0], "float32")
    watch = callbacks.TerminateOnNaN()
    made = model()
    history = made.fit(
        x, np.ones(3), 1, epochs=3, shuffle=False, verbose=0, callbacks=[watch]
    )
    assert history.epoch == [0]
    assert int(made.optimizer.iterations.numpy()) == 2
    assert "Batch 1: the loss is" in capsys.readouterr().out
    with pytest.raises(PolykerasError, match="the loss is"):
        model().fit(
            x,
            np.ones(3),
            verbose=0,
            callbacks=[callbacks.TerminateOnNaN(raise_error=True)],
        )


def test_a_model_evaluated_inside_fit_trains_on(backend: Backend) -> None:
    made = model()
    made.set_weights([np.zeros((1, 1))])
    losses: list[float] = []
    watch = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append(
            made.evaluate(ONES, ONES, verbose=0)
        )
    )
    made.optimizer.learning_rate = 0.25
    made.fit(ONES, ONES, epochs=3, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(losses, [0.25, 0.0625, 0.015625], rtol=1e-6)
    assert keras.callbacks.History in {type(made.history)}
