"""The rules: which nodes stand for each primitive in ONNX (operator set 18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.export._recording import Call

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__ = ["REFUSED", "RULES", "Rule", "cast_back", "number", "rule", "same"]

Rule = Callable[["Graph", Call, list[Any]], Any]
"""Adds the nodes of a call and returns the name of its output, or a list of names.

Its arguments: the graph, the call with `BatchSize` for sizes that grow with the batch,
and the shapes of the outputs.
"""

RULES: dict[str, Rule] = {}

_NO_COMPLEX: Final = "runtimes have no complex numbers"
_NO_SPECTRUM: Final = "ONNX has no operator for eigenvalues and singular values"
_DERIVATIVE: Final = "ONNX has no operator for this derivative"
REFUSED: Final = {
    "conv_general_kernel": _DERIVATIVE,
    "eig": _NO_SPECTRUM,
    "eigh": _NO_SPECTRUM,
    "imag": _NO_COMPLEX,
    "nonzero": "the shape of its result depends on values",
    "pool_max_pick": _DERIVATIVE,
    "pool_max_spread": _DERIVATIVE,
    "pool_mean_spread": _DERIVATIVE,
    "real": _NO_COMPLEX,
    "svd": _NO_SPECTRUM,
    "view": "ONNX cannot read the bits of a number as another dtype",
    "view_as_complex": _NO_COMPLEX,
    "while_loop": "values decide how often the loop runs. Use ops.scan, or "
    "ops.fori_loop with a known number of steps",
}
"""The primitives that have no rule, and why."""


def rule(name: str) -> Callable[[Rule], Rule]:
    """Register the nodes of a primitive."""

    def add(fn: Rule) -> Rule:
        RULES[name] = fn
        return fn

    return add


def same(kind: str) -> Rule:
    """Return the rule of a primitive that is one node of its tensors."""

    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        return g.node(kind, *(g.name(x) for x in call.args))

    return apply


def number(g: Graph, value: float, dtype: str) -> str:
    """Return the name of a number."""
    return g.constant(np.array(value, dtypes.as_numpy_dtype(dtype)))


def cast_back(g: Graph, name: str, found: str, call: Call) -> str:
    """Return a result of a dtype as one of the dtype that the primitive has."""
    wanted = call.outputs[0].dtype
    return name if found == wanted else g.cast(name, wanted)
