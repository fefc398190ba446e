"""Public derivatives on every backend."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.errors import GradientError, ShapeError


def host(x):
    return ops.convert_to_numpy(x)


def test_grad_nests_to_third_order(backend):
    third = keras.grad(keras.grad(keras.grad(lambda x: x**4)))
    assert float(host(third(2.0))) == 48.0


def test_gradient_of_several_arguments(backend):
    def f(x, y):
        return ops.sum(x * x * y)

    value, (dx, dy) = keras.value_and_grad(f, argnums=(0, 1))(
        ops.array([1.0, 2.0]), ops.array([3.0, 4.0])
    )
    assert float(host(value)) == 19.0
    np.testing.assert_array_equal(host(dx), [6.0, 16.0])
    np.testing.assert_array_equal(host(dy), [1.0, 4.0])


def test_gradient_of_variables_keeps_assignments(backend):
    w = keras.Variable(3.0)
    count = keras.Variable(0, trainable=False)

    def loss(x):
        count.assign_add(1)
        return w * w * x

    value, (dw,) = keras.value_and_grad(loss, [w])(2.0)
    assert (float(host(value)), float(host(dw))) == (18.0, 12.0)
    assert int(count) == 1
    assert float(w) == 3.0


def test_gradient_penalty_nests_over_variables_and_inputs(backend):
    w = keras.Variable([[1.0], [2.0]])
    x = ops.array([[1.0, 1.0], [2.0, 0.0]])

    def penalty():
        slope = keras.grad(lambda z: ops.sum(ops.tanh(ops.matmul(z, w))))(x)
        return ops.sum(slope * slope)

    (g,) = keras.grad(penalty, [w])()
    weights = w.numpy().astype("float64")
    points = host(x).astype("float64")

    def reference(v):
        a = 1 - np.tanh(points @ v) ** 2
        return np.sum((a @ v.T) ** 2)

    eps = 1e-6
    expected = np.zeros_like(weights)
    for i in range(2):
        d = np.zeros_like(weights)
        d[i] = eps
        expected[i] = (reference(weights + d) - reference(weights - d)) / (2 * eps)
    np.testing.assert_allclose(host(g), expected, rtol=2e-5)


def test_independent_input_has_zero_gradient(backend):
    g = keras.grad(lambda x, y: ops.sum(y), argnums=0)(ops.ones((2, 3)), ops.ones((2,)))
    np.testing.assert_array_equal(host(g), np.zeros((2, 3)))


def test_vjp_of_a_structure(backend):
    out, pull = keras.vjp(
        lambda d: {"s": d["a"] + d["b"], "p": d["a"] * d["b"]},
        {"a": ops.array(2.0), "b": ops.array(5.0)},
    )
    grads = pull({"s": ops.array(1.0), "p": ops.array(10.0)})
    assert float(host(out["p"])) == 10.0
    assert float(host(grads["a"])) == 51.0
    assert float(host(grads["b"])) == 21.0


def test_jacobian_has_output_then_input_axes(backend):
    def f(x):
        return ops.stack([x[0] * x[1], x[0] + x[1], x[1] ** 2])

    j = keras.jacobian(f)(ops.array([2.0, 3.0]))
    np.testing.assert_array_equal(host(j), [[3.0, 2.0], [1.0, 1.0], [0.0, 6.0]])


def test_stop_gradient(backend):
    g = keras.grad(lambda x: x * keras.stop_gradient(x))(3.0)
    assert float(host(g)) == 3.0


def test_custom_gradient_replaces_the_derivative(backend):
    @keras.custom_gradient
    def f(x, y):
        return x * y, lambda up: (up * 10.0, up * 20.0)

    dx, dy = keras.grad(lambda a, b: f(a, b) * 2.0, argnums=(0, 1))(3.0, 4.0)
    assert (float(host(dx)), float(host(dy))) == (20.0, 40.0)
    assert float(host(f(ops.array(3.0), ops.array(4.0)))) == 12.0


def test_custom_gradient_is_differentiable_again(backend):
    @keras.custom_gradient
    def square(x):
        return x * x, lambda up: up * 2.0 * x

    assert float(host(keras.grad(keras.grad(square))(3.0))) == 2.0


def test_checkpoint_gives_the_same_gradient(backend):
    w = keras.Variable(2.0)

    def inside(x):
        return ops.sin(x * w) * w

    def plain(x):
        return inside(x) ** 2

    def saved(x):
        return keras.checkpoint(inside)(x) ** 2

    expected = keras.grad(plain, [w])(0.7)[0]
    got = keras.grad(saved, [w])(0.7)[0]
    np.testing.assert_array_almost_equal_nulp(host(got), host(expected), nulp=4)
    both = keras.grad(keras.grad(saved))(0.7)
    np.testing.assert_array_almost_equal_nulp(
        host(both), host(keras.grad(keras.grad(plain))(0.7)), nulp=8
    )


def test_checkpoint_keeps_assignments_and_repeats_none(backend):
    w = keras.Variable(2.0)
    count = keras.Variable(0, trainable=False)

    def inside(x):
        count.assign_add(1)
        return ops.exp(w * x) + ops.cast(count.value, "float32")

    keras.grad(keras.checkpoint(inside), [w])(0.5)
    assert int(count) == 1


def test_only_scalars_have_a_gradient(backend):
    with pytest.raises(GradientError, match=r"shape \(2,\).*jacobian"):
        keras.grad(lambda x: x)(ops.ones((2,)))


def test_integers_have_no_gradient(backend):
    with pytest.raises(GradientError, match="int32"):
        keras.grad(ops.sum)(ops.array([1, 2]))


def test_cotangents_of_another_form_are_refused(backend):
    _, pull = keras.vjp(lambda x: (x, x), ops.array(1.0))
    with pytest.raises(ShapeError, match="form of the result"):
        pull(ops.array(1.0))


def test_gradients_leave_no_tensor_to_the_garbage_collector(backend):
    # Activations of a step would fill the memory together with those of the next.
    seen = []

    def loss(x):
        y = ops.exp(x)
        seen.append(weakref.ref(y))
        return ops.sum(y * y)

    gc.collect()
    gc.disable()
    try:
        keras.value_and_grad(loss)(ops.ones((2,)))
        assert seen[0]() is None
    finally:
        gc.enable()
