"""The kernel is in use, agrees with NumPy's, and passes the suite's cases."""

import numpy as np
import pytest
from polykeras_numba_kernels import polykeras_kernels
from polykeras_numba_kernels.convolution import depthwise_or

import polykeras as keras
from polykeras import conformance, ops
from polykeras.backend import get_backend

OPS = ["conv", "depthwise_conv", "separable_conv", "conv_general"]


def test_the_table_says_who_supplies_the_kernel():
    suppliers = get_backend("numpy").kernels.suppliers
    assert suppliers["conv_general"].startswith("polykeras-numba-kernels")
    assert suppliers["matmul"] == "polykeras"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("strides, dilation", [(1, 1), (2, 1), (1, 2), ((2, 1), 1)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_values_are_those_of_numpy(
    dtype, multiplier, strides, dilation, padding, monkeypatch
):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 9, 8, 5)).astype(dtype)
    kernel = rng.normal(size=(3, 2, 5, multiplier)).astype(dtype)
    general = get_backend("numpy").own_kernels()["conv_general"]
    calls = []

    def recorded(*args):
        calls.append(general(*args))
        return depthwise_or(general)(*args)

    monkeypatch.setitem(get_backend("numpy").kernels, "conv_general", recorded)
    found = ops.depthwise_conv(x, kernel, strides, padding, dilation_rate=dilation)
    assert found.dtype == dtype
    # Sums of 6 products, in another order.
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found, calls[0], rtol=0, atol=12 * eps * np.abs(x).max())


def test_other_backends_keep_their_kernels():
    class Other:
        name = "other"

    assert polykeras_kernels(Other()) is None


def test_the_suite_s_cases():
    conformance.run("numpy", ops=OPS, exhaustive=True).require()


def test_a_separable_network_learns():
    keras.utils.set_random_seed(0)
    (x, y), _ = keras.datasets.digits.load_data()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.DepthwiseConv2D(3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    logs = model.fit(x[..., None], y, epochs=8, verbose=0).history
    assert logs["accuracy"][-1] > 0.9
