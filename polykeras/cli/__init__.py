"""The `polykeras` command."""

from __future__ import annotations

import typer

from polykeras.cli.backends import backends
from polykeras.cli.compare import app as compare
from polykeras.cli.conformance import conformance
from polykeras.cli.demo import demo
from polykeras.cli.inspect import inspect
from polykeras.cli.new_backend import new_backend

__all__ = ["app"]

app = typer.Typer(
    name="polykeras",
    help="One model, any array library underneath.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(backends)
app.add_typer(compare, name="compare")
app.command()(conformance)
app.command()(demo)
app.command()(inspect)
app.command()(new_backend)
