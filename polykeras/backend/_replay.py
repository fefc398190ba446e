"""How a backend that only runs kernels compiles: by recording them.

`polykeras.ops`, which lies above this module, knows ops and records them; a backend
says here what is to be called when a record is replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.backend._base import Backend
    from polykeras.backend._kernels import Kernel

__all__ = ["ReplayKernel", "replaying", "set_recorder"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class ReplayKernel:
    """What a replayed program calls for an op.

    Args:
        kernel: Takes the op's canonical arguments by position.
        fresh: Whether the result never shares memory with an argument.
        overwrites: Whether the kernel writes into an array given as ``out``, which may
            be its first argument, with the same result to the last bit.
    """

    kernel: Kernel
    fresh: bool = False
    overwrites: bool = False


def _direct(backend: Backend, fn: Function) -> Function:
    return fn


_recorder: Callable[[Backend, Function], Function] = _direct


def set_recorder(recorder: Callable[[Backend, Function], Function]) -> None:
    """Tell how functions of tensors are recorded."""
    global _recorder  # noqa: PLW0603
    _recorder = recorder


def replaying(backend: Backend, fn: Function) -> Function:
    """Return `fn` recorded once for each signature, then replayed.

    Args:
        backend: Runs the kernels.
        fn: A pure function of trees of tensors.
    """
    return _recorder(backend, fn)
