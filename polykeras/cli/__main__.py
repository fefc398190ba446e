"""Run the command as `python -m polykeras.cli`."""

from polykeras.cli import app

app()
