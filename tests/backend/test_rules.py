"""Backends whose library differentiates, but for some ops."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import KernelTable, engine_scope, get_backend
from polykeras.errors import ArgumentError


def _through_numpy(engine, fn):
    """Return a kernel that the library cannot differentiate."""

    def kernel(*args):
        values = fn(*map(engine.to_numpy, args))
        return engine.from_numpy(np.asarray(values), engine.dtype_name(args[0]))

    return kernel


@pytest.fixture
def ruled_backend():
    pytest.importorskip("torch")
    base = type(get_backend("torch"))

    class Ruled(base):
        ruled = frozenset({"exp", "multiply"})

        def own_kernels(self):
            return {
                **super().own_kernels(),
                "exp": _through_numpy(self, np.exp),
                "multiply": _through_numpy(self, np.multiply),
            }

    engine = Ruled()
    engine.kernels = KernelTable(engine)
    with engine_scope(engine):
        yield engine


def test_ruled_ops_have_derivatives_of_every_order(ruled_backend):
    def f(x):
        return ops.sum(ops.multiply(ops.exp(x), x))

    x = ops.array([0.5, -1.0], "float64")
    e = np.exp([0.5, -1.0])
    first = keras.grad(f)
    np.testing.assert_allclose(ops.convert_to_numpy(first(x)), e * [1.5, 0.0])
    second = keras.grad(lambda x: ops.sum(first(x)))
    np.testing.assert_allclose(ops.convert_to_numpy(second(x)), e * [2.5, 1.0])


def test_rules_sum_over_broadcast_axes(ruled_backend):
    x = ops.array([[1.0, 2.0], [3.0, 4.0]])
    row = ops.array([1.0, 1.0])
    gradient = keras.grad(lambda row: ops.sum(ops.multiply(x, row)))(row)
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [4.0, 6.0])


def test_ops_without_a_rule_are_refused(ruled_backend):
    class Composed(type(ruled_backend)):
        ruled = frozenset({"rfft"})

    with pytest.raises(ArgumentError, match="'rfft' in `ruled`, but that op has"):
        KernelTable(Composed())


def test_composed_ops_with_a_rule_may_be_named(ruled_backend):
    class Composed(type(ruled_backend)):
        ruled = frozenset({"rnn_steps"})

    engine = Composed()
    engine.kernels = KernelTable(engine)
    calls = []
    compose = engine.kernels["rnn_steps_grad"]
    engine.kernels["rnn_steps_grad"] = lambda *args: calls.append(1) or compose(*args)

    def last(kernel):
        z, h = ops.ones((3, 1, 2), "float64"), ops.zeros((1, 2), "float64")
        return ops.sum(ops.rnn_steps(z, h, kernel, None, "tanh")[-1])

    found = []
    for backend in (engine, get_backend("numpy")):
        with engine_scope(backend):
            kernel = ops.array([[0.5, -0.2], [0.1, 0.3]], "float64")
            found.append(ops.convert_to_numpy(keras.grad(last)(kernel)))
    assert calls == [1]
    np.testing.assert_allclose(*found, rtol=1e-13)


def test_a_pullback_may_call_the_function_again():
    """It sees the variables as they were, though they have changed since."""
    calls = []
    count, weight = keras.Variable(1.0), keras.Variable(2.0)

    def f(x):
        calls.append(float(ops.convert_to_numpy(count * weight)))
        count.assign_add(1.0)
        return x * x

    base = type(get_backend("numpy"))

    class Repeating(base):
        capabilities = keras.backend.Capabilities(autodiff="native")

        def vjp(self, fn, primals):
            outputs, aux = fn(*primals)

            def pullback(cotangents):
                (x,), (g,) = primals, cotangents
                fn(x)
                return [2 * x * g]

            return outputs, pullback, aux

    engine = Repeating()
    engine.kernels = KernelTable(engine)
    with engine_scope(engine):
        _, pull = keras.vjp(f, ops.array(3.0))
        weight.assign(50.0)
        assert float(pull(ops.array(1.0))) == 6.0
    assert calls == [2.0, 2.0]
    assert float(count.value) == 2.0
