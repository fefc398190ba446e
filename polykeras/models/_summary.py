"""`model.summary()`: the layers as a table."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from polykeras import dtypes, tree
from polykeras.errors import ArgumentError
from polykeras.utils.printing import make_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from polykeras.layers.layer import Layer
    from polykeras.models.model import Model
    from polykeras.variables import Variable

__all__ = ["print_summary", "summary_html"]


def print_summary(
    model: Model,
    *,
    line_length: int | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: tuple[str, str] | None = None,
) -> None:
    """Print the layers with output shapes and parameter counts; see `Model.summary`."""
    from rich.console import Console

    if line_length is not None and (
        not isinstance(line_length, int) or line_length < 1
    ):
        raise ArgumentError(
            f"line_length must be a positive number of characters, got {line_length!r}."
        )
    table = _table(model, line_length, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        _write(make_console(line_length), model, table)
        return
    buffer = io.StringIO()
    _write(Console(file=buffer, width=line_length, highlight=False), model, table)
    print_fn(buffer.getvalue())


def summary_html(model: Model) -> str:
    """Return the summary for a notebook."""
    from rich.console import Console

    console = Console(file=io.StringIO(), record=True, width=100, highlight=False)
    _write(console, model, _table(model, None, False, False, None))
    return console.export_html(inline_styles=True, code_format=_HTML)


_HTML = '<pre style="line-height: 1.2">{code}</pre>'


def _write(console: Console, model: Model, table: Table) -> None:
    from rich.markup import escape

    console.print(f'[bold]Model: "{escape(model.name)}"[/]')
    console.print(table)
    for line in _totals(model):
        console.print(line)


def _table(
    model: Model,
    line_length: int | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: tuple[str, str] | None,
) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(width=line_length)
    table.add_column("Layer (type)", overflow="fold")
    table.add_column("Output shape", overflow="fold")
    table.add_column("Param #", justify="right")
    connected = _is_branched(model)
    if connected:
        table.add_column("Connected to", overflow="fold")
    if show_trainable:
        table.add_column("Trainable")
    for depth, layer in _rows(model, expand_nested, layer_range):
        row = [
            escape(f"{'  ' * depth}{layer.name} ({type(layer).__name__})"),
            escape(_output_shape(layer)),
            f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
        ]
        if connected:
            row.append(escape(_producers(layer)))
        if show_trainable:
            row.append("yes" if layer.trainable else "no")
        table.add_row(*row)
    return table


def _rows(
    model: Model, expand: bool, layer_range: tuple[str, str] | None
) -> Iterator[tuple[int, Layer]]:
    layers = model.layers
    if layer_range is not None:
        names = [layer.name for layer in layers]
        first, last = layer_range
        if first not in names or last not in names:
            raise ArgumentError(
                f"layer_range={layer_range} must name layers of the model: {names}."
            )
        layers = layers[names.index(first) : names.index(last) + 1]
    yield from _expand(layers, expand, 0)


def _expand(
    layers: list[Layer], expand: bool, depth: int
) -> Iterator[tuple[int, Layer]]:
    for layer in layers:
        yield depth, layer
        if expand and hasattr(layer, "layers"):
            yield from _expand(layer.layers, expand, depth + 1)


def _output_shape(layer: Layer) -> str:
    shapes = [tuple(x.shape) for node in layer._inbound_nodes[:1] for x in node.outputs]
    if not shapes:
        return "?"
    return ", ".join(map(str, shapes))


def _producers(layer: Layer) -> str:
    names = [
        x.node.operation.name
        for node in layer._inbound_nodes
        for x in node.inputs
        if x.node is not None
    ]
    return ", ".join(names) or "-"


def _is_branched(model: Model) -> bool:
    graph = getattr(model, "_graph", None)
    if graph is None:
        return False
    return any(len(tree.flatten(node.args)) > 1 for node in graph.nodes) or (
        len(graph.inputs) + len(graph.outputs) > 2
    )


def _totals(model: Model) -> Iterator[str]:
    if not model.built:
        yield (
            "The model is not built: its parameters are not known yet. Call it on "
            "data, or start it with an Input."
        )
        return
    trained = model.trainable_weights
    other = model.non_trainable_weights
    slots = getattr(model, "optimizer", None)
    slot_variables = slots.variables if slots is not None else []
    yield _line("Total params", [*trained, *other])
    yield _line("Trainable params", trained)
    yield _line("Non-trainable params", other)
    if slot_variables:
        yield _line("Optimizer params", slot_variables)


def _line(label: str, variables: list[Variable]) -> str:
    count, size = 0, 0
    for v in variables:
        n = 1
        for s in v.shape:
            n *= s
        count += n
        size += n * dtypes.as_numpy_dtype(v.dtype).itemsize
    return f"{label}: {count:,} ({_bytes(size)})"


def _bytes(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""
