"""What an ONNX file holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polykeras.errors import DataError, PolykerasError
from polykeras.storage.limits import check_shape, current_limits

__all__ = ["describe_onnx", "onnx_library"]


def onnx_library(purpose: str) -> Any:
    """Return the package onnx, or raise with the command that installs it.

    Args:
        purpose: What needs it, to begin a sentence with.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise PolykerasError(
            f"{purpose} needs the package onnx: pip install 'polykeras[onnx]'"
        ) from error
    return onnx


def describe_onnx(path: Path) -> dict[str, Any]:
    """Return who wrote an ONNX file, its inputs and outputs, operators and arrays.

    Arrays that it keeps in other files are named in a warning, and not looked for.

    Args:
        path: The file.

    Raises:
        DataError: If it is no such file.
        UnsafeFileError: If it exceeds the limits.
    """
    onnx = onnx_library("Inspection of ONNX files")
    try:
        proto = onnx.load(path, load_external_data=False)
    except Exception as error:
        # The parser's error class belongs to one of its several implementations.
        raise DataError(f"{path} is no ONNX file: {error}") from error
    if not proto.HasField("graph"):
        raise DataError(f"{path} holds no ONNX graph.")
    graphs = list(_graphs(proto.graph))
    limits, what = current_limits(), str(path)
    limits.check_count(sum(len(g.node) + len(g.initializer) for g in graphs), what)
    operators = Counter(n.op_type for g in graphs for n in g.node)
    arrays = [t for g in graphs for t in g.initializer]
    elsewhere = [t.name for t in arrays if t.data_location == t.EXTERNAL]
    return {
        "written_by": {
            "producer": f"{proto.producer_name} {proto.producer_version}".rstrip(),
            "ir_version": proto.ir_version,
            "operator_sets": {
                o.domain or "ai.onnx": o.version for o in proto.opset_import
            },
        },
        "weights": [_array(onnx, t, what) for t in arrays],
        "details": {
            "graph": proto.graph.name,
            "inputs": [_value(onnx, v) for v in proto.graph.input],
            "outputs": [_value(onnx, v) for v in proto.graph.output],
            "operators": dict(sorted(operators.items())),
        },
        "warnings": [
            f"The array {name!r} is in another file, which was not looked for."
            for name in elsewhere
        ],
    }


def _graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and those of its loops and branches."""
    stack = [graph]
    while stack:
        found = stack.pop()
        yield found
        for node in found.node:
            for attribute in node.attribute:
                stack += [attribute.g] if attribute.HasField("g") else []
                stack += attribute.graphs


def _array(onnx: Any, tensor: Any, what: str) -> dict[str, Any]:
    current_limits().check_name(tensor.name, what)
    shape = [int(n) for n in tensor.dims]
    if any(n < 0 for n in shape):
        raise DataError(f"{what} declares the shape {tuple(shape)}.")
    check_shape(shape, what)
    try:
        width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError) as error:
        raise DataError(f"{what} has an array of an unknown type.") from error
    return {
        "path": tensor.name,
        "shape": shape,
        "dtype": _type_name(onnx, tensor.data_type),
        "bytes": math.prod(shape) * width,
    }


def _value(onnx: Any, value: Any) -> dict[str, Any]:
    tensor = value.type.tensor_type
    shape = [
        d.dim_param or (d.dim_value if d.HasField("dim_value") else None)
        for d in tensor.shape.dim
    ]
    return {
        "name": value.name,
        "shape": shape,
        "dtype": _type_name(onnx, tensor.elem_type),
    }


def _type_name(onnx: Any, number: int) -> str:
    names = onnx.TensorProto.DataType
    return str(names.Name(number)).lower() if number in names.values() else str(number)
