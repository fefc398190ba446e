"""`polykeras compare`: run one model on several engines, see where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from polykeras.errors import ArgumentError, PolykerasError

__all__ = ["app"]


class _ModelUnlessNamed(TyperGroup):
    """Reads ``compare FILE`` as ``compare model FILE``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the command in front where the first word is none."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["model", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ModelUnlessNamed,
    help="Where, and by how much, do two engines differ?",
    no_args_is_help=True,
)


@app.callback()
def _compare() -> None:
    """Compare models and ops on several engines."""


@app.command("model")
def model(
    source: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="script.py:function or a .keras file."),
    ],
    backends: Annotated[
        str, typer.Option(help="Engines, comma-separated; NAME or NAME:DTYPE.")
    ] = "",
    reference: Annotated[
        str, typer.Option(help="What errors are measured against.")
    ] = "numpy:float64",
    data: Annotated[
        Path | None, typer.Option(help="An .npz file with x and perhaps y.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Samples drawn where there is no data.")
    ] = 8,
    steps: Annotated[
        int | None, typer.Option(min=0, help="Training steps; 1 for compiled models.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and data.")] = 0,
    fail_over: Annotated[
        str, typer.Option(help="Fail only over e.g. 64ulp, or 1e-4 (relative).")
    ] = "",
    max_memory: Annotated[
        str, typer.Option(help="Of recorded outputs, e.g. 500M; the rest on disk.")
    ] = "",
    json: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
) -> None:
    """Compare a model; exit code 0: consistent, 1: not, 2: could not run."""
    from polykeras.compare import compare
    from polykeras.compare._assertion import beyond
    from polykeras.compare._sources import load_batch, model_from
    from polykeras.compare._store import bytes_of

    try:
        limit = _limit(fail_over) if fail_over else None
        x, y = (None, None) if data is None else load_batch(data)
        report = compare(
            model_from(source, seed),
            x,
            y,
            backends=[b.strip() for b in backends.split(",") if b.strip()] or None,
            reference=reference,
            steps=steps,
            batch_size=batch_size,
            seed=seed,
            max_memory=bytes_of(max_memory) if max_memory else None,
        )
    except PolykerasError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(str(report))
    if json is not None:
        report.write_json(json)
    if limit is not None:
        over = beyond(report, limit[0], ulp=limit[1])
        for item in over[:5]:
            typer.echo(f"Over {fail_over}: {item.sentence()}")
        raise typer.Exit(int(bool(over)))
    if not report.consistent:
        raise typer.Exit(1)


def _limit(text: str) -> tuple[float, bool]:
    """Return a limit and whether it is in units of the last place."""
    number = text.strip().lower()
    ulp = number.endswith("ulp")
    try:
        return float(number.removesuffix("ulp")), ulp
    except ValueError:
        raise ArgumentError(
            f"--fail-over takes units of the last place, such as 64ulp, or a relative "
            f"error, such as 1e-4; got {text!r}."
        ) from None
