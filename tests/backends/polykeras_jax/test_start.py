"""Tests of what JAX compiles before the first step is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.backend import use_backend

pytest.importorskip("jax")

import jax


@contextmanager
def compiled() -> Iterator[list[str]]:
    """Collect the programs that are compiled in the block."""
    found: list[str] = []

    def listen(event: str, duration: float, **facts: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield found
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_building_compiles_nothing_and_the_first_step_one_program() -> None:
    # Sizes of no other test, of which programs may lie ready.
    rows = np.random.default_rng(0).normal(size=(3, 17, 11)).astype("float32")
    with use_backend("jax"):
        with compiled() as programs:
            model = keras.Sequential(
                [
                    keras.Input((17, 11)),
                    layers.LSTM(13),
                    layers.Dense(19),
                    layers.BatchNormalization(),
                    layers.Dense(1),
                ]
            )
            model.compile("adam", loss="mse", metrics=["mae"])
        assert not programs

        with compiled() as programs:
            model.train_on_batch(rows, np.zeros((3, 1), "float32"))
        assert len(programs) == 1


def test_filling_compiles_nothing_outside_of_programs() -> None:
    with use_backend("jax"):
        with compiled() as programs:
            found = keras.ops.full((23, 29), 2.5)
        assert not programs
        np.testing.assert_array_equal(found, np.full((23, 29), 2.5, "float32"))


def test_filling_makes_no_constants_of_programs() -> None:
    def program(x: Any) -> Any:
        return keras.ops.add(x, keras.ops.full((23, 29), 2.5))

    with use_backend("jax"):
        jaxpr = jax.make_jaxpr(program)(np.zeros((23, 29), "float32"))
    assert not jaxpr.consts
