"""The smallest guilty set of ops; engines without some of their kernels."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import get_backend
from polykeras.compare._bisect import bisect, bisect_gradients, smallest_set
from polykeras.compare._engines import Delegate, Restricted, engine_named
from polykeras.compare._run import Comparison
from polykeras.errors import ArgumentError
from tests.compare._models import Faulty, convnet, mlp


def guilty(changes):
    comparison = Comparison(convnet(), None, None, "numpy:float64", 8, 0)
    return bisect(comparison, get_backend(Faulty(changes)))


def test_one_wrong_op_is_found():
    assert guilty({"relu": lambda right, x: right(x) * np.float32(1.01)}) == ["relu"]


def test_two_wrong_ops_are_found_together():
    changes = {
        "relu": lambda right, x: right(x) * np.float32(1.01),
        "matmul": lambda right, *args: right(*args) * np.float32(0.99),
    }
    assert sorted(guilty(changes)) == ["matmul", "relu"]


def test_a_right_engine_has_no_guilty_ops():
    assert guilty({}) == []


def guilty_of_gradients(engine):
    comparison = Comparison(mlp("tanh"), None, None, "numpy:float64", 8, 0)
    return bisect_gradients(comparison, engine)


def test_an_op_that_spoils_gradients_alone_is_found():
    def slope(right, x, y):
        # The derivative of tanh subtracts the square of its result from 1.
        return right(x, y) * np.float32(1.01) if np.all(x == 1) else right(x, y)

    engine = get_backend(Faulty({"subtract": slope}))
    assert guilty_of_gradients(engine) == ["subtract"]
    assert guilty_of_gradients(get_backend("numpy")) == []


class Slanted(Delegate):
    """A backend that derives the tangent hyperbolic wrongly, by its own means."""

    def kernel_for(self, name, kernel):
        if name != "tanh":
            return kernel

        def rule(args, out, g):
            multiply = self.inner.kernels["multiply"]
            square = multiply(out, out)
            ones = self.inner.from_numpy(np.ones(out.shape), "float32")
            return (multiply(g, self.inner.kernels["subtract"](ones, square * 0.5)),)

        return self.inner.with_rule(kernel, rule)


def test_a_derivative_of_the_engine_s_own_is_found(backend):
    if backend.capabilities.autodiff != "native":
        pytest.skip("the tape has one derivative for all backends")
    assert guilty_of_gradients(Slanted(backend, "slanted")) == ["tanh"]
    assert guilty_of_gradients(backend) == []


def test_sets_are_minimal_and_may_not_exist():
    ops = list("abcdefgh")
    assert smallest_set(ops, lambda s: {"b", "g"} <= s) == ["b", "g"]
    assert smallest_set(ops, lambda s: False) is None


def test_kernels_of_plugins_can_be_left_out():
    backend = Faulty({})
    get_backend(backend)
    backend.kernels.attach({"relu": lambda x: np.maximum(x, 0) * 1.01}, "a-plugin")
    report = keras.compare(
        convnet(), backends=[backend, Restricted(backend, "own")], steps=0
    )
    blamed = {i.engine for i in report.items if not i.consistent}
    assert blamed == {"faulty"}


def test_kernels_of_compositions_can_be_left_out():
    wrong = Faulty({"relu": lambda right, x: right(x) * np.float32(1.01)})
    get_backend(wrong)
    report = keras.compare(convnet(), backends=[Restricted(wrong, "primitives")])
    assert report.consistent
    assert report.engines == ["faulty:primitives"]


def test_engines_say_what_may_stand_after_a_colon():
    assert engine_named("numpy:own").name == "numpy:own"
    with pytest.raises(ArgumentError, match="Did you mean 'primitives'"):
        engine_named("numpy:primitive")
