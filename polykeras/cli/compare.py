"""`polykeras compare`: run one model on several engines, see where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from polykeras.errors import ArgumentError, PolykerasError

if TYPE_CHECKING:
    from polykeras.compare import Report

__all__ = ["app"]


def _in_a_folder(path: Path | None) -> Path | None:
    """Refuse a file that could not be written, before there is something to write."""
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {path.parent}. Make it first.")
    return path


_Json = Annotated[
    Path | None,
    typer.Option(
        help="Write the report as JSON.", callback=_in_a_folder, dir_okay=False
    ),
]
_Html = Annotated[
    Path | None,
    typer.Option(
        help="Write the report as one page, with pictures.",
        callback=_in_a_folder,
        dir_okay=False,
    ),
]
_Dump = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="The file, .pkd.", callback=_in_a_folder, dir_okay=False
    ),
]


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
        str, typer.Option(help="Engines, comma-separated: NAME@DEVICE:DTYPE.")
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
        str, typer.Option(help="Of what is recorded, e.g. 500M; the rest on disk.")
    ] = "",
    bisect: Annotated[
        bool, typer.Option("--bisect", help="Find the smallest guilty set of ops.")
    ] = False,
    json: _Json = None,
    html: _Html = None,
) -> None:
    """Compare a model; exit code 0: consistent, 1: not, 2: could not run."""
    from polykeras.compare import compare
    from polykeras.compare._assertion import beyond
    from polykeras.compare._bisect import bisect as bisect_outputs
    from polykeras.compare._bisect import bisect_gradients
    from polykeras.compare._engines import engine_named
    from polykeras.compare._modes import why_missing
    from polykeras.compare._run import Comparison
    from polykeras.compare._sources import load_batch, model_from
    from polykeras.compare._store import bytes_of

    with _errors_said():
        limit = _limit(fail_over) if fail_over else None
        x, y = (None, None) if data is None else load_batch(data)
        made = model_from(source, seed)
        report = compare(
            made,
            x,
            y,
            backends=_listed(backends) if backends else None,
            reference=reference,
            steps=steps,
            batch_size=batch_size,
            seed=seed,
            max_memory=bytes_of(max_memory) if max_memory else None,
        )
        if bisect:
            comparison = Comparison(made, x, y, reference, batch_size, seed)
            for name in report.engines:
                engine = engine_named(name)
                if why_missing(engine):
                    continue
                ops = bisect_outputs(comparison, engine)
                typer.echo(f"{name}: {_guilty(ops, 'outputs')}")
                if report.gradients:
                    ops = bisect_gradients(comparison, engine)
                    typer.echo(f"{name}: {_guilty(ops, 'gradients')}")
    if limit is not None:
        _show(report, json, html)
        over = beyond(report, limit[0], ulp=limit[1])
        for item in over[:5]:
            typer.echo(f"Over {fail_over}: {item.sentence()}")
        raise typer.Exit(int(bool(over)))
    _finish(report, json, html)


def _limit(text: str) -> tuple[float, bool]:
    """Return a limit and whether it is in units of the last place."""
    number = text.strip().lower()
    ulp = number.endswith("ulp")
    try:
        limit = float(number.removesuffix("ulp"))
    except ValueError:
        limit = -1.0
    if not limit >= 0:
        raise ArgumentError(
            f"--fail-over takes units of the last place, such as 64ulp, or a relative "
            f"error, such as 1e-4; got {text!r}."
        )
    return limit, ulp


@app.command()
def dump(
    source: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="script.py:function or a .keras file."),
    ],
    output: _Dump,
    backend: Annotated[
        str, typer.Option(help="The engine; by default the one chosen for the process.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="An .npz file with x and perhaps y.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples drawn.")] = 8,
    steps: Annotated[int, typer.Option(min=0, help="Training steps.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and data.")] = 0,
) -> None:
    """Write what one engine gives to a file, to be compared on another machine."""
    from polykeras.backend import current_backend
    from polykeras.compare._engines import engine_named
    from polykeras.compare._run import Comparison
    from polykeras.compare._sources import load_batch, model_from

    with _errors_said():
        x, y = (None, None) if data is None else load_batch(data)
        comparison = Comparison(
            model_from(source, seed), x, y, "numpy:float64", batch_size, seed
        )
        found = comparison.dump(engine_named(backend or current_backend()), steps)
        found.write(output)
    typer.echo(f"Wrote {output}: {len(found.entries)} arrays of {found.engine}")


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(help="A dump.")],
    second: Annotated[Path, typer.Argument(help="Another, of the same model.")],
    json: _Json = None,
    html: _Html = None,
) -> None:
    """Compare two dumps; exit code 0: consistent, 1: not, 2: not readable."""
    from polykeras.compare._dump import Dump
    from polykeras.compare._dump import diff as compared

    with _errors_said():
        report = compared(Dump.read(first), Dump.read(second))
    _finish(report, json, html)


@app.command()
def op(
    name: Annotated[str, typer.Argument(help="An op of polykeras.ops, or conv2d.")],
    backends: Annotated[str, typer.Option(help="Engines, comma-separated.")] = "",
    shapes: Annotated[
        str, typer.Option(help="One a tensor, e.g. 2x3,3x4; by default several.")
    ] = "",
    dtypes: Annotated[str, typer.Option(help="Comma-separated.")] = "float32",
    seed: Annotated[int, typer.Option(min=0, help="Of the values.")] = 0,
    json: _Json = None,
    html: _Html = None,
) -> None:
    """Compare one op over a grid of calls and dtypes; exit codes as for a model."""
    from polykeras.compare._op import compare_op, shapes_of

    with _errors_said():
        try:
            report = compare_op(
                name,
                backends=_listed(backends) if backends else None,
                shapes=shapes_of(shapes) if shapes else (),
                dtypes_tried=_listed(dtypes),
                seed=seed,
            )
        except ModuleNotFoundError as error:
            raise PolykerasError(
                f"{error}. The sample calls come from the conformance suite: "
                "pip install 'polykeras[conformance]'"
            ) from error
    _finish(report, json, html)


@contextmanager
def _errors_said() -> Iterator[None]:
    """Print an error in the block as one line, and exit with 2."""
    try:
        yield
    except PolykerasError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(2) from None


def _guilty(ops: list[str] | None, what: str) -> str:
    if ops is None:
        return f"no set of ops explains the difference of the {what}"
    if not ops:
        return f"the {what} are right as they are"
    return f"the {what} are right once the reference runs {', '.join(ops)}"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _show(report: Report, json: Path | None, html: Path | None) -> None:
    typer.echo(str(report))
    if json is not None:
        report.write_json(json)
    if html is not None:
        with _errors_said():
            report.write_html(html)


def _finish(report: Report, json: Path | None, html: Path | None) -> None:
    _show(report, json, html)
    if not report.compared:
        raise typer.Exit(2)
    if not report.consistent:
        raise typer.Exit(1)
