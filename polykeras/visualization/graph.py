"""`plot_model`: the graph of a model as a picture, drawn by Graphviz."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polykeras.errors import ArgumentError, StateError, nearest
from polykeras.layers.layer import Layer
from polykeras.models.functional import Functional
from polykeras.models.model import Model
from polykeras.models.sequential import Sequential
from polykeras.symbolic import KerasTensor, Node

if TYPE_CHECKING:
    from graphviz import Digraph

__all__ = ["model_to_dot", "plot_model"]

_DIRECTIONS = ("TB", "LR", "BT", "RL")
_FONT = {"fontname": "Helvetica", "fontsize": "11"}
# Text that Graphviz draws itself needs no program, only a file.
_SOURCES = (".dot", ".gv")


def model_to_dot(
    model: Model,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Digraph:
    """Return a model's graph for Graphviz.

    Args:
        model: A built `Sequential` or functional model; of another, its layers.
        show_shapes: Whether boxes show the shapes of outputs.
        show_dtype: Whether boxes show the dtypes of outputs.
        show_layer_names: Whether boxes show the layers' names.
        rankdir: Where the graph runs: ``"TB"`` downwards, ``"LR"``, ``"BT"``, ``"RL"``.
        expand_nested: Whether models inside are drawn layer by layer.
        dpi: Dots per inch of the picture.
        subgraph: Whether the result is to stand in another graph.
        show_layer_activations: Whether boxes show activations.
        show_trainable: Whether boxes show what is trained.
        splines: How lines run, as Graphviz names it.
        kwargs: None are allowed.

    Returns:
        A ``graphviz.Digraph``; its ``source`` is the text in the language DOT.

    Raises:
        ImportError: If the package graphviz is not installed.
        StateError: If the model is not built.
        ArgumentError: If `rankdir` is unknown.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> "Dense" in model_to_dot(model).source
    True
    """
    if kwargs:
        raise ArgumentError(f"model_to_dot got unknown arguments {sorted(kwargs)}.")
    if rankdir not in _DIRECTIONS:
        raise ArgumentError(
            f"Unknown rankdir {rankdir!r}. {nearest(rankdir, _DIRECTIONS)}"
        )
    if not model.built:
        raise StateError(
            f"The model {model.name!r} is not built, so its graph is not known. Call "
            "it on data, or start it with keras.Input(shape=...)."
        )
    drawing = _Drawing(
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        expand_nested=expand_nested,
    )
    name = f"cluster_{model.name}" if subgraph else model.name
    graph = _graphviz().Digraph(
        name,
        graph_attr={"rankdir": rankdir, "dpi": str(dpi), "splines": splines, **_FONT},
        node_attr={"shape": "box", **_FONT},
    )
    drawing.draw(graph, model, "")
    return graph


def plot_model(
    model: Model,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draw a model's graph into a file.

    Args:
        model: A built `Sequential` or functional model; of another, its layers.
        to_file: The file; its suffix says the format. ``.dot`` writes the text that
            Graphviz draws, and needs no program.
        show_shapes: Whether boxes show the shapes of outputs.
        show_dtype: Whether boxes show the dtypes of outputs.
        show_layer_names: Whether boxes show the layers' names.
        rankdir: As in `model_to_dot`.
        expand_nested: Whether models inside are drawn layer by layer.
        dpi: Dots per inch.
        show_layer_activations: Whether boxes show activations.
        show_trainable: Whether boxes show what is trained.
        splines: How lines run.
        kwargs: None are allowed.

    Returns:
        In a notebook, the picture; else None.

    Raises:
        ImportError: If the package graphviz or the program ``dot`` is not installed.
        StateError: If the model is not built.
        ArgumentError: If an argument is unknown.
    """
    graph = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    path = Path(to_file)
    if path.suffix in _SOURCES:
        path.write_text(graph.source, encoding="utf-8")
        return None
    graphviz = _graphviz()
    try:
        drawn = graph.pipe(format=path.suffix[1:] or "png")
    except graphviz.ExecutableNotFound as error:
        raise ImportError(
            "Drawing needs the program 'dot' of Graphviz, which is not installed. Run: "
            "apt install graphviz (or brew install graphviz), or give a file that ends "
            "in .dot."
        ) from error
    path.write_bytes(drawn)
    return _shown(path)


def _shown(path: Path) -> Any:
    """Return the picture for a notebook, None elsewhere."""
    import sys

    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None or path.suffix != ".png":
        return None
    from IPython.display import Image

    return Image(filename=str(path))


def _graphviz() -> Any:
    try:
        import graphviz
    except ImportError as error:
        raise ImportError(
            "Graphs of models need the package graphviz, which is not installed. "
            'Run: pip install "polykeras[plot]"'
        ) from error
    return graphviz


class _Drawing:
    """Draws models, one box a call of a layer."""

    def __init__(self, *, expand_nested: bool, **shown: bool) -> None:
        self._expand = expand_nested
        self._shown = shown

    def draw(
        self, graph: Digraph, model: Model, prefix: str
    ) -> tuple[list[str], list[str]]:
        """Add the boxes of a model and return those it begins and ends with."""
        function = _graph_of(model)
        if function is None:
            names = [f"{prefix}{layer.name}" for layer in model.layers]
            for name, layer in zip(names, model.layers, strict=True):
                graph.node(name, self._label(layer))
            for a, b in itertools.pairwise(names):
                graph.edge(a, b)
            return names[:1], names[-1:]
        ends: dict[int, list[str]] = {}
        first = []
        for x in function.inputs:
            name = f"{prefix}{x.name}"
            operation = x.node.operation if x.node is not None else None
            graph.node(name, self._label(operation, x))
            ends[id(x)] = [name]
            first.append(name)
        for number, node in enumerate(function.nodes):
            begin, end = self._call(graph, node, f"{prefix}{number}_")
            for x in node.inputs:
                for a in ends.get(id(x), ()):
                    for b in begin:
                        graph.edge(a, b)
            for x in node.outputs:
                ends[id(x)] = end
        last = [name for x in function.outputs for name in ends.get(id(x), ())]
        return first, last

    def _call(
        self, graph: Digraph, node: Node, name: str
    ) -> tuple[list[str], list[str]]:
        operation = node.operation
        if self._expand and isinstance(operation, Model):
            with graph.subgraph(name=f"cluster_{name}") as inner:
                # Lines enter in the middle, so the name stands at the side.
                inner.attr(label=operation.name, labeljust="l", style="rounded")
                return self.draw(inner, operation, name)
        name += getattr(operation, "name", "op")
        graph.node(name, self._label(operation, *node.outputs))
        return [name], [name]

    def _label(self, operation: Any, *outputs: KerasTensor | None) -> str:
        """Return the text in a box."""
        known = [x for x in outputs if x is not None]
        return "\n".join(self._lines(operation, known))

    def _lines(self, operation: Any, outputs: list[KerasTensor]) -> Iterator[str]:
        is_layer = isinstance(operation, Layer)
        kind = type(operation).__name__ if is_layer else getattr(operation, "name", "?")
        named = is_layer and self._shown["show_layer_names"]
        yield f"{operation.name} ({kind})" if named else kind
        activation = getattr(operation, "activation", None)
        if self._shown["show_layer_activations"] and activation is not None:
            yield f"activation: {getattr(activation, '__name__', activation)}"
        if self._shown["show_shapes"]:
            yield "output: " + (", ".join(str(x.shape) for x in outputs) or "?")
        if self._shown["show_dtype"] and outputs:
            yield "dtype: " + ", ".join(dict.fromkeys(x.dtype for x in outputs))
        if self._shown["show_trainable"] and is_layer and operation.weights:
            yield "trained" if operation.trainable else "not trained"


def _graph_of(model: Model) -> Any:
    """Return the graph of calls, None for models that are code."""
    if isinstance(model, Sequential):
        model = model._functional  # type: ignore[assignment]
    return model._graph if isinstance(model, Functional) else None
