"""The Fourier transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras.export._recording import Call
from polykeras.export.nodes._rules import rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []


@rule("fft")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    real, imaginary = call.args[0]
    size = g.size_of(real, len(real.shape) - 1)
    rows = g.shape([-1, size, 1])
    parts = [g.node("Reshape", g.name(x), rows) for x in (real, imaginary)]
    both = g.node("DFT", g.node("Concat", *parts, axis=-1), axis=1)
    found = g.node("Split", both, outputs=2, axis=-1, num_outputs=2)
    return [g.node("Reshape", x, g.shape(shapes[0])) for x in found]
