"""`polykeras conformance`: run the suite on a backend and show the scoreboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polykeras.errors import PolykerasError

__all__ = ["conformance", "require_suite"]

_NEEDED = ("pytest", "jinja2", "scipy")


def conformance(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Backend or module:attribute."),
    ],
    section: Annotated[
        list[str] | None, typer.Option(help="Run only this section; may be repeated.")
    ] = None,
    op: Annotated[
        list[str] | None, typer.Option(help="Run only this op; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of sample values.")] = 0,
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="Run every combination.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-n", min=0, help="Processes; 0 for this one.")
    ] = 0,
    json: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the result as a page.")
    ] = None,
    badge: Annotated[Path | None, typer.Option(help="Write an SVG badge.")] = None,
    todo: Annotated[
        bool, typer.Option("--todo", help="List the primitives to write; run nothing.")
    ] = False,
) -> None:
    """Run the conformance suite; the exit code is 1 where a case fails."""
    from rich.console import Console  # only where something is shown

    require_suite()
    if todo:
        _show_todo(names)
        return
    from polykeras.conformance import run
    from polykeras.conformance._terminal import scoreboard

    try:
        report = run(
            names,
            sections=section or (),
            ops=op or (),
            seed=seed,
            exhaustive=exhaustive,
            workers=workers,
        )
    except PolykerasError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for failure in report.failures:
        typer.echo(f"FAILED {failure.backend} {failure.case}\n  {failure.message}\n")
    console = Console()
    typer.echo(scoreboard(report, color=console.is_terminal))
    for kind, path in (("json", json), ("html", html), ("badge", badge)):
        if path is not None:
            report.write(kind, path)
    if not report.passed:
        raise typer.Exit(1)


def require_suite() -> None:
    """Say what the suite needs and is not installed, and exit."""
    from importlib.util import find_spec

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        typer.echo(
            f"The suite needs {', '.join(missing)}. Install it with: "
            "pip install 'polykeras[conformance]'",
            err=True,
        )
        raise typer.Exit(2)


def _show_todo(names: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from polykeras.conformance import find_backend, todo

    console = Console()
    for name in names:
        try:
            found = todo(find_backend(name))
        except PolykerasError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        if found.missing:
            table = Table(title=f"{name}: primitives to write, in this order")
            for heading in ("kernel", "needed by", "what it does"):
                table.add_column(heading, overflow="fold")
            for lacking in found.missing:
                p = lacking.primitive
                call = f"{p.name}({', '.join(p.parameters)})"
                table.add_row(call, f"{len(lacking.needed_by)} ops", p.contract)
            console.print(table)
        written = found.primitives - len(found.missing)
        console.print(
            f"{name}: {written} of {found.primitives} primitives are written; "
            f"{len(found.runnable)} of {found.ops} ops can run "
            f"({100 * found.coverage:.0f} %).",
            highlight=False,
        )
