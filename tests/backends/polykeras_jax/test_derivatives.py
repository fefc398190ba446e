"""Ops with derivatives of their own, where JAX differentiates in ways of its own."""

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import get_backend, use_backend
from polykeras.ops._registry import REGISTRY

jax = pytest.importorskip("jax")

ELEMENTWISE = [
    name for name in sorted(get_backend("jax").ruled) if REGISTRY[name].op.elementwise
]


@pytest.fixture(autouse=True)
def on_jax():
    with use_backend("jax"):
        yield


def arguments(name):
    x = np.array([[1.5, -2.0], [0.5, 3.0]], np.float32)
    y = np.array([0.75, 2.5], np.float32)
    return (abs(x), y) if name == "power" else (x, y)


def test_there_are_such_ops():
    assert {"arctan2", "divide", "power"} <= set(ELEMENTWISE)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("swapped", [False, True])
def test_tangents_follow_from_the_rules_of_gradients(name, swapped):
    x, y = arguments(name)
    op = getattr(ops, name)

    def fn(x, y):
        return (op(y, abs(x)) if swapped else op(x, y)).sum()

    for i in (0, 1):
        forward, backward = (d(fn, i)(x, y) for d in (jax.jacfwd, jax.grad))
        # Sums of two products, in one order or the other.
        np.testing.assert_allclose(forward, backward, 4 * np.finfo(np.float32).eps)
        assert forward.shape == (x, y)[i].shape
    second = jax.hessian(fn, (0, 1))(x, y)
    again = jax.jacrev(jax.jacrev(fn, (0, 1)), (0, 1))(x, y)
    near = 16 * np.finfo(np.float32).eps  # a dozen operations on numbers near 1
    for a, b in zip(jax.tree.leaves(second), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(a, b, near, near)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_what_is_not_differentiated_runs_as_the_plain_kernel(name, monkeypatch):
    engine = get_backend("jax")
    asked = []
    with_rule = type(engine).with_rule

    def counted(self, *args):
        asked.append(name)
        return with_rule(self, *args)

    monkeypatch.setattr(type(engine), "with_rule", counted)
    x, y = map(engine.convert_to_tensor, arguments(name))
    expected = getattr(ops, name)(x, y)
    assert asked == []
    jitted = engine.compile(lambda x: getattr(ops, name)(x, y))(x)
    assert asked == [name]
    np.testing.assert_allclose(jitted, expected, 4 * np.finfo(np.float32).eps)
