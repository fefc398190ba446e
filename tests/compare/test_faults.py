"""Planted faults are found and named by layer and op, with the likely cause."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.compare import compare
from tests.compare._models import Faulty, batch, convnet, mlp


def first_of(model, changes, steps=0, **more):
    """Return the first divergence and the ops it blames; the rest must be right."""
    engines = [Faulty(changes), "numpy"]
    report = compare(model, backends=engines, steps=steps, **more)
    assert all(i.consistent for i in report.items if i.engine == "numpy")
    first = report.first_divergence
    assert first is not None
    assert first.engine == "faulty"
    return first


def named(first):
    return first.name, first.verdict, first.ops[0].op


def test_a_wrong_epsilon_in_batch_normalization():
    def other(right, x, mean, variance, axis, offset, scale, epsilon):
        return ops.batch_normalization.op.fn(
            x, mean, variance, axis, offset, scale, 1e-5
        )

    first = first_of(convnet(), {"batch_normalization": other})
    assert named(first) == ("convnet/norm", "wrong", "batch_normalization")
    assert "as if epsilon were 1e-05, not 0.001" in first.ops[0].hint
    assert "polykeras compare op batch_normalization" in first.sentence()


def test_the_tanh_approximation_of_gelu():
    def approximate(right, x, wanted):
        return ops.gelu.op.fn(x, True)

    model = mlp(activation=lambda x: ops.gelu(x, approximate=False))
    first = first_of(model, {"gelu": approximate})
    assert named(first) == ("mlp/first", "wrong", "gelu")
    assert "as if the tanh approximation were used" in first.ops[0].hint


def test_a_transposed_kernel():
    def transposed(right, x, y, *rest):
        square = y.ndim == 2 and y.shape[0] == y.shape[1]
        return right(x, y.T if square else y, *rest)

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(4, name="square"),
            layers.Dense(2, name="oblong"),
        ],
        name="m",
    )
    first = first_of(model, {"matmul": transposed})
    assert named(first) == ("m/square", "wrong", "matmul")
    assert "transposed" in first.ops[0].hint


def test_a_stale_running_mean():
    def stale(right, x, y):
        # Only the moving averages add two vectors.
        return x / np.float32(0.99) if x.ndim == y.ndim == 1 else right(x, y)

    report = compare(convnet(), backends=[Faulty({"add": stale}), "numpy"])
    first = report.first_divergence
    assert (first.kind, first.name, first.cls) == (
        "backward",
        "convnet/norm",
        "BatchNormalization",
    )
    assert first.ops[0].op == "add"
    blamed = {i.name for i in report.of_kind("update") if not i.consistent}
    assert blamed == {"convnet/norm/moving_mean", "convnet/norm/moving_variance"}
    assert all(i.consistent for i in report.layers)


def test_one_wrong_gradient():
    def slope(right, x, y):
        # The derivative of tanh subtracts the square of its result from 1.
        return right(x, y) * np.float32(1.01) if np.all(x == 1) else right(x, y)

    model = mlp(activation="tanh")
    report = compare(model, backends=[Faulty({"subtract": slope}), "numpy"])
    first = report.first_divergence
    assert (first.kind, first.name) == ("backward", "mlp/first")
    assert (first.ops[0].op, first.ops[0].of) == ("tanh", "gradient")
    blamed = {i.name for i in report.gradients if not i.consistent}
    assert blamed == {"mlp/first/kernel", "mlp/first/bias"}
    assert all(i.consistent for i in report.layers)


def test_accumulation_in_float16():
    def half(right, x, y, *rest):
        return right(x.astype(np.float16), y.astype(np.float16), *rest).astype(x.dtype)

    first = first_of(mlp(), {"matmul": half})
    assert named(first) == ("mlp/first", "wrong", "matmul")
    assert "float16" in first.ops[0].hint or "half precision" in first.ops[0].hint


def test_padding_that_is_off_by_one():
    def shifted(right, x, kernel, strides, padding, dilation):
        moved = tuple((low + 1, high - 1) for low, high in padding)
        return right(x, kernel, strides, moved, dilation)

    first = first_of(convnet(), {"conv_general": shifted})
    assert named(first) == ("convnet/conv", "wrong", "conv_general")
    assert "padding had one more in front" in first.ops[0].hint


@pytest.mark.parametrize("op", ["exp", "matmul"])
def test_a_fault_deep_inside_a_composition_is_named_itself(op):
    keras.utils.set_random_seed(0)
    x = keras.Input((5, 8))
    y = layers.MultiHeadAttention(2, 4, name="attend")(x, x)
    model = keras.Model(x, layers.LayerNormalization(name="norm")(y), name="m")

    def wrong(right, *args):
        return right(*(a * np.float32(1.01) for a in args[:1]), *args[1:])

    first = first_of(model, {op: wrong, "softmax": _composed, "tensordot": _dotted})
    assert first.name.startswith("m/attend")
    assert first.ops[0].op == op


def _composed(right, x, axis):
    return ops.softmax.op.fn(x, axis)


def _dotted(right, x, y, axes):
    return ops.tensordot.op.fn(x, y, axes)


def test_wrong_optimizer_steps_name_the_update():
    def longer(right, params, grads, rate, *rest):
        return right(params, grads, rate * 1.001, *rest)

    first = first_of(mlp(), {"sgd_update": longer}, 1, x=batch(4, 6), y=batch(4, 3))
    assert (first.kind, first.cls, first.ops[0].op) == ("step", "SGD", "sgd_update")


def test_channels_read_at_the_other_end():
    def first(right, x, *rest):
        return right(np.moveaxis(x, -1, 1).reshape(x.shape), *rest)

    found = first_of(convnet(), {"conv_general": first})
    assert named(found) == ("convnet/conv", "wrong", "conv_general")
    assert "'inputs' were read with channels first" in found.ops[0].hint


def test_a_fused_kernel_whose_parts_are_right():
    def scaled(right, x, *rest):
        return ops.batch_normalization.op.fn(x, *rest) * np.float32(1.01)

    found = first_of(convnet(), {"batch_normalization": scaled})
    assert "so it is the fused kernel: faulty:primitives" in found.ops[0].hint
