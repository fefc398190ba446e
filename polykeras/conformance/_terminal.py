"""The scoreboard in the terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from polykeras.conformance._report import Report

__all__ = ["scoreboard"]

_WORST: Final = 10
_WIDTH: Final = 100


def scoreboard(report: Report, *, color: bool = False) -> str:
    """Return the tables of sections and of the errors nearest to their bounds.

    Args:
        report: What was found.
        color: Whether to use the terminal's colors.
    """
    from rich.console import Console
    from rich.table import Table

    text = StringIO()
    console = Console(file=text, width=_WIDTH, force_terminal=color, no_color=not color)
    sections = Table(title="cases")
    for column in ("backend", "section"):
        sections.add_column(column)
    for column in ("passed", "declared gap", "failed"):
        sections.add_column(column, justify="right")
    for (backend, section), counts in report.scoreboard().items():
        failed = str(counts["failed"] or "")
        sections.add_row(
            backend,
            section,
            str(counts["passed"]),
            str(counts["gap"] or ""),
            f"[red]{failed}[/]" if failed else "",
        )
    console.print(sections)
    if report.worst:
        errors = Table(title="largest errors, in units of the last place")
        for column in ("backend", "op", "dtype"):
            errors.add_column(column)
        for column in ("error", "bound"):
            errors.add_column(column, justify="right")
        for m in report.worst[:_WORST]:
            errors.add_row(m.backend, m.op, m.dtype, f"{m.ulp:.2f}", f"{m.bound:g}")
        console.print(errors)
    return text.getvalue()
