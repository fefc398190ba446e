"""`polykeras inspect`: what a file holds, without loading it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from polykeras.errors import PolykerasError

__all__ = ["inspect"]


def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            help="A file of a model, of weights or of a comparison; or checkpoints."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print plain data.")] = False,
) -> None:
    """Show what a file or a folder of checkpoints holds, without loading it."""
    from polykeras import saving  # loads what configs may name

    try:
        found = saving.inspect_file(file)
    except PolykerasError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

    # Names come from the file: they are shown as they are, never as markup.
    console = Console(markup=False, highlight=False)
    console.print(
        f"{found['path']}: {found['kind']}, {_size(found['bytes'])}, "
        f"{found['parameters']:,} parameters"
    )
    for name, value in found["written_by"].items():
        console.print(f"  {_plain(name)}: {_plain(value)}")
    for name, value in found["details"].items():
        several = isinstance(value, list) and all(isinstance(v, dict) for v in value)
        console.print(f"{_plain(name)}: {'' if several else _listed(value)}")
        for one in value if several else ():
            console.print(f"  {_listed(one)}")
    if found["model"] is not None:
        tree = Tree(Text(_title(found["model"])))
        _grow(tree, found["model"])
        console.print(tree)
    if found["training"]:
        console.print("Compiled with:")
        for name, value in found["training"].items():
            console.print(f"  {_plain(name)}: {_short(value)}")
    table = Table("Array", "Shape", "Dtype", "Bytes")
    for w in found["weights"]:
        shape = str(tuple(w["shape"]))
        table.add_row(Text(_plain(w["path"])), shape, w["dtype"], f"{w['bytes']:,}")
    console.print(table)
    for text in found["warnings"]:
        console.print(f"Warning: {_plain(text)}")


def _grow(tree: Any, layer: dict[str, Any]) -> None:
    from rich.text import Text

    for inner in layer.get("layers", ()):
        _grow(tree.add(Text(_title(inner))), inner)


def _title(layer: dict[str, Any]) -> str:
    return f"{_plain(layer['name'])} ({_plain(layer['class'])})"


def _short(value: Any) -> str:
    if isinstance(value, dict) and "class_name" in value:
        return _plain(value["class_name"])
    return _plain(value)


def _listed(value: Any) -> str:
    """Return plain data without the brackets around it."""
    if isinstance(value, dict):
        return ", ".join(f"{_plain(k)} {_listed(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_listed(v) for v in value) or "none"
    return _plain(value)


def _plain(value: Any) -> str:
    """Return text without control characters, which could write to the terminal."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= 200 else f"{text[:200]}..."


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    power = min(4, int(math.log(count, 1024)))
    return f"{count / 1024**power:.1f} {'KMGT'[power - 1]}iB"
