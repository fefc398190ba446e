"""`Checkpoint`: what is kept, what is restored, and what damage does."""

from __future__ import annotations

import hashlib
import json
import random

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError, DataError, ShapeError
from polykeras.training import Checkpoint

X = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
Y = X[:, :1] * 2


def make(units=3):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [layers.Input((4,)), layers.Dense(units), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def trained(epochs=2):
    model = make()
    model.fit(X, Y, batch_size=2, epochs=epochs, verbose=0)
    return model


def assert_same(model, other):
    for a, b in zip(
        [*model.weights, *model.optimizer.variables],
        [*other.weights, *other.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_outside_of_a_run(backend, tmp_path):
    model, other = trained(), make()
    Checkpoint(tmp_path).save(model)
    assert Checkpoint(tmp_path).restore(other)
    assert_same(model, other)
    model.fit(X, Y, batch_size=2, epochs=1, verbose=0)
    other.fit(X, Y, batch_size=2, epochs=1, verbose=0)
    assert_same(model, other)


def test_a_folder_without_checkpoints(tmp_path):
    assert not Checkpoint(tmp_path / "none").restore(make())
    assert Checkpoint(tmp_path / "none").latest is None
    assert Checkpoint(tmp_path / "none").best is None


def test_the_last_and_the_best_are_kept(tmp_path):
    checkpoint = Checkpoint(tmp_path, keep_last=2, keep_best=1, monitor="val_loss")
    model = trained(1)
    for value in (0.5, 0.1, 0.4, 0.1, 0.3):
        checkpoint.save(model, {"val_loss": value})
    assert names(tmp_path) == [f"checkpoint-0000000{i}" for i in (1, 3, 4)]
    assert checkpoint.latest == tmp_path / "checkpoint-00000004"
    assert checkpoint.best == tmp_path / "checkpoint-00000001"
    rising = Checkpoint(tmp_path, monitor="val_loss", mode="max")
    assert rising.best == tmp_path / "checkpoint-00000004"


def test_what_a_killed_process_left_is_removed(tmp_path):
    left = tmp_path / ".checkpoint.abcd1234.partial"
    left.mkdir()
    (left / "arrays.safetensors").write_bytes(b"half")
    Checkpoint(tmp_path).save(trained(1))
    assert names(tmp_path) == ["checkpoint-00000000"]


@pytest.mark.parametrize("file", ["arrays.safetensors", "state.json", "manifest.json"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, file):
    model, checkpoint = trained(1), Checkpoint(tmp_path)
    checkpoint.save(model)
    before = [w.copy() for w in model.get_weights()]
    model.fit(X, Y, epochs=1, verbose=0)
    path = checkpoint.save(model) / file
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 255
    path.write_bytes(raw)
    other = make()
    with pytest.warns(UserWarning, match="cannot be used"):
        assert checkpoint.restore(other)
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(DataError):
        checkpoint.restore(other, path.parent)


@pytest.mark.parametrize(
    "change",
    [
        {"generator": 3},
        {"generator": ["a", 1]},
        {"epoch": -(2**40)},
        {"batch": 1.5},
        {"passed": "x"},
        {"order": [1]},
        {"callbacks": [{"state": {}}]},
        {"logs": 3},
        {"logs": {"loss": "low"}},
        {"seeds": {"layers/dropout": [["x", 0]]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_malformed_state_leaves_the_model_as_it_was(tmp_path, change):
    path = Checkpoint(tmp_path).save(trained(1))
    raw = json.dumps(
        {**json.loads((path / "state.json").read_text()), **change}
    ).encode()
    (path / "state.json").write_bytes(raw)
    manifest = json.loads((path / "manifest.json").read_text())
    digest = hashlib.sha256(raw).hexdigest()
    manifest["files"]["state.json"] = {"sha256": digest, "bytes": len(raw)}
    (path / "manifest.json").write_text(json.dumps(manifest))
    model = make()
    model.fit(X, Y, verbose=0)
    before = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    generators = random.getstate(), np.random.get_state()[2]
    with pytest.raises(DataError, match="malformed"):
        Checkpoint(tmp_path).restore(model, path)
    after = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert generators == (random.getstate(), np.random.get_state()[2])


def test_all_checkpoints_damaged(tmp_path):
    path = Checkpoint(tmp_path).save(trained(1))
    (path / "manifest.json").unlink()
    with (
        pytest.warns(UserWarning, match=r"lacks manifest\.json"),
        pytest.raises(DataError, match="All checkpoints"),
    ):
        Checkpoint(tmp_path).restore(make())


def test_another_model_is_left_as_it_was(tmp_path):
    Checkpoint(tmp_path).save(trained())
    other = make(units=5)
    before = [w.copy() for w in other.get_weights()]
    with pytest.raises(ShapeError, match="shape"):
        Checkpoint(tmp_path).restore(other)
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_is_not_built_yet(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    def compiled():
        keras.utils.set_random_seed(4)
        model = Own()
        model.compile("adam", "mse")
        return model

    model, other = compiled(), compiled()
    model.fit(X, Y, verbose=0)
    Checkpoint(tmp_path).save(model)
    Checkpoint(tmp_path).restore(other)
    assert_same(model, other)


def test_python_and_numpy_generators_go_on(tmp_path):
    import random

    model = trained(1)
    Checkpoint(tmp_path).save(model)
    expected = random.random(), np.random.random(), keras.random.uniform((2,)).tolist()
    keras.utils.set_random_seed(9)
    Checkpoint(tmp_path).restore(make())
    found = random.random(), np.random.random(), keras.random.uniform((2,)).tolist()
    assert found == expected


def test_the_manifest_describes_the_files(tmp_path):
    path = Checkpoint(tmp_path).save(trained(1), {"loss": 0.5, "text": "no number"})
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["logs"] == {"loss": 0.5}
    assert set(manifest["files"]) == {"arrays.safetensors", "state.json"}
    for name, entry in manifest["files"].items():
        assert entry["bytes"] == (path / name).stat().st_size
        assert len(entry["sha256"]) == 64


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ArgumentError, match="keep_last"):
        Checkpoint(tmp_path, keep_last=0)
    with pytest.raises(ArgumentError, match="mode"):
        Checkpoint(tmp_path, mode="best")


class _BreakOff(keras.callbacks.Callback):
    """Saves in a hook and ends the run there."""

    def __init__(self, checkpoint, hook, epoch, batch=None):
        super().__init__()
        self.checkpoint, self.place, self.now = checkpoint, (hook, epoch, batch), 0

    def _pass(self, hook, batch=None, logs=None):
        if (hook, self.now, batch) == self.place:
            self.checkpoint.save(self.model, logs)
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        self._pass("epoch_begin")

    def on_train_batch_end(self, batch, logs=None):
        self._pass("batch_end", batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._pass("epoch_end", None, logs)

    def on_train_end(self, logs=None):
        self._pass("train_end")


def test_a_run_of_single_steps_goes_on_in_dispatches_of_many(backend, tmp_path):
    # Nothing acts on single batches in the other runs, so that engines that run many
    # steps in one dispatch do.
    whole, broken, resumed = make(), make(), make()
    run = {"batch_size": 2, "epochs": 3, "verbose": 0}
    history = whole.fit(X, Y, **run).history
    checkpoint = Checkpoint(tmp_path)
    stop = _BreakOff(checkpoint, "batch_end", 1, 1)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(X, Y, **run, callbacks=[stop])
    assert checkpoint.restore(resumed)
    assert resumed.fit(X, Y, **run).history == history
    assert_same(resumed, whole)


class _Tally(keras.callbacks.Callback):
    """Counts hooks, changes the rate and adds to the logs."""

    def __init__(self):
        super().__init__()
        self.counts = {}

    def _count(self, hook):
        self.counts[hook] = self.counts.get(hook, 0) + 1
        rate = self.model.optimizer.learning_rate
        self.model.optimizer.learning_rate = float(rate) * 0.875

    def on_epoch_begin(self, epoch, logs=None):
        self._count("epoch_begin")

    def on_train_batch_end(self, batch, logs=None):
        self._count("batch_end")

    def on_epoch_end(self, epoch, logs=None):
        self._count("epoch_end")
        logs["rows"] = np.full(2, self.counts["epoch_end"])
        logs["total"] = logs.get("total", 0) + sum(self.counts.values())

    def get_state(self):
        return {"counts": self.counts}

    def set_state(self, state):
        self.counts = dict(state["counts"])


@pytest.mark.parametrize(
    "place",
    [
        ("epoch_begin", 0),
        ("epoch_begin", 1),
        ("batch_end", 1, 0),
        ("batch_end", 1, 2),
        ("epoch_end", 0),
        ("epoch_end", 2),
        ("train_end", 2),
    ],
    ids=lambda place: "-".join(map(str, place)),
)
def test_a_run_goes_on_behind_the_call_of_a_callback(backend, tmp_path, place):
    def run(model, *others):
        before, after = _Tally(), _Tally()
        stop = keras.callbacks.EarlyStopping("loss", patience=9)
        observers = [before, *others, after, stop]
        arguments = {"batch_size": 2, "epochs": 3, "validation_split": 0.25}
        done = model.fit(X, Y, **arguments, verbose=0, callbacks=observers)
        assert before.counts == after.counts
        rows = [r.tolist() for r in done.history.pop("rows")]
        return done.history, done.epoch, rows, after.counts

    whole, broken, resumed = make(), make(), make()
    expected = run(whole)
    assert expected[1] == [0, 1, 2]
    checkpoint = Checkpoint(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(broken, _BreakOff(checkpoint, *place))
    assert checkpoint.restore(resumed)
    assert run(resumed) == expected
    assert_same(resumed, whole)


def test_a_callback_that_ends_the_run_does_so_when_it_goes_on(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    checkpoint, model = Checkpoint(tmp_path), make()
    saving = _BreakOff(checkpoint, "epoch_end", 0)
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, epochs=3, verbose=0, callbacks=[saving, Stop()])
    checkpoint.restore(model)
    assert model.fit(X, Y, epochs=3, verbose=0, callbacks=[Stop()]).epoch == [0]
