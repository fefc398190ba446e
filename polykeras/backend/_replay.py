"""How a backend that only runs kernels compiles: by recording them.

`polykeras.ops`, which lies above this module, knows ops and records them; a backend
says here what is to be called when a record is replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.backend._base import Backend, Tensor
    from polykeras.backend._kernels import Kernel

__all__ = ["ReplayKernel", "repeated", "replaying", "set_recorder"]

Function = Callable[..., Any]
Around = Callable[[Function], Function]


@dataclass(frozen=True)
class ReplayKernel:
    """What a replayed program calls for an op.

    Args:
        kernel: Takes the op's canonical arguments by position.
        fresh: Whether the result never shares memory with an argument.
        overwrites: Whether the kernel writes into an array given as ``out``, which may
            be its first argument, with the same result to the last bit.
        fitting: Takes what the kernel does, with the shape and the name of the dtype
            for a tensor. Returns what does the same to such, maybe sooner, and what
            that takes behind those arguments.
    """

    kernel: Kernel
    fresh: bool = False
    overwrites: bool = False
    fitting: Callable[..., tuple[Kernel, tuple[Any, ...]]] | None = None


def _direct(backend: Backend, fn: Function, around: Around) -> Function:
    return fn


_recorder: Callable[[Backend, Function, Around], Function] = _direct


def set_recorder(recorder: Callable[[Backend, Function, Around], Function]) -> None:
    """Tell how functions of tensors are recorded."""
    global _recorder  # noqa: PLW0603
    _recorder = recorder


def _bare(run: Function) -> Function:
    return run


def replaying(backend: Backend, fn: Function, around: Around = _bare) -> Function:
    """Return `fn` recorded once for each signature, then replayed.

    Args:
        backend: Runs the kernels.
        fn: A pure function of trees of tensors.
        around: Takes the code of a program and returns what is called for it.
    """
    return _recorder(backend, fn, around)


def repeated(
    fn: Function, state: list[Tensor], calls: Iterable[Sequence[Tensor]]
) -> Iterator[tuple[Any, list[Tensor]]]:
    """Call a compiled function with the state that its last call returned.

    A function that `Backend.compile` returned may have a method ``repeat`` of these
    arguments, which looks at what it is given in the first calls only.

    Args:
        fn: Takes a state and tensors, returns a result and the next state.
        state: The first state.
        calls: Tensors for each call, of the same shapes, dtypes and strides in all.

    Yields:
        For each call the result and the state, as soon as they exist.
    """
    repeat = getattr(fn, "repeat", None)
    if repeat is not None:
        yield from repeat(state, calls)
        return
    for tensors in calls:
        result, state = fn(state, *tensors)
        yield result, state
