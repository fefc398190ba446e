"""Write a model as an ONNX graph with a free batch size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import tree
from polykeras.errors import (
    ArgumentError,
    OperationNotSupported,
    StateError,
)
from polykeras.export._batch_sizes import STAND_INS, BatchSize, Counted, merged
from polykeras.export._recording import Call, Recorded, record
from polykeras.export.nodes import REFUSED, RULES
from polykeras.storage.atomic import atomic_path
from polykeras.storage.onnx_files import onnx_library

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polykeras.backend import Array

__all__ = ["Graph", "export_onnx"]

_OPSET: Final = 18
_IR_VERSION: Final = 9
# The names of dtypes in ONNX, where they differ.
_NAMES: Final = {"float32": "FLOAT", "float64": "DOUBLE"}


class Graph:
    """The nodes of an ONNX graph under construction.

    Args:
        onnx: The library.
        inputs: Names of the inputs.
    """

    def __init__(self, onnx: Any, inputs: list[str]) -> None:
        """Begin without nodes."""
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._names: dict[int, str] = {}
        self._shapes: dict[int, tuple[Any, ...]] = {}
        self._kept: list[Recorded] = []
        self._count = 0
        self._batch: str | None = None
        self._inputs = inputs

    def fresh(self) -> str:
        """Return a name that is not used yet."""
        self._count += 1
        return f"t{self._count}"

    def bind(self, x: Recorded, name: str, shape: tuple[Any, ...]) -> None:
        """Say under which name a recorded tensor stands.

        Args:
            x: The tensor.
            name: Its name.
            shape: Its shape, with `BatchSize` for what is not known.
        """
        # Tensors are kept, so that their ids stay their own.
        self._kept.append(x)
        self._names[id(x)] = name
        self._shapes[id(x)] = shape

    def size_of(self, x: Recorded, axis: int) -> Any:
        """Return the size of an axis, or a `BatchSize`."""
        return self._shapes.get(id(x), x.shape)[axis]

    def name(self, x: Any) -> str:
        """Return the name of a tensor; constants become initializers."""
        if isinstance(x, Counted):
            return self.cast(self.node("Squeeze", self.shape([x.size])), x.dtype)
        if id(x) not in self._names:
            if not isinstance(x, Recorded) or x.value is None:
                raise OperationNotSupported(
                    "The model uses a tensor that is neither an input nor computed "
                    "from one, which ONNX export cannot follow."
                )
            self.bind(x, self.constant(x.value), x.shape)
        return self._names[id(x)]

    def constant(self, value: Array) -> str:
        """Return the name of an array of known values."""
        name = self.fresh()
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        tensor = self._onnx.numpy_helper.from_array(array, name)
        self.initializers.append(tensor)
        return name

    def integers(self, values: Sequence[int]) -> str:
        """Return the name of a list of 64-bit integers."""
        return self.constant(np.array(values, np.int64))

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output, or a list of names."""
        names = [self.fresh() for _ in range(outputs)]
        make = self._onnx.helper.make_node
        self.nodes.append(make(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def cast(self, name: str, dtype: str) -> str:
        """Return the name of a tensor in another dtype."""
        return str(self.node("Cast", name, to=self.dtype(dtype)))

    def dtype(self, name: str) -> int:
        """Return ONNX' number of a dtype."""
        found: int | None = getattr(
            self._onnx.TensorProto, _NAMES.get(name, name.upper()), None
        )
        if found is None:
            raise OperationNotSupported(f"ONNX has no dtype {name!r}.")
        return found

    def shape(self, sizes: Sequence[Any]) -> str:
        """Return the name of a shape, some sizes of which may be `BatchSize`."""
        if not any(isinstance(n, BatchSize) for n in sizes):
            return self.integers([int(n) for n in sizes])
        parts = [
            self._size(n) if isinstance(n, BatchSize) else self.integers([int(n)])
            for n in sizes
        ]
        return str(self.node("Concat", *parts, axis=0))

    def _size(self, size: BatchSize) -> str:
        if self._batch is None:
            self._batch = self.node("Shape", self._inputs[0], start=0, end=1)
        name = self._batch
        if size.factor != 1:
            name = self.node("Mul", name, self.integers([size.factor]))
        if size.offset:
            name = self.node("Add", name, self.integers([size.offset]))
        return name


def export_onnx(model: Any, filepath: str | Path) -> None:
    """Write what a model predicts as an ONNX graph.

    Args:
        model: A functional or sequential model, built.
        filepath: The file.

    Raises:
        PolykerasError: If onnx is not installed.
        StateError: If the model is not built.
        OperationNotSupported: If it uses an op that cannot be exported.
    """
    path = Path(filepath)
    onnx = onnx_library("Export to ONNX")
    _check(model)
    specs = list(model.inputs)
    runs = [record(model, specs, RULES, REFUSED, batch) for batch in STAND_INS]
    if any([c.name for c in r.calls] != [c.name for c in runs[0].calls] for r in runs):
        raise OperationNotSupported(
            "What the model computes depends on the batch size, which ONNX export "
            "cannot follow. Fix it: Input(shape, batch_size=...)."
        )
    names = [x.name for x in specs]
    graph = Graph(onnx, names)
    for x, name, shape in zip(
        runs[0].inputs, names, _shapes(r.inputs for r in runs), strict=True
    ):
        graph.bind(x, name, shape)
    for calls in zip(*(r.calls for r in runs), strict=True):
        kind, made = calls[0].name, calls[0].outputs
        args = [merged(*found) for found in zip(*(c.args for c in calls), strict=True)]
        shapes = _shapes(c.outputs for c in calls)
        found = RULES[kind](graph, Call(kind, args, made), shapes)
        listed = found if isinstance(found, list) else [found]
        for x, name, shape in zip(made, listed, shapes, strict=True):
            graph.bind(x, name, shape)
    outputs = []
    for x, name in zip(runs[0].outputs, _output_names(model), strict=True):
        graph.nodes.append(onnx.helper.make_node("Identity", [graph.name(x)], [name]))
        outputs.append(name)
    info = onnx.helper.make_tensor_value_info
    described = []
    for kind, listed in (("inputs", names), ("outputs", outputs)):
        tensors, shapes = (
            getattr(runs[0], kind),
            _shapes(getattr(r, kind) for r in runs),
        )
        described.append(
            [
                info(name, graph.dtype(x.dtype), _free(shape))
                for x, name, shape in zip(tensors, listed, shapes, strict=True)
            ]
        )
    made = onnx.helper.make_graph(
        graph.nodes, model.name, *described, initializer=graph.initializers
    )
    proto = onnx.helper.make_model(
        made,
        producer_name="polykeras",
        ir_version=_IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
    )
    onnx.checker.check_model(proto, full_check=True)
    with atomic_path(path) as temporary:
        onnx.save(proto, temporary)


def _shapes(found: Iterable[list[Recorded]]) -> list[Any]:
    """Return the shapes of tensors that were recorded several times."""
    return [merged(*(x.shape for x in tensors)) for tensors in zip(*found, strict=True)]


def _check(model: Any) -> None:
    if getattr(model, "inputs", None) is None:
        raise ArgumentError(
            f"Only functional and sequential models are exported; {model.name!r} is a "
            f"{type(model).__name__}. Call it on an Input: keras.Model(x, model(x))."
        )
    if not model.built:
        raise StateError(f"The model {model.name!r} is not built yet.")
    for x in model.inputs:
        if any(n is None for n in x.shape[1:]):
            raise ArgumentError(
                f"The input {x.name!r} has the shape {x.shape}; only the batch size "
                "may be unknown."
            )


def _output_names(model: Any) -> list[str]:
    count = len(tree.flatten(model.output))
    return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]


def _free(shape: tuple[Any, ...]) -> list[Any]:
    """Return a shape with a name for the batch size."""
    return [
        ("batch" if n == BatchSize(1, 0) else None) if isinstance(n, BatchSize) else n
        for n in shape
    ]
