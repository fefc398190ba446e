"""Convolution and pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import dtypes
from polykeras.errors import OperationNotSupported
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import RULES, Rule, rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []


def _channels_first(g: Graph, name: str, rank: int) -> Any:
    return g.node("Transpose", name, perm=[0, rank - 1, *range(1, rank - 1)])


def _channels_last(g: Graph, name: str, rank: int) -> Any:
    return g.node("Transpose", name, perm=[0, *range(2, rank), 1])


def _ends(padding: Any) -> list[int]:
    ends = [p[0] for p in padding] + [p[1] for p in padding]
    if min(ends, default=0) < 0:
        raise OperationNotSupported("A window with negative padding.")
    return ends


@rule("conv_general")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, kernel, strides, padding, dilation = call.args
    rank = len(x.shape)
    # (*window, in, out) to (out, in, *window).
    perm = [rank - 1, rank - 2, *range(rank - 2)]
    made = g.node(
        "Conv",
        _channels_first(g, g.name(x), rank),
        g.node("Transpose", g.name(kernel), perm=perm),
        strides=list(strides),
        pads=_ends(padding),
        dilations=list(dilation),
        group=x.shape[-1] // kernel.shape[-2],
    )
    return _channels_last(g, made, rank)


@rule("conv_general_transpose")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, kernel, groups, strides, padding, dilation = call.args
    rank = len(x.shape)
    perm = [rank - 1, rank - 2, *range(rank - 2)]
    added = [max(0, -p) for pair in padding for p in pair]
    crop = [max(0, p[0]) for p in padding] + [max(0, p[1]) for p in padding]
    made = g.node(
        "ConvTranspose",
        _channels_first(g, g.name(x), rank),
        g.node("Transpose", g.name(kernel), perm=perm),
        strides=list(strides),
        pads=crop,
        dilations=list(dilation),
        group=groups,
    )
    if any(added):
        ends = [0, 0, *added[::2], 0, 0, *added[1::2]]
        zero = g.constant(np.zeros((), dtypes.as_numpy_dtype(x.dtype)))
        made = g.node("Pad", made, g.integers(ends), zero)
    return _channels_last(g, made, rank)


def _pooling(kind: str, **attributes: Any) -> Rule:
    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        x, window, strides, padding = call.args
        rank = len(x.shape)
        made = g.node(
            kind,
            _channels_first(g, g.name(x), rank),
            kernel_shape=list(window),
            strides=list(strides),
            pads=_ends(padding),
            **attributes,
        )
        return _channels_last(g, made, rank)

    return apply


RULES["pool_max"] = _pooling("MaxPool")
RULES["pool_mean"] = _pooling("AveragePool", count_include_pad=0)
