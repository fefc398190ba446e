"""Let results take the memory of arguments that nobody reads again.

An elementwise kernel in place computes the same bits; it reads and writes one tensor
less, and the memory it needs is in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Final

import torch

from polykeras_torch.tracing import Node, Recorder, Ref, instances

__all__ = ["reuse_memory"]

_COMMUTATIVE: Final = (torch.ops.aten.add.Tensor, torch.ops.aten.mul.Tensor)


def reuse_memory(
    recorder: Recorder, nodes: list[Node], kept: Container[int]
) -> list[Node]:
    """Return the calls, those in place that may be.

    Args:
        recorder: Made the record.
        nodes: Its calls.
        kept: Memory blocks that somebody else holds.
    """
    blocks = recorder.blocks
    last: dict[int, int] = {}
    for i, node in enumerate(nodes):
        for ref in instances((node.args, node.kwargs, node.outs), Ref):
            last[blocks[ref.name]] = i
    return [
        _in_place(recorder, node, lambda b, i=i: last[b] == i and b not in kept)  # type: ignore[misc]
        for i, node in enumerate(nodes)
    ]


def _in_place(recorder: Recorder, node: Node, ends: Callable[[int], bool]) -> Node:
    """Return a call that overwrites its first argument, or the call as it is.

    Args:
        recorder: Made the record.
        node: The call.
        ends: Returns whether nobody reads a memory block after it.
    """
    target = node.target
    if not isinstance(target, torch._ops.OpOverload) or not isinstance(node.outs, Ref):
        return node
    if torch.Tag.pointwise not in target.tags:
        return node
    args = node.args
    if target in _COMMUTATIVE and not node.kwargs and isinstance(args[1], Ref):
        orders = [args, (args[1], args[0])]
    else:
        orders = [args]
    given = [recorder.blocks[r.name] for r in instances((args, node.kwargs), Ref)]
    for first, *rest in orders:
        if not isinstance(first, Ref):
            continue
        block = recorder.blocks[first.name]
        alike = _layout(recorder, first) == _layout(recorder, node.outs)
        if alike and given.count(block) == 1 and ends(block):
            return _overwriting(node, (first, *rest))
    return node


def _layout(recorder: Recorder, ref: Ref) -> Any:
    return recorder.forms[ref.name], recorder.strides[ref.name]


def _overwriting(node: Node, args: tuple[Any, ...]) -> Node:
    target: Any = node.target
    packet = getattr(torch.ops.aten, f"{target._opname}_", None)
    if packet is not None and target._overloadname in packet.overloads():
        found = getattr(packet, target._overloadname)
        return Node(found, args, node.kwargs, node.outs, node.writes)
    if "grad_input" in target.overloadpacket.overloads():
        kwargs = {**node.kwargs, "grad_input": args[0]}
        found = target.overloadpacket.grad_input
        return Node(found, args, kwargs, node.outs, node.writes)
    return node
