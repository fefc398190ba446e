"""Who takes part in the race, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from benchmarks.race.models import Perceptron, Recurrent
from benchmarks.race.workloads import Workload

__all__ = ["CONTENDERS", "Contender", "enters", "usual"]


class Contender(Protocol):
    """A model that trains, however it is written."""

    def first_step(self) -> None: ...
    def losses(self, steps: int) -> list[float]: ...
    def fit(self) -> None: ...
    def evaluate(self) -> float: ...
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
    "torch-compile": _torch(compiled=True),
    "polykeras-torch": _polykeras("torch"),
    "keras-torch": _keras("torch"),
    "jax-jit": _jax(),
    "jax-scan": _jax(scan=True),
    "polykeras-jax": _polykeras("jax"),
    "keras-jax": _keras("jax"),
    "numpy": _numpy,
    "polykeras-numpy": _polykeras("numpy"),
}


def usual(device: str) -> tuple[str, ...]:
    """Return the contenders of a race where none are named.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
    """
    # For the CPU, PyTorch's compiler takes minutes.
    late = {"torch-compile"} if device == "cpu" else set()
    return tuple(name for name in CONTENDERS if name not in late)


def enters(name: str, workload: Workload, device: str = "cpu") -> bool:
    """Return whether a contender takes part in a workload.

    Args:
        name: Of the contender.
        workload: The workload.
        device: ``"cpu"`` or ``"cuda"``.
    """
    model, narrow = workload.model, workload.dtype == "bfloat16"
    if name == "torch-channels-last" and not model.image:
        return False
    if name == "jax-scan":
        # Inside loops, convolutions on the CPU take a slow path of the compiler.
        return device != "cpu" or not model.image
    if name.startswith("torch") and isinstance(model, Recurrent):
        # On CPUs without instructions for it, the library's LSTM has no bfloat16.
        return device != "cpu" or not narrow
    if name.endswith("numpy") and device != "cpu":
        return False
    return name != "numpy" or (isinstance(model, Perceptron) and not narrow)
