"""Turn a record into a Python function without layers, autograd or bookkeeping."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, MethodDescriptorType
from typing import Any, Final

import torch

from polykeras_torch.peephole import shortened
from polykeras_torch.reuse import reuse_memory
from polykeras_torch.tracing import Node, Recorder, Ref, instances

__all__ = ["replayed"]

_PLAIN: Final = (bool, int, str, type(None))
# Entries of the library's own tables that parse arguments faster than operators do.
_TABLES: Final = (torch._C._VariableFunctions, torch.Tensor, torch._C._nn)  # type: ignore[attr-defined]

_NATIVE: Final = (BuiltinFunctionType, MethodDescriptorType)


def replayed(recorder: Recorder, result: Any) -> Callable[[list[Any]], Any]:
    """Return a function of the list of arguments that repeats a record.

    Args:
        recorder: Holds the record.
        result: What the recorded function returned, with `Ref` in place of tensors.
    """
    return _Writer(recorder, result).function()


class _Writer:
    """Writes the function as source.

    Args:
        recorder: Holds the record.
        result: With `Ref` in place of tensors.
    """

    def __init__(self, recorder: Recorder, result: Any) -> None:
        self._blocks = recorder.blocks
        self._inputs = recorder.inputs
        self._result = result
        written = {b for node in recorder.nodes for b in node.writes}
        self._fixed = {
            name: x
            for name, x in recorder.static.items()
            if recorder.blocks[name] not in written
        } | recorder.constants
        self._bound: dict[str, Any] = {}
        self._symbols: dict[int, str] = {}
        nodes, self._result = shortened(
            recorder, self._needed(recorder.nodes), self._result
        )
        self._nodes = reuse_memory(recorder, self._needed(nodes), self._held())

    def _held(self) -> set[int]:
        """Return the memory blocks that outlive the call."""
        names = {ref.name for ref in instances(self._result, Ref)}
        return {self._blocks[n] for n in (*names, *self._inputs, *self._fixed)}

    def _needed(self, nodes: list[Node]) -> list[Node]:
        """Return the calls without those that nobody sees."""
        wanted = {ref.name for ref in instances(self._result, Ref)}
        blocks = {self._blocks[n] for n in (*wanted, *self._inputs)}
        kept = []
        for node in reversed(nodes):
            outs = [ref.name for ref in instances(node.outs, Ref)]
            if all(name in self._fixed for name in outs) and not node.writes:
                continue
            if wanted.isdisjoint(outs) and blocks.isdisjoint(node.writes):
                continue
            kept.append(node)
            used = [ref.name for ref in instances((node.args, node.kwargs), Ref)]
            wanted.update(used)
            blocks.update(self._blocks[n] for n in used)
        return kept[::-1]

    # -- writing ---------------------------------------------------------------

    def function(self) -> Callable[[list[Any]], Any]:
        """Compile the source."""
        lines = ["def replay(arguments):"]
        if self._inputs:
            lines.append(f"  [{', '.join(map(self._local, self._inputs))}] = arguments")
        last: dict[int, int] = {}
        for i, node in enumerate(self._nodes):
            for ref in instances((node.args, node.kwargs, node.outs), Ref):
                last[ref.name] = i
        kept = {ref.name for ref in instances(self._result, Ref)} | {*self._inputs}
        ending: dict[int, list[int]] = {}
        for name, i in last.items():
            if name not in kept and name not in self._fixed:
                ending.setdefault(i, []).append(name)
        for i, node in enumerate(self._nodes):
            lines += [f"  {line}" for line in self._call(node)]
            if i in ending:
                lines.append(f"  del {', '.join(map(self._local, ending[i]))}")
        lines.append(f"  return {self._returned(self._result)}")
        scope = dict(self._bound)
        exec(compile("\n".join(lines), "<replayed step>", "exec"), scope)
        found: Callable[[list[Any]], Any] = scope["replay"]
        return found

    def _call(self, node: Node) -> Iterator[str]:
        given = {ref.name for ref in instances((node.args, node.kwargs), Ref)}
        target, args, kwargs = _direct(node)
        words = [self._word(x) for x in args]
        words += [f"{key}={self._word(x)}" for key, x in kwargs.items()]
        call = f"{self._bind(target)}({', '.join(words)})"
        if all(ref.name in given for ref in instances(node.outs, Ref)):
            yield call
        elif isinstance(node.outs, Ref):
            yield f"{self._local(node.outs.name)} = {call}"
        else:
            yield f"{self._pattern(node.outs)} = {call}"

    def _pattern(self, outs: Any) -> str:
        if isinstance(outs, Ref):
            return self._local(outs.name)
        if isinstance(outs, list | tuple):
            return f"[{', '.join(map(self._pattern, outs))}]"
        return "_"

    def _word(self, x: Any) -> str:
        if isinstance(x, Ref):
            if x.name in self._fixed:
                return self._bind(self._fixed[x.name])
            return self._local(x.name)
        if isinstance(x, tuple):
            return f"({''.join(f'{self._word(v)}, ' for v in x)})"
        if isinstance(x, list):
            return f"[{', '.join(map(self._word, x))}]"
        if type(x) in _PLAIN or (type(x) is float and math.isfinite(x)):
            return repr(x)
        return self._bind(x)

    def _returned(self, x: Any) -> str:
        if isinstance(x, Ref) and self._is_fixed(x.name):
            # The caller may overwrite what it gets.
            return f"{self._bind(torch.clone)}({self._word(x)})"
        if isinstance(x, tuple):
            return f"({''.join(f'{self._returned(v)}, ' for v in x)})"
        if isinstance(x, list):
            return f"[{', '.join(map(self._returned, x))}]"
        if isinstance(x, dict):
            items = (f"{self._word(k)}: {self._returned(v)}" for k, v in x.items())
            return f"{{{', '.join(items)}}}"
        return self._word(x)

    def _is_fixed(self, name: int) -> bool:
        return name in self._fixed or self._blocks[name] in self._fixed

    def _local(self, name: int) -> str:
        return f"v{name}"

    def _bind(self, value: Any) -> str:
        symbol = self._symbols.get(id(value))
        if symbol is None:
            symbol = self._symbols[id(value)] = f"k{len(self._bound)}"
            self._bound[symbol] = value
        return symbol


def _direct(node: Node) -> tuple[Callable[..., Any], Any, dict[str, Any]]:
    """Return the quickest way to call an operator, and its arguments."""
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return target, node.args, node.kwargs
    space, _, name = target._schema.name.partition("::")
    if space != "aten":
        return target, node.args, node.kwargs
    if name == "_to_copy" and node.kwargs.keys() == {"dtype"}:
        return torch.Tensor.to, (*node.args, node.kwargs["dtype"], False, True), {}
    for table in _TABLES:
        found = getattr(table, name, None)
        if isinstance(found, _NATIVE):
            return found, node.args, node.kwargs
    return target._op, node.args, node.kwargs
