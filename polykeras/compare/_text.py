"""The report as text: a short table with the worst first, and one sentence."""

from __future__ import annotations

from polykeras.compare._measures import VERDICTS
from polykeras.compare._report import Item, Report

__all__ = ["text_of"]

_ROWS = 10


def text_of(report: Report, rows: int = _ROWS) -> str:
    """Return the report as text.

    Args:
        report: The report.
        rows: The number of items shown.
    """
    lines = [
        f"{report.model}: {', '.join(report.engines)} against {report.reference}",
        "",
    ]
    for engine in report.engines:
        for kind in dict.fromkeys(item.kind for item in report.items):
            counts = report.counts(engine, kind)
            if counts:
                said = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if v in counts)
                lines.append(f"  {engine:<16} {kind:<9} {said}")
    shown = sorted(report.items, key=lambda item: -item.excess)[:rows]
    shown = [item for item in shown if item.error is not None]
    if shown:
        lines += ["", *_table(shown)]
    for item in report.items:
        if item.verdict == "not comparable":
            lines.append(f"Not comparable: {item.sentence()}")
    first = report.first_divergence
    lines.append("")
    if first is None:
        lines.append("Consistent: rounding explains every difference.")
    else:
        lines.append(f"First divergence: {first.sentence()}.")
    return "\n".join(lines)


def _table(items: list[Item]) -> list[str]:
    rows = [
        ("what", "engine", "mode", "error", "bound", "ULP", "SQNR dB", "verdict"),
        *(_row(item) for item in items),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(item: Item) -> tuple[str, ...]:
    error, bound = item.error, item.bound
    if item.local is not None:
        error, bound = item.local, item.local_bound
    assert error is not None  # `text_of` shows what was compared
    return (
        f"{item.kind} {item.name}",
        item.engine,
        item.mode,
        f"{error.max_abs:.2e}",
        f"{bound:.2e}",
        f"{error.ulp:.3g}",
        f"{error.sqnr:.0f}",
        item.verdict,
    )
