"""How often the host waits for the device, as the library's own profiler tells it.

A wait is a number or an array that leaves the library, or a call that asks the library
to be done. On the CPU nothing need be waited for, but the calls are the same ones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["waits"]

# Calls of the driver behind every wait of PyTorch, `item` and `cpu` among them.
_CUDA_WAITS = (
    "cudaStreamSynchronize",
    "cudaDeviceSynchronize",
    "cudaEventSynchronize",
    "cudaMemcpy",
)
# Reads of numbers, and of arrays by methods of a tensor, which share memory on the CPU.
_TORCH_READS = (
    "aten::_local_scalar_dense",
    "<built-in method numpy of Tensor",
    "<built-in method tolist of Tensor",
)
_JAX_READ = "np.asarray(jax.Array)"
_JAX_WAIT = "wait"


def waits(library: str, run: Callable[[], Any]) -> int:
    """Return how often the host waits.

    Args:
        library: ``"torch"`` or ``"jax"``.
        run: What is traced.
    """
    return {"torch": _torch_waits, "jax": _jax_waits}[library](run)


def _torch_waits(run: Callable[[], Any]) -> int:
    import torch
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    gpu = torch.cuda.is_available()
    if gpu:
        activities.append(ProfilerActivity.CUDA)
    # Stacks hold the calls of methods.
    with profile(activities=activities, with_stack=not gpu) as trace:
        run()
    if gpu:
        return sum(event.name in _CUDA_WAITS for event in trace.events())
    return sum(
        event.name.startswith(_TORCH_READS) and not _in_operator(event)
        for event in trace.events()
    )


def _in_operator(event: Any) -> bool:
    """Return whether an operator reads a number for itself, as fused Adam does."""
    parent = event.cpu_parent
    while parent is not None and parent.name in {"aten::item", "aten::is_nonzero"}:
        parent = parent.cpu_parent
    return parent is not None and parent.name.startswith("aten::")


def _jax_waits(run: Callable[[], Any]) -> int:
    import jax

    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    with tempfile.TemporaryDirectory() as folder, _waits_named():
        with jax.profiler.trace(folder, profiler_options=options):
            run()
        (path,) = Path(folder).rglob("*.xplane.pb")
        data = jax.profiler.ProfileData.from_file(str(path))
    return sum(
        _outermost(
            (event.start_ns, event.end_ns)
            for event in line.events
            if event.name in {_JAX_READ, _JAX_WAIT}
        )
        for plane in data.planes
        for line in plane.lines
    )


@contextmanager
def _waits_named() -> Iterator[None]:
    """Give a name in traces to waits that JAX gives none.

    NumPy reads an array on the CPU without asking the library.
    """
    import jax

    def named(wait: Callable[..., Any], *, always: bool) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if not always and not isinstance(args[0], jax.Array):
                return wait(*args, **options)
            with jax.profiler.TraceAnnotation(_JAX_WAIT):
                return wait(*args, **options)

        return call

    array = type(jax.numpy.zeros(()))
    doors = [
        (np, "asarray", False),
        (np, "array", False),
        (jax, "block_until_ready", True),
        (array, "block_until_ready", True),
    ]
    before = [getattr(owner, name) for owner, name, _ in doors]
    for (owner, name, always), wait in zip(doors, before, strict=True):
        setattr(owner, name, named(wait, always=always))
    try:
        yield
    finally:
        for (owner, name, _), wait in zip(doors, before, strict=True):
            setattr(owner, name, wait)


def _outermost(intervals: Iterable[tuple[float, float]]) -> int:
    """Return how many intervals lie in no other."""
    count, end = 0, -1.0
    for start, stop in sorted(intervals):
        if start >= end:
            count += 1
            end = stop
    return count
