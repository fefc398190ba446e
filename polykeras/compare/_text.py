"""The report as text: a short table with the worst first, and one sentence."""

from __future__ import annotations

from html import escape

from polykeras.compare._measures import VERDICTS
from polykeras.compare._report import Item, Report
from polykeras.compare._training import Track

__all__ = ["text_of"]

_ROWS = 10
_MISSING = 3
_CURVES = 5
_HEAD = ("what", "engine", "mode", "error", "bound", "ULP", "SQNR dB", "verdict")


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
    width = max(map(len, report.engines))
    for engine in report.engines:
        for kind in dict.fromkeys(item.kind for item in report.items):
            counts = report.counts(engine, kind)
            if counts:
                said = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if v in counts)
                lines.append(f"  {engine:<{width}}  {kind:<8}  {said}")
    shown = sorted(report.items, key=lambda item: -item.excess)[:rows]
    shown = [item for item in shown if item.error is not None]
    if shown:
        lines += ["", *_table(shown)]
    for item in report.worst_pairs():
        if item.error is not None:
            lines.append(
                f"  {item.against} and {item.engine}: at most {item.error.max_abs:.2e} "
                f"apart at {item.name} ({item.mode}), bound {item.bound:.2e}"
            )
    curves = [item for item in report.items if item.curve is not None]
    for item in sorted(curves, key=lambda item: -item.excess)[:_CURVES]:
        lines.append(f"  {item.name} on {item.engine}: {item.curve}")
    if any(len(track.losses) > 1 for track in report.trajectory):
        lines += ["", *map(_track, report.trajectory)]
    lines += _not_comparable(report)
    first = report.first_divergence
    lines.append("")
    parted = [track for track in report.trajectory if track.parted is not None]
    if first is None and parted:
        lines.append(
            f"First divergence: the weights on {parted[0].engine} part from the "
            f"reference's at step {parted[0].parted}."
        )
    elif not report.compared:
        lines.append("Nothing could be compared.")
    elif first is None:
        lines.append("Consistent: rounding explains every difference.")
    else:
        lines.append(f"First divergence: {first.sentence().rstrip('.')}.")
    return "\n".join(lines)


def _not_comparable(report: Report) -> list[str]:
    missing = [item for item in report.items if item.verdict == "not comparable"]
    lines = [f"Not comparable: {item.sentence()}" for item in missing[:_MISSING]]
    if len(missing) > _MISSING:
        lines.append(f"Not comparable: {len(missing) - _MISSING} more")
    return lines


def html_of(report: Report, rows: int = _ROWS) -> str:
    """Return the report as a fragment of HTML for notebooks."""
    shown = sorted(report.items, key=lambda item: -item.excess)[:rows]
    shown = [item for item in shown if item.error is not None]
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(item)) + "</tr>"
        for item in shown
    )
    head = "".join(f"<th>{escape(cell)}</th>" for cell in _HEAD)
    first = report.first_divergence
    said = "Rounding explains every difference." if first is None else first.sentence()
    return (
        f"<div><p><b>{escape(report.model)}</b>: {escape(', '.join(report.engines))} "
        f"against {escape(report.reference)}. {escape(said)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _track(track: Track) -> str:
    parts = "never" if track.parted is None else f"at step {track.parted}"
    assert track.explained is not None  # there are several steps
    return (
        f"  {track.engine:<16} {len(track.losses)} steps: loss {track.losses[-1]:.6g} "
        f"(reference {track.reference_losses[-1]:.6g}); weights apart by "
        f"{track.distances[-1]:.2e}, rounding explains {track.bounds[-1]:.2e}, one ULP "
        f"at the start explains {track.explained:.0%}; parts {parts}"
    )


def _table(items: list[Item]) -> list[str]:
    rows = [
        _HEAD,
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
