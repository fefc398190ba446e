"""`TensorBoard`, `RemoteMonitor` and `SwapEMAWeights`."""

import builtins
import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.callbacks import RemoteMonitor, SwapEMAWeights, TensorBoard
from polykeras.errors import ArgumentError

X = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
Y = X.sum(axis=1)


def compiled(optimizer="sgd"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="head")])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


# -- TensorBoard -------------------------------------------------------------------


def written(folder):
    """Return tags to lists of (step, value) of the scalars in a folder, and others."""
    from tensorboardX.proto import event_pb2

    scalars, others = {}, set()
    for path in sorted(folder.glob("events*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 8], "little")
            event = event_pb2.Event.FromString(data[at + 12 : at + 12 + size])
            at += 12 + size + 4
            for value in event.summary.value:
                if value.WhichOneof("value") == "simple_value":
                    scalars.setdefault(value.tag, []).append(
                        (event.step, value.simple_value)
                    )
                else:
                    others.add(value.tag)
    return scalars, others


def test_tensorboard(backend, tmp_path):
    pytest.importorskip("tensorboardX")
    model = compiled()
    board = TensorBoard(
        tmp_path,
        histogram_freq=1,
        write_images=True,
        write_steps_per_second=True,
        update_freq=2,
    )
    history = model.fit(
        X,
        Y,
        batch_size=2,
        epochs=2,
        validation_data=(X, Y),
        verbose=0,
        callbacks=[board],
    ).history
    scalars, others = written(tmp_path / "train")
    expected = [(i, pytest.approx(v)) for i, v in enumerate(history["loss"])]
    assert scalars["epoch_loss"] == expected
    assert [step for step, _ in scalars["batch_mae"]] == [2, 4, 6, 8]
    assert scalars["epoch_learning_rate"][0][1] == pytest.approx(0.01)
    assert "epoch_steps_per_second" in scalars
    kinds = {tag.rpartition("/")[2] for tag in others}
    assert kinds == {"text_summary", "histogram", "image"}
    assert sum("head/kernel" in tag for tag in others) == 2
    scalars, _ = written(tmp_path / "validation")
    expected = [(i, pytest.approx(v)) for i, v in enumerate(history["val_mae"])]
    assert scalars["epoch_mae"] == expected


def test_tensorboard_of_an_evaluation(tmp_path):
    pytest.importorskip("tensorboardX")
    model = compiled()
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    scalars, _ = written(tmp_path / "validation")
    assert scalars["evaluation_loss"] == [(1, pytest.approx(loss))]


def test_tensorboard_arguments(monkeypatch):
    pytest.importorskip("tensorboardX")
    with pytest.raises(ArgumentError, match="'epoch', 'batch' or a number"):
        TensorBoard(update_freq="step")
    with pytest.raises(ArgumentError, match="must be 0, got 3"):
        TensorBoard(embeddings_freq=3)
    with pytest.warns(UserWarning, match=r"profile_batch=\(10, 20\) has no effect"):
        TensorBoard(profile_batch=(10, 20))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "tensorboardX":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "polykeras\[tensorboard\]"'):
        TensorBoard()


# -- RemoteMonitor -----------------------------------------------------------------


@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers, body.decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", received
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(server, as_json):
    root, received = server
    monitor = RemoteMonitor(root, headers={"X-Run": "7"}, send_as_json=as_json)
    history = compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[monitor]).history
    assert len(received) == 2
    path, headers, body = received[1]
    assert (path, headers["X-Run"]) == ("/publish/epoch/end/", "7")
    message = body if as_json else urllib.parse.parse_qs(body)["data"][0]
    assert json.loads(message) == {
        "epoch": 1,
        "loss": history["loss"][1],
        "mae": history["mae"][1],
    }


def test_server_away():
    monitor = RemoteMonitor("http://127.0.0.1:9")
    with pytest.warns(UserWarning, match="could not reach http://127.0.0.1:9"):
        compiled().fit(X, Y, verbose=0, callbacks=[monitor])
    with pytest.raises(ArgumentError, match="http:// or https://"):
        RemoteMonitor("file:///etc")


# -- SwapEMAWeights ----------------------------------------------------------------


class Watch(keras.callbacks.Callback):
    """Notes the weights at the end of each epoch, and in validation."""

    def __init__(self):
        super().__init__()
        self.ends, self.tests = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(self.model.get_weights()[0])

    def on_test_batch_end(self, batch, logs=None):
        self.tests.append(self.model.get_weights()[0])


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages_are_evaluated(backend, swap_on_epoch):
    rate, momentum = 0.1, 0.9
    model = compiled(keras.optimizers.SGD(rate, use_ema=True, ema_momentum=momentum))
    plain = compiled(keras.optimizers.SGD(rate))
    swap, watch, raw = SwapEMAWeights(swap_on_epoch), Watch(), Watch()
    data = {"validation_data": (X, Y), "epochs": 3, "verbose": 0, "shuffle": False}
    model.fit(X, Y, callbacks=[swap, watch], **data)
    plain.fit(X, Y, callbacks=[raw], **data)
    average, averages = raw.ends[0], [raw.ends[0]]
    for weights in raw.ends[1:]:
        average = momentum * average + (1 - momentum) * weights
        averages.append(average)
    for found, wanted in zip(watch.tests, averages, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    ends = averages if swap_on_epoch else raw.ends
    for found, wanted in zip(watch.ends, ends, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], averages[-1], rtol=1e-5)


def test_optimizers_without_averages():
    with pytest.raises(ArgumentError, match="Make it with use_ema=True"):
        compiled().fit(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
