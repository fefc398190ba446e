"""`polykeras conformance`: run the suite on a backend and show the scoreboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polykeras.errors import PolykerasError

__all__ = ["conformance"]

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
) -> None:
    """Run the conformance suite; the exit code is 1 where a case fails."""
    from importlib.util import find_spec

    from rich.console import Console  # only where something is shown

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        typer.echo(
            f"The suite needs {', '.join(missing)}. Install it with: "
            "pip install 'polykeras[conformance]'",
            err=True,
        )
        raise typer.Exit(2)
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
