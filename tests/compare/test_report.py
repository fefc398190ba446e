"""What a report offers: sentences, frames, HTML, JSON, limits, memory."""

from __future__ import annotations

import gc
import json
import math
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.compare import assert_consistent
from polykeras.compare._assertion import beyond
from polykeras.compare._engines import Delegate
from polykeras.compare._measures import Bound, judge, measure
from polykeras.compare._store import Store, bytes_of
from polykeras.errors import ArgumentError
from tests.compare._models import Faulty, convnet, mlp


@pytest.fixture(scope="module")
def wrong():
    change = {"relu": lambda right, x: right(x) * x.dtype.type(1.01)}
    return keras.compare(mlp(), backends=[Faulty(change), "numpy"], steps=0)


def test_frames_and_html_hold_every_measure(wrong):
    frame = wrong.to_frame()
    assert len(frame) == len(wrong.items)
    worst = frame.sort_values("excess").iloc[-1]
    assert (worst["name"], worst["ops"]) == ("mlp/first", "relu")
    assert worst["local_max_abs"] > worst["local_bound"] > 0
    html = wrong._repr_html_()
    assert "mlp/first" in html
    assert "wrong" in html


def test_the_documentation_names_every_field(wrong):
    text = Path(__file__).parents[2].joinpath("docs", "compare.md").read_text()
    data = wrong.to_dict()
    item = next(item for item in data["items"] if item["ops"])
    names = {*data, *item, *item["error"], *item["ops"][0]}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_json_is_complete_and_plain(wrong, tmp_path):
    wrong.write_json(str(tmp_path / "r.json"))

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / "r.json").read_text()
    data = json.loads(text, parse_constant=refuse)
    assert data["consistent"] is False
    assert "mlp/first" in data["first_divergence"]
    ops = [item["ops"] for item in data["items"] if item["ops"]]
    assert ops[0][0]["op"] == "relu"


def test_pairs_of_engines_are_compared(wrong):
    (pair,) = [i for i in wrong.worst_pairs() if i.mode == "inference"] or [None]
    assert (pair.against, pair.engine) == ("faulty", "numpy")
    assert pair.verdict == "wrong"
    assert keras.compare(mlp(), backends=["numpy"], steps=0).pairs == []
    same = keras.compare(mlp(), backends=[Faulty({}), "numpy"], steps=0)
    assert {item.verdict for item in same.pairs} == {"identical bits"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backends": "numpy"}, "Expected a list of engines"),
        ({"backends": []}, "There is no backend"),
        ({"backends": ["numpy", "numpy"]}, "given 2 times"),
        ({"steps": -1}, "steps must be an integer of at least 0, got -1"),
        ({"steps": 1.5}, "steps must be an integer"),
        ({"batch_size": 0}, "batch_size must be an integer of at least 1"),
        ({"seed": -1}, "seed must be"),
        ({"max_memory": "1M"}, "max_memory must be an integer"),
    ],
)
def test_wrong_arguments_are_refused_by_name(options, words):
    with pytest.raises(ArgumentError, match=words):
        keras.compare(mlp(), **{"backends": ["numpy"], **options})


def test_assert_consistent_passes_returns_and_fails(wrong):
    assert assert_consistent(mlp(), backends=["numpy"], steps=0).consistent
    change = {"relu": lambda right, x: right(x) * x.dtype.type(1.01)}
    with pytest.raises(AssertionError, match=r"layer 'mlp/first' .* 'relu'"):
        keras.compare.assert_consistent(mlp(), backends=[Faulty(change)], steps=0)
    item = wrong.first_divergence
    keras.compare.assert_consistent(
        mlp(), backends=[Faulty(change)], steps=0, bound=2 * item.excess
    )


def test_limits_of_ones_own(wrong):
    names = {item.name for item in beyond(wrong, 1e-3, ulp=False)}
    assert names == {"mlp/first", "mlp"} | {"mlp/second"}
    assert beyond(wrong, 0.02, ulp=False) == []
    assert beyond(wrong, 1e6, ulp=True) == []
    assert beyond(wrong, 64, ulp=True)


def test_records_beyond_the_limit_lie_in_files():
    kept = keras.compare(convnet(), backends=["numpy"], steps=0)
    spilled = keras.compare(convnet(), backends=["numpy"], steps=0, max_memory=100)
    assert str(kept) == str(spilled)
    with Store(100) as store:
        small, large = np.arange(3), np.arange(100.0)
        assert store.keep(small) is small
        mapped = store.keep(large)
        assert isinstance(mapped, np.memmap)
        np.testing.assert_array_equal(mapped, large)
        assert store.held == small.nbytes
        del mapped


def test_memory_does_not_grow_with_training_steps():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(512)])
    snapshot = 8 * 64 * 512
    steps = 16

    def peak(limit):
        tracemalloc.start()
        keras.compare(model, backends=["numpy"], steps=steps, max_memory=limit)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    free, bounded = peak(None), peak(snapshot)
    assert free > steps * snapshot
    assert bounded < free - 0.7 * steps * snapshot


def test_copies_of_the_model_live_no_longer_than_their_run(monkeypatch):
    copies = weakref.WeakSet()
    alive = []
    copy = keras.Model.to_backend

    def counted(self, backend):
        made = copy(self, backend)
        gc.collect()
        copies.add(made)
        alive.append(len(copies))
        return made

    monkeypatch.setattr(keras.Model, "to_backend", counted)
    engines = ["numpy", "numpy:float64", "numpy:own"]
    keras.compare(mlp(dropout=0.1), backends=engines, max_memory=100)
    # The model of the comparison, and one that runs.
    assert max(alive) == 2


def test_sizes_are_read():
    assert bytes_of("500M") == bytes_of("500mb") == 500 * 2**20
    with pytest.raises(ArgumentError, match="such as 500M"):
        bytes_of("much")


def test_measures_of_a_known_error():
    want = np.array([1.0, -2.0, 4.0])
    found = np.array([1.0, -2.0, 4.5]).astype("float32")
    error = measure(found, want, "float32")
    assert error.max_abs == 0.5
    assert error.mean_abs == 0.5 / 3
    assert error.max_rel == 0.125
    assert error.ulp == 0.5 / 2.0**-21
    assert error.sqnr == pytest.approx(10 * math.log10(21 / 0.25))
    assert 0.99 < error.cosine < 1
    assert not error.identical
    assert measure(want.astype("float32"), want, "float32").identical


def test_verdicts_follow_from_the_bound():
    want = np.array([1.0])
    allowed = 0.01

    def verdict(value):
        return judge(measure(np.array([value]), want, "float64"), allowed)

    assert verdict(1.0) == "identical bits"
    assert verdict(1.009) == "rounding"
    assert verdict(1.05) == "suspicious"
    assert verdict(1.1) == "wrong"
    assert verdict(np.nan) == "wrong"


def test_bounds_of_few_entries_are_wider():
    few, many = Bound(), Bound()
    few.widen(np.array([1.5]), np.array([1.0]))
    many.widen(np.full(9, 1.5), np.ones(9))
    assert few.spread == many.spread == 0.5
    assert few.allowed(1.0, "float64") == pytest.approx(500)
    assert many.allowed(1.0, "float64") == pytest.approx(2)


def test_delegates_answer_every_question_of_a_backend():
    # These build on the delegate's own kernels and conversions.
    own = {"convert_to_tensor", "adapt_kernel", "host", "replay_kernel"}
    asked = {
        n
        for n in vars(Backend)
        if not n.startswith("_") and callable(getattr(Backend, n))
    }
    assert asked - own <= set(vars(Delegate))
