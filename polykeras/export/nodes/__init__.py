"""The nodes that stand for each primitive in ONNX."""

# Imported for the rules that they register.
from polykeras.export.nodes import (  # noqa: F401
    _bits,
    _elementwise,
    _factorizations,
    _indexing,
    _reductions,
    _shaping,
    _spectral,
    _windows,
)
from polykeras.export.nodes._rules import REFUSED, RULES

__all__ = ["REFUSED", "RULES"]
