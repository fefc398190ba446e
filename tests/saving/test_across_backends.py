"""Training that goes on elsewhere follows the uninterrupted run to rounding.

What rounding comes to is measured: a twin of the run starts with every weight and slot
one unit in the last place off, in the precision that the policy computes in. Backends
round in each step as differently as the twin did once, so after n steps they may be n
times as far apart.
"""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np
import pytest

import polykeras as keras
from polykeras import dtypes, layers
from polykeras.backend import installed_backends

POLICIES = [
    "float32",
    "float64",
    "mixed_float16",
    "mixed_bfloat16",
    "float16",
    "bfloat16",
]
X = np.linspace(0.0, 1.0, 24, dtype="float32").reshape(6, 4)
Y = np.linspace(1.0, -1.0, 12, dtype="float32").reshape(6, 2)
STEPS = 6
TWINS = 2


def make(policy):
    """Return a model that has learned for three steps.

    The optimizer adds an epsilon that float16 can tell from 0: else the results depend
    on whether a second moment rounds to 0, on one backend alone too.
    """
    keras.utils.set_random_seed(3)
    parts = [
        layers.Dense(5, activation="relu", dtype=policy),
        layers.Dropout(0.3, seed=11, dtype=policy),
        layers.GaussianNoise(0.1, dtype=policy),
        layers.BatchNormalization(dtype=policy),
        layers.Dense(2, dtype=policy),
    ]
    model = keras.Sequential([layers.Input((4,)), *parts])
    model.compile(keras.optimizers.Adam(0.05, epsilon=1e-3), "mse")
    model.fit(X, Y, batch_size=2, verbose=0)
    return model


def state(model):
    return [v.numpy() for v in [*model.weights, *model.optimizer.variables]]


def went_on(model):
    """Return losses and weights after the other steps."""
    losses = model.fit(X, Y, batch_size=2, epochs=STEPS // 3, verbose=0).history["loss"]
    flat = [np.asarray(w, "float64").ravel() for w in model.get_weights()]
    return np.asarray(losses), np.concatenate(flat)


def nudge(model, rng):
    """Change all weights and slots by one unit in the last place, up or down."""
    compute = model.layers[0].compute_dtype
    for v in [*model.weights, *model.optimizer.variables]:
        if not (v.shape and dtypes.is_float(v.dtype)):
            continue
        value = v.numpy().astype("float64")
        size = np.abs(value)
        finest = float(ml_dtypes.finfo(v.dtype).smallest_subnormal)
        coarser = max(float(ml_dtypes.finfo(d).eps) for d in (compute, v.dtype))
        size += np.maximum(coarser * size, finest) * rng.choice([-1, 1], value.shape)
        # What is 0 may as well have been the smallest number, as a second moment is.
        nudged = np.where(value == 0, np.abs(size), np.maximum(size, 0))
        v.assign(np.copysign(nudged, value).astype(v.numpy().dtype))


def distance(a, b):
    """Return how far apart losses and weights are."""
    return np.max(np.abs(a[0] - b[0])), np.linalg.norm(a[1] - b[1])


@functools.cache
def rounding(policy):
    """Return how far the losses and weights of twins come away from the run."""
    apart = []
    with keras.use_backend("numpy"):
        expected = went_on(make(policy))
        for number in range(TWINS):
            twin = make(policy)
            nudge(twin, np.random.default_rng(number))
            apart.append(distance(went_on(twin), expected))
    losses, weights = np.max(apart, 0)
    # Losses of an epoch are gathered in float32.
    return max(losses, np.finfo("float32").eps * expected[0].max()), weights


@pytest.mark.parametrize("policy", POLICIES)
def test_training_goes_on_on_every_backend(backend, tmp_path, policy):
    model = make(policy)
    model.save(tmp_path / "m.keras")
    kept = state(model)
    expected = went_on(model)
    for name in installed_backends():
        with keras.use_backend(name):
            again = keras.models.load_model(tmp_path / "m.keras")
            assert again.backend.name == name
            for a, b in zip(state(again), kept, strict=True):
                assert a.dtype == b.dtype
                np.testing.assert_array_equal(a, b)
            found = went_on(again)
        if name == backend.name:
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
        else:
            losses, weights = distance(found, expected)
            assert losses <= STEPS * rounding(policy)[0], name
            assert weights <= STEPS * rounding(policy)[1], name


@pytest.mark.parametrize("policy", POLICIES)
def test_the_bound_would_tell_slots_that_are_lost(policy):
    with keras.use_backend("numpy"):
        expected = went_on(make(policy))
        other = make(policy)
        for v in other.optimizer.variables:
            if v.shape:
                v.assign(np.zeros_like(v.numpy()))
        _, weights = distance(went_on(other), expected)
    assert weights > STEPS * rounding(policy)[1]
