"""Make a record shorter: what is computed twice, or is nothing at all."""

from __future__ import annotations

import itertools
from typing import Any, Final

import torch

from polykeras_torch.tracing import Node, Recorder, Ref, instances

__all__ = ["shortened"]

_aten: Final = torch.ops.aten
# Calls whose second argument may make them do nothing.
_BY_ONE: Final = (_aten.div.Tensor, _aten.mul.Tensor, _aten.pow.Tensor_Scalar)
_TO_SHAPE: Final = (_aten.view.default, _aten.expand.default)


def shortened(
    recorder: Recorder, nodes: list[Node], result: Any
) -> tuple[list[Node], Any]:
    """Return fewer calls that compute the same bits, and the result in their terms.

    Args:
        recorder: Made the record.
        nodes: Its calls, without those that nobody sees.
        result: What is returned, with `Ref` in place of tensors.
    """
    return _Shortening(recorder, nodes, result).run()


class _Shortening:
    """One pass over the calls.

    Args:
        recorder: Made the record.
        nodes: Its calls.
        result: What is returned.
    """

    def __init__(self, recorder: Recorder, nodes: list[Node], result: Any) -> None:
        self._recorder = recorder
        self._nodes = nodes
        self._result = result
        self._written = {b for node in nodes for b in node.writes}
        self._returned = {recorder.blocks[ref.name] for ref in instances(result, Ref)}
        self._same: dict[int, int] = _equal_constants(recorder, self._written)
        self._seen: dict[Any, Node] = {}
        self._made: set[int] = set()
        self._kept: list[Node] = []

    def run(self) -> tuple[list[Node], Any]:
        """Return what `shortened` does."""
        for node in self._nodes:
            node.args, node.kwargs = self._renamed((node.args, node.kwargs))
            fixed = node.writes or node.random or not isinstance(node.outs, Ref)
            if fixed or not (self._does_nothing(node) or self._was_computed(node)):
                self._keep(node)
        return self._kept, self._renamed(self._result)

    def _keep(self, node: Node) -> None:
        self._made.update(ref.name for ref in instances(node.outs, Ref))
        self._kept.append(node)

    def _renamed(self, structure: Any) -> Any:
        if isinstance(structure, Ref):
            return Ref(self._same.get(structure.name, structure.name))
        if isinstance(structure, list | tuple):
            return type(structure)(map(self._renamed, structure))
        if isinstance(structure, dict):
            return {key: self._renamed(value) for key, value in structure.items()}
        return structure

    def _merge(self, name: int, other: int) -> bool:
        """Let one tensor stand for another, unless the caller wants both."""
        own, others = self._recorder.blocks[name], self._recorder.blocks[other]
        if not self._written.isdisjoint((own, others)):
            return False
        if own in self._returned:
            if others in self._returned or other not in self._made:
                return False
            self._returned.add(others)
        self._same[name] = other
        blocks = self._recorder.blocks
        # Views of the one are views of the other now.
        blocks.update({n: others for n, b in blocks.items() if b == own})
        return True

    def _does_nothing(self, node: Node) -> bool:
        """Merge what is divided by one, seen in its own shape or copied for nobody."""
        given = node.args[0] if node.args else None
        if not isinstance(given, Ref) or node.kwargs:
            return False
        forms = self._recorder.forms
        if forms[node.outs.name] != forms[given.name]:
            return False
        idle = (node.target in _BY_ONE and _is_one(node.args[1])) or (
            node.target in _TO_SHAPE and len(node.args[1]) == len(forms[given.name][1])
        )
        if node.target is _aten.clone.default:
            owner = self._recorder.blocks[given.name] == given.name
            idle = owner and given.name in self._made
        return idle and self._merge(node.outs.name, given.name)

    def _was_computed(self, node: Node) -> bool:
        blocks = self._recorder.blocks
        used = {blocks[ref.name] for ref in instances((node.args, node.kwargs), Ref)}
        if not self._written.isdisjoint(used):
            # Between two calls the values may have changed, but not from a constant.
            return False
        key = _frozen((node.target, node.args, node.kwargs))
        first = self._seen.setdefault(key, node)
        return first is not node and self._merge(node.outs.name, first.outs.name)


def _is_one(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and x == 1


def _equal_constants(recorder: Recorder, written: set[int]) -> dict[int, int]:
    """Return single numbers that appear several times, each with its first place."""
    first: dict[Any, int] = {}
    same: dict[int, int] = {}
    for name, x in recorder.static.items():
        single = x.ndim == 0 and x.device.type == "cpu"
        if single and recorder.blocks[name] not in written:
            key = (x.dtype, repr(x.item()))
            if first.setdefault(key, name) != name:
                same[name] = first[key]
    return same


def _frozen(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return (type(x), *map(_frozen, x))
    if isinstance(x, dict):
        return tuple(
            itertools.chain.from_iterable((k, _frozen(v)) for k, v in x.items())
        )
    return type(x), x
