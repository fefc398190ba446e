"""C: the training loop."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

import polykeras as pk
from polykeras import layers, ops
from tests.acceptance._support import blobs, values, whole

pytestmark = pytest.mark.usefixtures("backend")


def net(units=1, activation=None, size=2, metrics=None, optimizer="sgd", loss="mse"):
    model = pk.Sequential([pk.Input((size,)), layers.Dense(units, activation)])
    model.compile(optimizer, loss, metrics=metrics)
    return model


def test_C01():
    x, y = blobs(64)
    model = pk.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="rmsprop", loss="mse", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_C02():
    steps = []

    class Count(pk.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)

    x = np.ones((300, 2))
    history = net().fit(
        x, np.ones(300), batch_size=128, epochs=10, verbose=0, callbacks=[Count()]
    )
    assert len(history.history["loss"]) == 10
    assert steps == [0, 1, 2] * 10


def test_C03():
    x, y = blobs(32)
    history = net(metrics=["mae"]).fit(x, y, epochs=2, verbose=0)
    assert isinstance(history, pk.callbacks.History)
    assert {k: len(v) for k, v in history.history.items()} == {"loss": 2, "mae": 2}
    assert all(type(v) is float for vs in history.history.values() for v in vs)
    assert history.epoch == [0, 1]
    assert history.params["epochs"] == 2


def test_C04():
    x, y = blobs(32)
    weights = []
    for validation in (None, (x, y)):
        pk.utils.set_random_seed(1)
        model = net(metrics=["mae"])
        history = model.fit(x, y, epochs=2, verbose=0, validation_data=validation)
        weights.append(model.get_weights())
    assert {"val_loss", "val_mae"} <= set(history.history)
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_C05(capsys):
    x, y = blobs(2000)
    order = np.random.default_rng(0).permutation(2000)
    held, kept = order[:600], order[600:]
    model = net()
    model.fit(
        x[kept], y[kept], batch_size=16, validation_data=(x[held], y[held]), verbose=1
    )
    assert "88/88" in capsys.readouterr().out
    model.predict(x[held], batch_size=128, verbose=1)
    assert "5/5" in capsys.readouterr().out


def test_C06(capsys):
    x, y = blobs(64)
    model = net(metrics=["mae"])
    model.fit(x, y, epochs=5, verbose=1)
    out = capsys.readouterr().out
    for part in ("Epoch 1/5", "2/2", "/step", "loss: ", "mae: "):
        assert part in out
    model.fit(x, y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "loss: " in line]) == 2
    model.fit(x, y, epochs=2, verbose=0)
    assert capsys.readouterr().out == ""


def test_C07():
    x, y = blobs(32)
    model = net(metrics=["accuracy"])
    loss, acc = model.evaluate(x, y, verbose=0)
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    assert (loss, acc) == (named["loss"], named["accuracy"])


def test_C08():
    x, _ = blobs(300)
    model = net()
    found = model.predict(x, batch_size=128, verbose=0)
    assert isinstance(found, np.ndarray)
    assert found.shape == (300, 1)
    np.testing.assert_allclose(found, values(model(x)), atol=1e-6)


def test_C09():
    history = net().fit(np.ones((1000, 2)), np.ones(1000), verbose=0)
    assert history.params["steps"] == 32


def test_C10():
    x = np.ones((100, 2))
    updates = []
    for batch_size in (len(x), 10):
        model = net()
        model.fit(x, np.ones(100), batch_size=batch_size, verbose=0)
        updates.append(int(model.optimizer.iterations.numpy()))
    assert updates == [1, 10]


def test_C11(tmp_path):
    x, y = blobs(64)
    pk.utils.set_random_seed(0)
    model = net(optimizer="adam")
    first = model.fit(x, y, epochs=3, verbose=0, shuffle=False).history["loss"]
    model.save(tmp_path / "model.keras")
    again = pk.models.load_model(tmp_path / "model.keras")
    second = model.fit(x, y, epochs=2, verbose=0, shuffle=False).history["loss"]
    resumed = again.fit(x, y, epochs=2, verbose=0, shuffle=False).history["loss"]
    assert second[0] < first[0]
    assert resumed == second
    assert int(again.optimizer.iterations.numpy()) == 5 * 2


def test_C12():
    """Data are made as they are used: ten times as many need no more memory."""
    size = 2**14

    class Endless(pk.utils.PyDataset):
        def __init__(self, batches):
            super().__init__()
            self.batches = batches

        def __len__(self):
            return self.batches

        def __getitem__(self, index):
            return np.zeros((size, 2), "float32"), np.zeros(size, "float32")

    model = net()

    def peak(batches):
        tracemalloc.start()
        try:
            history = model.fit(Endless(batches), verbose=0)
            assert history.params["steps"] == batches
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The first run traces and compiles. A dispatch takes several batches, at most as
    # many as an epoch of ten has.
    peak(10)
    batch = size * 3 * 4
    assert peak(100) < peak(10) + 10 * batch


def test_C13(backend):
    x, y = blobs(64)

    def batches():
        for i in range(0, 64, 16):
            yield x[i : i + 16], y[i : i + 16]

    class Set(pk.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return x[16 * index : 16 * index + 16], y[16 * index : 16 * index + 16]

    sources = [batches(), Set()]
    if backend.name == "torch":
        from torch.utils import data

        pairs = data.TensorDataset(*(ops.convert_to_tensor(a) for a in (x, y)))
        sources.append(data.DataLoader(pairs, batch_size=16))
    pk.utils.set_random_seed(0)
    model = net()
    start = model.get_weights()
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    expected = model.get_weights()
    for source in sources:
        model.set_weights(start)
        model.fit(source, shuffle=False, verbose=0)
        for a, b in zip(expected, model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_C14():
    """Gradients of every layer equal finite differences, in float64."""
    model = pk.Sequential(
        [
            pk.Input((3,), dtype="float64"),
            layers.Dense(4, "tanh", dtype="float64"),
            layers.LayerNormalization(dtype="float64"),
            layers.Dense(2, "sigmoid", dtype="float64"),
        ]
    )
    x = np.random.default_rng(0).normal(size=(5, 3))

    def loss():
        return ops.mean(ops.square(ops.subtract(model(x), 0.3)))

    grads = pk.grad(loss, model.trainable_variables)()
    step = 1e-6
    for v, g in zip(model.trainable_variables, grads, strict=True):
        value, found = v.numpy(), values(g)
        for where in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[where] += sign * step
                v.assign(moved)
                ends.append(float(loss()))
            v.assign(value)
            assert found[where] == pytest.approx(
                (ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-8
            )


@whole
def test_C15():
    """One backward pass gives all derivatives, however many weights there are."""
    model = pk.Sequential([pk.Input((256,)), *(layers.Dense(256) for _ in range(10))])
    model.compile("sgd", "mse")
    x = np.ones((256, 256), "float32")

    def seconds(fn):
        fn()
        times = []
        for _ in range(5):
            start = time.perf_counter()
            fn()
            times.append(time.perf_counter() - start)
        return min(times)

    forward = seconds(lambda: model.predict_on_batch(x))
    whole = seconds(lambda: model.train_on_batch(x, x))
    assert whole < 6 * forward + 0.02


def overfitted(dropout):
    """Return how much better a big net is on the 60 samples that it has seen."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(660, 20)).astype("float32")
    y = (x[:, 0] + rng.normal(size=660) > 0).astype("float32")
    pk.utils.set_random_seed(0)
    stack = [pk.Input((20,))]
    for _ in range(2):
        stack.append(layers.Dense(64, activation="relu"))
        if dropout:
            stack.append(layers.Dropout(0.8))
    model = pk.Sequential([*stack, layers.Dense(1, activation="sigmoid")])
    model.compile(
        pk.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    model.fit(x[:60], y[:60], epochs=20, verbose=0)
    seen = model.evaluate(x[:60], y[:60], verbose=0)[1]
    return seen - model.evaluate(x[60:], y[60:], batch_size=600, verbose=0)[1]


def test_C16():
    gap = overfitted(dropout=False)
    assert gap > 0.1
    assert overfitted(dropout=True) < gap - 0.05


def test_C17():
    x, y = blobs(64)
    weights = []
    for metrics in (None, ["accuracy", "mae", "mse"]):
        pk.utils.set_random_seed(3)
        model = net(metrics=metrics, optimizer="adam")
        model.fit(x, y, epochs=3, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_C18():
    x, y = blobs(32)
    model = pk.Sequential(
        [
            layers.Dense(
                units=7,
                kernel_initializer="he_normal",
                kernel_regularizer=pk.regularizers.L2(0.01),
            ),
            layers.Dense(1),
        ]
    )
    model.compile(pk.optimizers.SGD(learning_rate=0.005, momentum=0.5), loss="mae")
    assert model.fit(x, y, epochs=2, batch_size=5, verbose=0).params["steps"] == 7
    assert model.layers[0].kernel.shape == (2, 7)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)


def test_C19():
    x = np.linspace(1, 10, 50)
    model = pk.Sequential([layers.Dense(1, input_shape=(1,))])
    model.set_weights([np.array([[1.0]]), np.array([0.0])])
    model.compile("sgd", "mse")
    assert model.evaluate(x, x, verbose=0) == pytest.approx(0.0, abs=1e-12)


def test_C20():
    model = net(size=1)
    assert model.predict(np.array([12.0, 14.0]), verbose=0).shape == (2, 1)


def test_C21(capsys):
    model = pk.Sequential([layers.Dense(1, input_shape=(1,), name="only")])
    model.summary()
    out = capsys.readouterr().out
    for text in ("only (Dense)", "(None, 1)", "2"):
        assert text in out


def test_C22():
    kernel, bias = net(3).get_weights()
    assert isinstance(kernel, np.ndarray)
    assert (kernel.shape, bias.shape) == ((2, 3), (3,))


def test_C23():
    pk.utils.set_random_seed(0)
    frames = np.random.default_rng(0).uniform(size=(6, 4, 8, 8, 1)).astype("float32")
    cnn = pk.Sequential(
        [pk.Input((8, 8, 1)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten()]
    )
    cnn.trainable = False
    before = cnn.get_weights()
    model = pk.Sequential(
        [
            pk.Input((4, 8, 8, 1)),
            layers.TimeDistributed(cnn),
            layers.LSTM(4),
            layers.Dense(1),
        ]
    )
    model.compile(pk.optimizers.Adam(0.01), "mse")
    target = frames.mean(axis=(1, 2, 3, 4))
    losses = model.fit(frames, target, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for a, b in zip(before, cnn.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_C24():
    """What was learnt about ten digits serves to tell odd from even, by 30 samples."""
    from polykeras.datasets import digits

    (x, y), (xt, yt) = digits.load_data()
    x, xt = (a.reshape(len(a), -1).astype("float32") / 16 for a in (x, xt))

    def base():
        pk.utils.set_random_seed(0)
        return pk.Sequential(
            [pk.Input((64,)), layers.Dense(64, "relu"), layers.Dense(32, "relu")]
        )

    def odd_or_even(base):
        model = pk.Sequential([base, layers.Dense(1, activation="sigmoid")])
        model.compile(
            pk.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"]
        )
        model.fit(x[1000:1030], y[1000:1030] % 2, epochs=60, verbose=0)
        return model.evaluate(xt, yt % 2, verbose=0)[1]

    trained = base()
    teacher = pk.Sequential([trained, layers.Dense(10, activation="softmax")])
    teacher.compile(pk.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    teacher.fit(x[:1000], y[:1000], epochs=25, verbose=0)
    trained.trainable = False
    reused, from_scratch = odd_or_even(trained), odd_or_even(base())
    assert reused > 0.85
    assert reused > from_scratch + 0.02
