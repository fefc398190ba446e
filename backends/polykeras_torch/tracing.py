"""Record what a function computes, below autograd: each operator, in its order.

The function runs on real tensors, so its first results come with the record. Where it
needs a value on the host that depends on its arguments, there is no record.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    _disable_current_modes,
    _get_current_dispatch_mode,
)

__all__ = [
    "HostRead",
    "Node",
    "Recorder",
    "Ref",
    "depends_on_arguments",
    "instances",
    "whole",
]

T = torch.Tensor
_Kind = TypeVar("_Kind")

_serials = itertools.count()
_ALIASES: Final = frozenset({"aten::detach", "aten::alias", "aten::lift_fresh"})
_READS: Final = frozenset(
    {T.numpy, T.tolist, T.__array__, T.__dlpack__, T.data_ptr, T.untyped_storage}
)
_MASKS: Final = (torch.bool, torch.uint8)
_UNKNOWN_SHAPES: Final = (
    torch.Tag.dynamic_output_shape,
    torch.Tag.data_dependent_output,
)


class HostRead(RuntimeError):
    """A traced function wants a value that only a run can know."""


@dataclass(frozen=True)
class Ref:
    """The place of a tensor in a record.

    Args:
        name: Number of the tensor.
    """

    name: int


@dataclass
class Node:
    """One call in a record.

    Args:
        target: What is called.
        args: With `Ref` in place of tensors.
        kwargs: Likewise.
        outs: The result, likewise.
        writes: Numbers of the memory blocks it changes.
        random: Whether two calls may differ.
    """

    target: Callable[..., Any]
    args: Any
    kwargs: dict[str, Any]
    outs: Any
    writes: frozenset[int]
    random: bool = False


class Recorder(TorchDispatchMode):
    """Records the operators that run in its block.

    Attributes:
        nodes: The calls.
        blocks: Number of each tensor to that of its memory block.
        forms: Number of each tensor to its dtype and shape.
        strides: Number of each tensor to its strides.
        constants: Tensors from outside that are no arguments.
        static: Values that depend on no argument, by number.
        differentiates: Whether a part ran with gradients on, where some kernels keep
            what only a derivative needs.
    """

    def __init__(self) -> None:
        """Start an empty record."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.nodes: list[Node] = []
        self.blocks: dict[int, int] = {}
        self.forms: dict[int, tuple[torch.dtype, torch.Size]] = {}
        self.strides: dict[int, tuple[int, ...]] = {}
        self.constants: dict[int, T] = {}
        self.static: dict[int, T] = {}
        self.inputs: list[int] = []
        self.differentiates = False
        self._serial = next(_serials)
        self._storages: dict[int, int] = {}
        self._kept: list[T] = []

    @contextmanager
    def recording(self, inputs: Sequence[T]) -> Iterator[None]:
        """Record the block, which gets `inputs` as its arguments."""
        for x in inputs:
            self.inputs.append(self._outside(x))
        with torch.no_grad(), self, _HostReads(self):
            yield

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # The library would import its compiler, which takes seconds, to keep it away.
        return False

    # -- names -----------------------------------------------------------------

    def name(self, x: T) -> int:
        """Return the number of a tensor; one from outside becomes a constant."""
        serial, name = getattr(x, "_polykeras_name", (-1, -1))
        if serial == self._serial:
            return int(name)
        name = self._outside(x)
        self.constants[name] = self.static[name] = x
        return int(name)

    def refs(self, structure: Any) -> Any:
        """Return a structure with `Ref` in place of tensors."""
        if isinstance(structure, T):
            return Ref(self.name(structure))
        if isinstance(structure, list | tuple):
            return type(structure)(map(self.refs, structure))
        if isinstance(structure, dict):
            return {key: self.refs(value) for key, value in structure.items()}
        return structure

    def _new(self, x: T, block: int | None) -> int:
        name = len(self.blocks)
        x._polykeras_name = (self._serial, name)  # type: ignore[attr-defined]
        self.blocks[name] = name if block is None else block
        self.forms[name] = (x.dtype, x.shape)
        self.strides[name] = x.stride()
        return name

    def _outside(self, x: T) -> int:
        storage = _storage(x)
        name = self._new(x, self._storages.get(storage))
        self._storages.setdefault(storage, self.blocks[name])
        self._kept.append(x)
        return name

    def _named(self, x: T) -> bool:
        return getattr(x, "_polykeras_name", (-1,))[0] == self._serial

    def depends(self, x: T) -> bool:
        """Return whether the values of a tensor follow from the arguments."""
        return self._named(x) and self.name(x) not in self.static

    # -- calls -----------------------------------------------------------------

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operator and note it."""
        kwargs = kwargs or {}
        self.differentiates |= torch.is_grad_enabled()
        tensors = list(instances((args, kwargs), T))
        depends = any(map(self.depends, tensors))
        if depends and _shape_follows_from_values(func, args):
            raise HostRead(f"{func} needs values")
        names = self.refs(args), self.refs(kwargs)
        out = func(*args, **kwargs)
        if not isinstance(out, T | list | tuple) and func._schema.returns:
            return out
        name = func._schema.name
        if name in _ALIASES and not self._named(out):
            # The same values under another tensor object.
            out._polykeras_name = (self._serial, names[0][0].name)
            return out
        writes = frozenset(
            self.blocks[self.name(x)]
            for given, said in zip(args, func._schema.arguments, strict=False)
            if said.is_write
            for x in instances(given, T)
        )
        for given in func._schema.arguments:
            if given.is_write and given.name in kwargs:
                writes |= {self.blocks[self.name(x)] for x in instances(kwargs, T)}
        random = torch.Tag.nondeterministic_seeded in func.tags
        self._note(Node(func, *names, None, writes, random), tensors, out, depends)
        return out

    def call(self, kernel: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run a kernel that is one call in the record, whatever is in it.

        Args:
            kernel: May write to the tensors in its lists, and must not read others
                than its arguments.
            args: Its arguments.
        """
        tensors = list(instances(args, T))
        names = self.refs(args)
        depends = any(map(self.depends, tensors))
        with _disable_current_modes():
            out = kernel(*args)
        writes = frozenset(
            self.blocks[self.name(x)]
            for given in args
            if isinstance(given, list | tuple)
            for x in given
        )
        self._note(Node(kernel, names, {}, None, writes), tensors, out, depends)
        return out

    def _note(self, node: Node, tensors: list[T], out: Any, depends: bool) -> None:
        owners = {_storage(x): self.blocks[self.name(x)] for x in tensors}
        for x in instances(out, T):
            if not self._named(x):
                name = self._new(x, owners.get(_storage(x)))
                if not depends and not node.random:
                    self.static[name] = x
        node.outs = self.refs(out)
        self.nodes.append(node)
        if node.writes and depends:
            changed = [n for n in self.static if self.blocks[n] in node.writes]
            for name in changed:
                del self.static[name]


class _HostReads(TorchFunctionMode):
    """Refuses to hand values of traced tensors to the host."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._recorder = recorder

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in _READS and any(map(self._recorder.depends, instances(args, T))):
            raise HostRead(f"{func} needs values")
        return func(*args, **(kwargs or {}))


def whole(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Make a kernel one call in records, not the operators it consists of."""

    @functools.wraps(kernel)
    def call(*args: Any) -> Any:
        recorder = _get_current_dispatch_mode()  # type: ignore[no-untyped-call]
        if isinstance(recorder, Recorder):
            return recorder.call(kernel, args)
        return kernel(*args)

    return call


def depends_on_arguments(x: T) -> bool:
    """Return whether a record is being made in which a tensor has no fixed value."""
    recorder = _get_current_dispatch_mode()  # type: ignore[no-untyped-call]
    return isinstance(recorder, Recorder) and recorder.depends(x)


def _shape_follows_from_values(func: Any, args: Any) -> bool:
    if func is torch.ops.aten.index.Tensor:
        return any(x.dtype in _MASKS for x in instances(args[1], T))
    return any(tag in func.tags for tag in _UNKNOWN_SHAPES)


def instances(structure: Any, kind: type[_Kind]) -> Iterator[_Kind]:
    """Yield the objects of a type in nested lists, tuples and dicts."""
    if isinstance(structure, kind):
        yield structure
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from instances(item, kind)
    elif isinstance(structure, dict):
        yield from instances(list(structure.values()), kind)


def _storage(x: T) -> int:
    with torch._C.DisableTorchFunction():
        return int(x.untyped_storage()._cdata)
