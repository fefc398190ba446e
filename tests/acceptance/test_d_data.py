"""D: data."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as pk
from polykeras import layers, ops
from polykeras.errors import DataError
from tests.acceptance._support import real, values

pytestmark = pytest.mark.usefixtures("backend")


def test_D01():
    from polykeras.datasets import mnist

    real("mnist.npz")
    (x, y), (xt, yt) = mnist.load_data()
    assert (x.shape, y.shape) == ((60000, 28, 28), (60000,))
    assert (xt.shape, yt.shape) == ((10000, 28, 28), (10000,))
    assert {a.dtype for a in (x, y, xt, yt)} == {np.dtype("uint8")}


def test_D02():
    real("mnist.npz")
    (_, y), (_, yt) = pk.datasets.mnist.load_data()
    assert (y[:3].tolist(), y[-3:].tolist()) == ([5, 0, 4], [5, 6, 8])
    assert (yt[:3].tolist(), yt[-3:].tolist()) == ([7, 2, 1], [4, 5, 6])


def test_D03():
    real("mnist.npz")
    (x, _), _ = pk.datasets.mnist.load_data()
    flat = x.reshape((60000, 28 * 28)).astype("float32") / 255
    assert flat.dtype == np.float32
    assert (flat.min(), flat.max()) == (0.0, 1.0)


def test_D04():
    labels = np.array([3, 0, 9, 3])
    one_hot = pk.utils.to_categorical(labels)
    assert one_hot.shape == (4, 10)
    assert one_hot.dtype.kind == "f"
    np.testing.assert_array_equal(one_hot.argmax(axis=1), labels)
    assert pk.utils.to_categorical(labels, num_classes=12).shape == (4, 12)


def test_D05():
    real("imdb.npz")
    real("imdb_word_index.json")
    (x, y), (xt, yt) = pk.datasets.imdb.load_data(num_words=10000)
    assert (len(x), len(xt)) == (25000, 25000)
    assert max(max(review) for review in x[:1000]) < 10000
    assert set(np.unique(y)) == set(np.unique(yt)) == {0, 1}
    assert pk.datasets.imdb.get_word_index()["the"] == 1


def test_D06():
    real("reuters.npz")
    (x, y), (xt, _) = pk.datasets.reuters.load_data(num_words=10000)
    assert (len(x), len(xt)) == (8982, 2246)
    assert y.max() + 1 == 46


def test_D07():
    real("boston_housing.npz")
    (x, y), (xt, _) = pk.datasets.boston_housing.load_data()
    assert (x.shape, xt.shape, y.shape) == ((404, 13), (102, 13), (404,))


def test_D08():
    """A stand-in for the census: a number, a category, and an income they explain."""
    rng = np.random.default_rng(0)
    age = rng.uniform(17, 90, 600)
    job = rng.choice(["clerk", "chief", "farmer"], 600)
    income = (age / 90 + (job == "chief") > 1.0).astype("float32")
    lookup = layers.StringLookup(output_mode="one_hot")
    lookup.adapt(job)
    scale = layers.Normalization(axis=None)
    scale.adapt(age)
    table = np.concatenate([values(scale(age))[:, None], values(lookup(job))], axis=1)
    model = pk.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile(pk.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    model.fit(table[:500], income[:500], epochs=15, verbose=0)
    accuracy = model.evaluate(table[500:], income[500:], verbose=0)[1]
    majority = max(income.mean(), 1 - income.mean())
    assert accuracy > majority + 0.02


def test_D09():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (100, 2)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype("float32")
    line = pk.Sequential([layers.Dense(1, activation="sigmoid")])
    line.compile(pk.optimizers.Adam(0.2), "binary_crossentropy", metrics=["accuracy"])
    line.fit(x, y, epochs=30, verbose=0)
    assert line.evaluate(x, y, verbose=0)[1] > 0.95
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    xor = np.array([0.0, 1.0, 1.0, 0.0])
    line.fit(corners, xor, epochs=30, verbose=0)
    assert line.evaluate(corners, xor, verbose=0)[1] <= 0.75


def test_D10():
    real("fashion_mnist.npz")
    (x, y), (xt, yt) = pk.datasets.fashion_mnist.load_data()
    assert (x.shape, xt.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert set(np.unique(y)) == set(np.unique(yt)) == set(range(10))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "bool"])
def test_D11(dtype):
    for rank in range(6):
        x = np.ones((2,) * rank, dtype)
        back = ops.convert_to_numpy(ops.convert_to_tensor(x))
        assert (back.shape, back.dtype) == (x.shape, x.dtype)


def test_D12(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYKERAS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("polykeras.datasets._files.cache_root", lambda: tmp_path / "c")

    def refuse(url, target, digest=None):
        raise DataError(f"Could not download {url} to {target}: no network.")

    monkeypatch.setattr("polykeras.datasets._files.download", refuse)
    with pytest.raises(DataError) as caught:
        pk.datasets.mnist.load_data()
    assert "mnist.npz" in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    np.savez(
        tmp_path / "mnist.npz",
        x_train=np.zeros((3, 28, 28), "uint8"),
        y_train=np.zeros(3, "uint8"),
        x_test=np.zeros((2, 28, 28), "uint8"),
        y_test=np.zeros(2, "uint8"),
    )
    (x, _), _ = pk.datasets.mnist.load_data()
    assert len(x) == 3
