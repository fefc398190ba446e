"""The report as text: a short table with the worst first, and one sentence."""

from __future__ import annotations

from polykeras.compare._measures import VERDICTS
from polykeras.compare._report import Item, Report
from polykeras.compare._training import Track

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
    if any(len(track.losses) > 1 for track in report.trajectory):
        lines += ["", *map(_track, report.trajectory)]
    for item in report.items:
        if item.verdict == "not comparable":
            lines.append(f"Not comparable: {item.sentence()}")
    first = report.first_divergence
    lines.append("")
    parted = [track for track in report.trajectory if track.parted is not None]
    if first is None and parted:
        lines.append(
            f"First divergence: the weights on {parted[0].engine} part from the "
            f"reference's at step {parted[0].parted}."
        )
    elif first is None:
        lines.append("Consistent: rounding explains every difference.")
    else:
        lines.append(f"First divergence: {first.sentence().rstrip('.')}.")
    return "\n".join(lines)


def _track(track: Track) -> str:
    parts = "never" if track.parted is None else f"at step {track.parted}"
    return (
        f"  {track.engine:<16} {len(track.losses)} steps: loss {track.losses[-1]:.6g} "
        f"(reference {track.reference_losses[-1]:.6g}); weights apart by "
        f"{track.distances[-1]:.2e}, rounding explains {track.bounds[-1]:.2e}, one ULP "
        f"at the start explains {track.explained:.0%}; parts {parts}"
    )


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
