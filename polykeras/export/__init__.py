"""Models for other programs: ONNX graphs."""

from polykeras.export._onnx import export_onnx

__all__ = ["export_onnx"]
