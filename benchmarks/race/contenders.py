"""Who takes part in the race, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from benchmarks.race.workloads import Workload

__all__ = ["CONTENDERS", "Contender", "enters"]


class Contender(Protocol):
    """A model that trains, however it is written."""

    def first_step(self) -> None: ...
    def losses(self, steps: int) -> list[float]: ...
    def fit(self) -> None: ...
    def call(self) -> Any: ...
    def predict(self) -> np.ndarray[Any, Any]: ...


def _polykeras(engine: str) -> Callable[[Workload], Contender]:
    def enter(workload: Workload) -> Contender:
        import polykeras
        from benchmarks.race._front_end import FrontEnd

        polykeras.use_backend(engine)
        return FrontEnd(workload, polykeras)

    return enter


def _keras(engine: str) -> Callable[[Workload], Contender]:
    def enter(workload: Workload) -> Contender:
        os.environ["KERAS_BACKEND"] = engine
        import keras

        from benchmarks.race._front_end import FrontEnd

        return FrontEnd(workload, keras)

    return enter


def _torch(**options: bool) -> Callable[[Workload], Contender]:
    def enter(workload: Workload) -> Contender:
        from benchmarks.race._native_torch import NativeTorch

        return NativeTorch(workload, **options)

    return enter


def _jax(**options: bool) -> Callable[[Workload], Contender]:
    def enter(workload: Workload) -> Contender:
        from benchmarks.race._native_jax import NativeJax

        return NativeJax(workload, **options)

    return enter


def _numpy(workload: Workload) -> Contender:
    from benchmarks.race._native_numpy import NativeNumPy

    return NativeNumPy(workload)


CONTENDERS: dict[str, Callable[[Workload], Contender]] = {
    "torch": _torch(),
    "torch-channels-last": _torch(channels_last=True),
    "polykeras-torch": _polykeras("torch"),
    "keras-torch": _keras("torch"),
    "jax-jit": _jax(),
    "jax-scan": _jax(scan=True),
    "polykeras-jax": _polykeras("jax"),
    "keras-jax": _keras("jax"),
    "numpy": _numpy,
    "polykeras-numpy": _polykeras("numpy"),
}


def enters(name: str, workload: Workload) -> bool:
    """Return whether a contender takes part in a workload."""
    if name == "torch-channels-last":
        return workload.image
    if name == "jax-scan":
        # Inside loops, convolutions on the CPU take a slow path of the compiler.
        return not workload.image
    return name != "numpy" or workload.name.startswith("mlp")
