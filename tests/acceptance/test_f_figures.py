"""F: figures of whole systems; docs/acceptance.md has those of full runs."""

from __future__ import annotations

import csv
import gzip
import itertools
import time

import numpy as np
import pytest

import polykeras as pk
from polykeras import layers, ops
from tests.acceptance._support import FULL, blobs, real, values, whole

pytestmark = pytest.mark.usefixtures("backend")


def report(row, *figures):
    """Print figures for docs/acceptance.md (``pytest -s``)."""
    from polykeras.backend import current_backend

    print(f"\n{row} {current_backend().name}: {', '.join(map(str, figures))}")


def mnist_net():
    model = pk.Sequential(
        [
            layers.Dense(512, activation="relu", input_shape=(28 * 28,)),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model


def mnist():
    real("mnist.npz")
    (x, y), (xt, yt) = pk.datasets.mnist.load_data()
    x, xt = (a.reshape((len(a), 784)).astype("float32") / 255 for a in (x, xt))
    return x, pk.utils.to_categorical(y), xt, pk.utils.to_categorical(yt)


def test_F01():
    x, y, xt, yt = mnist()
    pk.utils.set_random_seed(0)
    model = mnist_net()
    if not FULL:
        history = model.fit(x[:12800], y[:12800], batch_size=128, verbose=0).history
        assert 0.8 < history["accuracy"][0] < 0.93
        assert model.evaluate(xt, yt, batch_size=500, verbose=0)[1] > 0.9
        return
    start = time.perf_counter()
    history = model.fit(x, y, epochs=5, batch_size=128, verbose=0).history
    seconds = (time.perf_counter() - start) / 5
    loss, test = history["loss"], model.evaluate(xt, yt, verbose=0)[1]
    train = history["accuracy"][-1]
    report("F01", f"train {train:.4f}", f"test {test:.4f}", f"{seconds:.1f} s an epoch")
    assert train >= 0.985
    assert test >= 0.975
    assert all(a > b for a, b in itertools.pairwise(loss))
    assert 0.2 < loss[0] < 0.3
    assert loss[-1] < 0.06
    assert 0.92 <= history["accuracy"][0] <= 0.94


@whole
def test_F02():
    x, y, xt, yt = mnist()
    pk.utils.set_random_seed(1)
    model = mnist_net()
    history = model.fit(x, y, epochs=5, batch_size=128, verbose=0).history
    gap = history["accuracy"][-1] - model.evaluate(xt, yt, verbose=0)[1]
    report("F02", f"gap {gap:.4f}")
    assert 0 < gap < 0.02


@whole
def test_F03(backend):
    """An epoch of 60000 samples takes seconds on a quiet machine of 2 cores."""
    x, y, _, _ = mnist()
    model = mnist_net()
    model.fit(x[:1280], y[:1280], batch_size=128, verbose=0)
    start = time.perf_counter()
    model.fit(x, y, batch_size=128, verbose=0)
    seconds = time.perf_counter() - start
    report("F03", f"{seconds:.1f} s an epoch")
    assert seconds < (15.0 if backend.name == "numpy" else 5.0)


def test_F04():
    pk.utils.set_random_seed(0)
    x = np.linspace(1, 10, 1000)
    model = pk.Sequential([layers.Dense(1, activation="linear", input_shape=(1,))])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(x, 2 * x + 1, epochs=20, verbose=0)
    at_12, at_14 = model.predict(np.array([12.0, 14.0]), verbose=0).ravel()
    kernel, bias = (w.item() for w in model.get_weights())
    report("F04", *(f"{v:.3f}" for v in (at_12, at_14, kernel, bias)))
    assert at_12 == pytest.approx(25, abs=0.2)
    assert at_14 == pytest.approx(29, abs=0.3)
    assert kernel == pytest.approx(2, abs=0.05)
    assert bias == pytest.approx(1, abs=0.15)


def test_F05():
    pk.utils.set_random_seed(0)
    x, y = blobs(2000)
    model = pk.Sequential([layers.Dense(1)])
    model.compile(
        pk.optimizers.RMSprop(learning_rate=0.1),
        pk.losses.MeanSquaredError(),
        metrics=[pk.metrics.BinaryAccuracy()],
    )
    history = model.fit(
        x[600:],
        y[600:],
        epochs=5,
        batch_size=16,
        validation_data=(x[:600], y[:600]),
        verbose=0,
    ).history
    train, best = history["binary_accuracy"][-1], max(history["val_binary_accuracy"])
    report("F05", f"train {train:.3f}", f"best validation {best:.3f}")
    assert train >= 0.94
    assert best >= 0.98


def test_F06():
    x, y = blobs(64)
    model = pk.Sequential([pk.Input((2,)), layers.Dense(1)])
    model.set_weights([np.full((2, 1), -1.0), np.zeros(1)])
    model.compile(
        pk.optimizers.SGD(0.001), "mse", metrics=[pk.metrics.BinaryAccuracy()]
    )
    history = model.fit(x, y, epochs=5, verbose=0).history
    assert set(history) == {"loss", "binary_accuracy"}
    assert [len(v) for v in history.values()] == [5, 5]
    assert all(a > b for a, b in itertools.pairwise(history["loss"]))


def adult(name):
    with gzip.open(real(name), "rt", encoding="utf-8") as file:
        rows = [
            [v.strip() for v in row] for row in csv.reader(file, skipinitialspace=True)
        ]
    return [row for row in rows if len(row) == 15 and row[0].isdigit()]


def test_F07():
    train, test = adult("adult-train.csv.gz"), adult("adult-test.csv.gz")
    if not FULL:
        train, test = train[:6000], test[:2000]
    numbers, words = [0, 4, 10, 11, 12], [1, 3, 5, 6, 7, 8, 9, 13]
    scale = layers.Normalization()
    lookups = [layers.StringLookup(output_mode="one_hot") for _ in words]

    def columns(rows, wanted, dtype):
        return np.array([[row[i] for i in wanted] for row in rows]).astype(dtype)

    scale.adapt(np.log1p(columns(train, numbers, "float32")))
    for lookup, i in zip(lookups, words, strict=True):
        lookup.adapt(columns(train, [i], str)[:, 0])

    def table(rows):
        scaled = values(scale(np.log1p(columns(rows, numbers, "float32"))))
        encoded = [
            values(lookup(columns(rows, [i], str)[:, 0]))
            for lookup, i in zip(lookups, words, strict=True)
        ]
        return np.concatenate([scaled, *encoded], axis=1)

    def rich(rows):
        return np.array([row[14].startswith(">50K") for row in rows], "float32")

    pk.utils.set_random_seed(0)
    model = pk.Sequential(
        [
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(table(train), rich(train), epochs=5, batch_size=64, verbose=0)
    accuracy = model.evaluate(table(test), rich(test), batch_size=512, verbose=0)[1]
    report("F07", f"{accuracy:.4f}")
    assert accuracy >= 0.82


def multi_hot(rows, size=10000):
    table = np.zeros((len(rows), size), "float32")
    for i, row in enumerate(rows):
        table[i, row] = 1.0
    return table


@whole
def test_F08():
    """Chollet's three networks on IMDB, Reuters and Boston."""
    for name in ("imdb.npz", "reuters.npz", "boston_housing.npz"):
        real(name)
    pk.utils.set_random_seed(0)
    (x, y), (xt, yt) = pk.datasets.imdb.load_data(num_words=10000)
    model = pk.Sequential(
        [*(layers.Dense(16, "relu") for _ in range(2)), layers.Dense(1, "sigmoid")]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    model.fit(multi_hot(x), y, epochs=4, batch_size=512, verbose=0)
    imdb = model.evaluate(multi_hot(xt), yt, batch_size=512, verbose=0)[1]

    (x, y), (xt, yt) = pk.datasets.reuters.load_data(num_words=10000)
    model = pk.Sequential(
        [*(layers.Dense(64, "relu") for _ in range(2)), layers.Dense(46, "softmax")]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(multi_hot(x), y, epochs=9, batch_size=512, verbose=0)
    reuters = model.evaluate(multi_hot(xt), yt, batch_size=512, verbose=0)[1]

    (x, y), _ = pk.datasets.boston_housing.load_data()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    errors = []
    for fold in np.array_split(np.arange(len(x)), 4):
        kept = np.setdiff1d(np.arange(len(x)), fold)
        model = pk.Sequential(
            [*(layers.Dense(64, "relu") for _ in range(2)), layers.Dense(1)]
        )
        model.compile("rmsprop", "mse", metrics=["mae"])
        model.fit(x[kept], y[kept], epochs=100, batch_size=16, verbose=0)
        errors.append(model.evaluate(x[fold], y[fold], verbose=0)[1])
    boston = float(np.mean(errors))
    report("F08", f"imdb {imdb:.4f}", f"reuters {reuters:.4f}", f"boston {boston:.2f}")
    assert imdb >= 0.86
    assert reuters >= 0.77
    assert boston <= 2.9


CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
XOR = np.array([0.0, 1.0, 1.0, 0.0])


def test_F09():
    found = []
    for hidden in ([], [layers.Dense(4, activation="tanh")]):
        pk.utils.set_random_seed(2)
        model = pk.Sequential([*hidden, layers.Dense(1, activation="sigmoid")])
        model.compile(
            pk.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"]
        )
        model.fit(CORNERS, XOR, epochs=100, verbose=0)
        found.append(model.evaluate(CORNERS, XOR, verbose=0)[1])
    assert found[0] <= 0.75
    assert found[1] == 1.0


def test_F10():
    def step(z):
        return ops.cast(ops.greater_equal(z, 0.0), "float32")

    for kernel, bias, truth in (
        ([[1.0], [1.0]], -1.5, [0, 0, 0, 1]),  # and
        ([[1.0], [1.0]], -0.5, [0, 1, 1, 1]),  # or
        ([[-1.0], [0.0]], 0.5, [1, 1, 0, 0]),  # not the first
    ):
        model = pk.Sequential([pk.Input((2,)), layers.Dense(1, activation=step)])
        model.set_weights([np.array(kernel), np.array([bias])])
        np.testing.assert_array_equal(model.predict(CORNERS, verbose=0)[:, 0], truth)


def test_F11():
    model = pk.Sequential(
        [pk.Input((4,)), *(layers.Dense(n, use_bias=False) for n in (6, 2, 5))]
    )
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    a, b, c = model.get_weights()
    found = model.predict(x, verbose=0)
    np.testing.assert_allclose(found, x @ (a @ b @ c), atol=1e-5)
    assert np.linalg.matrix_rank(found, tol=1e-3) == 2


def test_F12():
    pk.utils.set_random_seed(0)
    x = np.linspace(-np.pi, np.pi, 256, dtype="float32")[:, None]
    model = pk.Sequential([layers.Dense(64, activation="tanh"), layers.Dense(1)])
    model.compile(pk.optimizers.Adam(0.01), "mse")
    model.fit(x, np.sin(x), epochs=200, batch_size=64, verbose=0)
    error = model.evaluate(x, np.sin(x), batch_size=256, verbose=0)
    report("F12", f"{error:.1e}")
    assert error < 1e-3


def test_F13():
    """The perceptron's rule, written with ops: it converges on separable data."""
    x, y = blobs(100)
    x = np.concatenate([x, np.ones((len(x), 1), "float32")], axis=1)
    side = (2 * y - 1)[:, 0]
    margin = np.abs(x[:, 0] - x[:, 1]) > 0.2  # leave a gap between the clouds
    x, side = x[margin], np.sign(x[margin, 0] - x[margin, 1])
    w = pk.Variable(np.zeros(3, "float32"))
    sweeps, errors = 0, 1
    while errors and sweeps < 200:
        sweeps, errors = sweeps + 1, 0
        for row, target in zip(x, side, strict=True):
            found = float(ops.sign(ops.sum(ops.multiply(row, w))))
            if found != target:
                w.assign_add(ops.multiply(row, np.float32(target)))
                errors += 1
    report("F13", f"{sweeps} sweeps")
    assert errors == 0
