"""Engines on devices, and with narrower products."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from typer.testing import CliRunner

import polykeras as keras
from polykeras.backend import get_backend, installed_backends
from polykeras.cli import app
from polykeras.compare._modes import WithProducts
from polykeras.errors import OperationNotSupported
from tests.compare._models import Faulty, mlp


class Narrow(Faulty):
    """A backend whose products of float32 may take factors of 10 bits."""

    def __init__(self):
        self.precision = "float32"
        super().__init__({"matmul": self._product})

    def _product(self, right, x, y, *rest):
        if self.precision == "tf32":
            x, y = (_rounded(a) for a in (x, y))
        return right(x, y, *rest)

    def precisions(self):
        return ("float32", "tf32")

    @contextmanager
    def precision_scope(self, precision):
        with super().precision_scope(precision):
            before, self.precision = self.precision, precision
            try:
                yield
            finally:
                self.precision = before


def _rounded(x):
    bits = np.asarray(x, np.float32).view(np.uint32) + np.uint32(1 << 12)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)


def test_tf32_is_an_engine_with_a_bound_of_its_own():
    engine = get_backend(Narrow())
    narrow = WithProducts(engine, "tf32")
    report = keras.compare(mlp(), backends=[engine, narrow])
    assert report.consistent, str(report)
    first = {i.engine: i for i in report.layers if i.name == "mlp/first"}
    assert list(first) == ["faulty", "faulty:tf32"]
    ratio = first["faulty:tf32"].error.max_abs / first["faulty"].error.max_abs
    assert ratio > 100
    worse = {i.name for i in report.gradients if i.error.max_rel > 1e-5}
    assert "mlp/first/kernel" in worse


def test_tf32_where_nobody_asked_for_it_is_wrong_and_suspected():
    engine = Narrow()
    engine.precision = "tf32"
    first = keras.compare(mlp(), backends=[engine], steps=0).first_divergence
    assert (first.name, first.ops[0].op) == ("mlp/first", "matmul")
    assert "TF32" in first.ops[0].hint


def test_devices_are_chosen_by_name(backend):
    name = backend.name
    report = keras.compare(mlp(), backends=[f"{name}@cpu", f"{name}@cpu:0:float64"])
    assert report.consistent
    assert report.engines == [f"{name}@cpu", f"{name}@cpu:0:float64"]
    assert not [i for i in report.items if i.error is None]


@pytest.mark.parametrize("engine", ["numpy@cuda:1", "numpy:tf32"])
def test_what_this_machine_lacks_is_not_comparable_and_the_rest_goes_on(engine):
    report = keras.compare(mlp(), backends=[engine, "numpy"], steps=0)
    assert report.consistent
    (item,) = [i for i in report.items if i.engine == engine]
    assert item.verdict == "not comparable"
    assert "not available" in item.why
    assert "cpu:0" in item.why
    alone = keras.compare(mlp(), backends=[engine], steps=0)
    assert not alone.compared
    assert "Nothing could be compared" in str(alone)


def test_nothing_compared_has_an_exit_code_of_its_own(tmp_path):
    path = tmp_path / "m.keras"
    mlp().save(path)
    result = CliRunner().invoke(
        app, ["compare", str(path), "--backends", "numpy@cuda:0"]
    )
    assert result.exit_code == 2
    assert "'cuda:0' is not available: 'numpy' has cpu:0 here" in result.output


def test_scopes_refuse_precisions_that_are_not_there(backend):
    with backend.precision_scope("float32"):
        pass
    with (
        pytest.raises(OperationNotSupported, match="'half' is not available"),
        backend.precision_scope("half"),
    ):
        pass


class Halved(keras.Model):
    """A model that multiplies by the operator of the backend's own tensors."""

    def __init__(self):
        super().__init__(name="halved")
        self.top = keras.layers.Dense(2, name="top")

    def call(self, x):
        return 0.5 * self.top(x)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("backend", installed_backends())
def test_the_operators_of_a_backend_compute_in_the_dtype_of_the_engine(backend):
    keras.utils.set_random_seed(0)
    model = Halved()
    model.compile("sgd", "mse")
    x = np.ones((2, 3), "float32")
    report = keras.compare(model, x, backends=[f"{backend}:float64"])
    assert report.consistent, str(report)
    assert {i.dtype for i in report.layers} == {"float64"}
