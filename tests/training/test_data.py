"""The kinds of data that fit, evaluate and predict take."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, DataError
from polykeras.training.data import make_adapter
from tests.training._models import X, Y, by_hand, linear, one_by_one

TOLERANCE = 20 * 10 * np.finfo("float32").eps


class Pairs(keras.utils.PyDataset):
    """Batches of 8 of the shared data."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(8 * index, 8 * index + 8)
        return X[part], Y[part]


def endless() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    data = Pairs()
    while True:
        for i in range(3):
            yield data[i]


def check(model: Any, epochs: int = 2) -> None:
    for got, expected in zip(
        model.get_weights(), by_hand(X, Y, 8, epochs), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE)


def _native(backend: Backend, a: np.ndarray) -> Any:
    return keras.ops.convert_to_tensor(a)


ARRAYS = {
    "float64": lambda b, a: a.astype("float64"),
    "read-only": lambda b, a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "strided": lambda b, a: np.repeat(a, 2, axis=0)[::2],
    "native": _native,
    "lists": lambda b, a: a.tolist(),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays(backend: Backend, kind: str) -> None:
    model = linear()
    x, y = ARRAYS[kind](backend, X), ARRAYS[kind](backend, Y)
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    check(model)


def test_data_frames(backend: Backend) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.astype("float64"), columns=["p", "q", "r"])
    model = linear()
    model.fit(
        frame,
        pandas.Series(Y[:, 0].astype("float64")),
        batch_size=8,
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    check(model)
    assert model.predict(frame, verbose=0).shape == (20, 1)


@pytest.mark.parametrize("workers", [1, 3])
def test_py_dataset(backend: Backend, workers: int) -> None:
    model = linear()
    model.fit(Pairs(workers=workers), epochs=2, shuffle=False, verbose=0)
    check(model)
    assert model.evaluate(Pairs(), verbose=0) == pytest.approx(
        model.evaluate(X, Y, batch_size=8, verbose=0), rel=1e-6
    )
    assert model.predict(Pairs(), verbose=0).shape == (20, 1)


def test_py_dataset_is_shuffled_by_batch_and_told_of_epochs(backend: Backend) -> None:
    asked: list[Any] = []

    class Watched(Pairs):
        def __len__(self) -> int:
            return 40

        def __getitem__(self, index: int) -> Any:
            asked.append(index)
            return X[:4], Y[:4]

        def on_epoch_end(self) -> None:
            asked.append("end")

    linear().fit(Watched(), epochs=2, verbose=0)
    first, second = asked[:40], asked[41:81]
    assert asked[40] == asked[81] == "end"
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second
    assert first != list(range(40))


def test_generators(backend: Backend) -> None:
    model = linear()
    model.fit(endless(), steps_per_epoch=3, epochs=2, verbose=0)
    check(model)
    once = linear()
    once.fit((Pairs()[i] for i in range(3)), verbose=0)
    check(once, epochs=1)


def test_labels_are_checked_without_moving_inputs(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(3)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    batches = [(np.ones((5, 7), "float32"), np.zeros(5, "int32")) for _ in range(9)]
    moved = 0
    from_numpy = type(backend).from_numpy

    def counting(self: Backend, x: np.ndarray, dtype: str) -> Any:
        nonlocal moved
        moved += x.shape == (5, 7)
        return from_numpy(self, x, dtype)

    monkeypatch.setattr(type(backend), "from_numpy", counting)
    model.fit(iter(batches), callbacks=[one_by_one()], verbose=0)
    # The first batch is looked at twice more: by the plan and by the check.
    assert moved <= 9 + 2
    batches[4][1][:] = 3
    with pytest.raises(ArgumentError, match="3"):
        model.fit(iter(batches), verbose=0)


def test_generators_that_end_early_say_so(backend: Backend) -> None:
    model = linear()
    data = (Pairs()[i] for i in range(3))
    with pytest.raises(DataError, match="ended after 1 of 2 steps"):
        model.fit(data, steps_per_epoch=2, epochs=2, verbose=0)
    with pytest.raises(DataError, match="yielded no batch"):
        model.fit(iter(()), verbose=0)
    with pytest.raises(ArgumentError, match="y must be left out"):
        model.fit(endless(), Y, verbose=0)


def test_loaders_of_torch_work_on_every_backend(backend: Backend) -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    model = linear()
    model.fit(torch.utils.data.DataLoader(data, batch_size=8), epochs=2, verbose=0)
    check(model)


@pytest.mark.parametrize("form", ["list", "tuple", "dict"])
def test_several_inputs(backend: Backend, form: str) -> None:
    inputs = [keras.Input((2,), name="p"), keras.Input((1,), name="q")]
    joined = keras.ops.concatenate(inputs, axis=-1)
    outputs = keras.layers.Dense(1, kernel_initializer="ones")(joined)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    parts = [X[:, :2], X[:, 2:]]
    x: Any = {
        "list": parts,
        "tuple": tuple(parts),
        "dict": {"p": parts[0], "q": parts[1]},
    }[form]
    model.fit(x, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    check(model)


def test_vectors_against_columns_are_never_crossed(backend: Backend) -> None:
    model = keras.Sequential(
        [keras.layers.Dense(1, input_shape=(1,), kernel_initializer="ones")]
    )
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.linspace(1, 10, 50)
    loss, mae = model.evaluate(x, 2 * x + 1, verbose=0)
    assert loss == pytest.approx(((x + 1) ** 2).mean(), rel=1e-5)
    assert mae == pytest.approx((x + 1).mean(), rel=1e-5)
    model.fit(x, 2 * x + 1, epochs=1, verbose=0)
    assert model.predict(np.array([12.0, 14.0]), verbose=0).shape == (2, 1)


def test_the_order_of_samples_is_the_same_on_all_backends(backend: Backend) -> None:
    keras.utils.set_random_seed(3)
    losses = linear().fit(X, Y, batch_size=6, epochs=2, verbose=0).history["loss"]
    with keras.use_backend("numpy"):
        keras.utils.set_random_seed(3)
        expected = linear().fit(X, Y, batch_size=6, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_bad_data(backend: Backend) -> None:
    model = linear()
    before = model.get_weights()
    bad: list[tuple[tuple[Any, ...], type[Exception], str]] = [
        ((X, Y[:19]), DataError, r"'x': \[\(20, 3\)\], 'y': \[\(19, 1\)\]"),
        ((X[:0], Y[:0]), DataError, "0 samples"),
        ((None, Y), DataError, "x is None"),
        ((np.array([["a", "b", "c"]] * 20), Y), DataError, "hold text"),
        (([[1.0], [1.0, 2.0]], Y[:2]), DataError, "unequal length"),
        ((object(), None), DataError, "Cannot make batches from object"),
        ((X,), DataError, "has a loss, but the data hold no target"),
    ]
    for args, error, message in bad:
        with pytest.raises(error, match=message):
            model.fit(*args, verbose=0)
    with pytest.raises(ArgumentError, match="batch_size must be a positive"):
        model.fit(X, Y, batch_size=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_are_let_go_without_looking_for_cycles(backend: Backend) -> None:
    data = make_adapter(X, Y, None, batch_size=8)
    kept = weakref.ref(data)
    gc.disable()
    try:
        for count in (1, 3):
            with data.epoch() as batches:
                for _ in range(count):
                    next(batches)
            del batches
        del data
        assert kept() is None
    finally:
        gc.enable()
