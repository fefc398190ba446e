"""The report as one self-contained HTML page, and as a badge."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from polykeras.pages import embedded, render

if TYPE_CHECKING:
    from polykeras.conformance._report import Report

__all__ = ["badge", "page"]


def page(report: Report) -> str:
    """Return the report as a page that needs no other file and no network."""
    data = report.as_dict()
    counts = report.scoreboard()
    sections = list(dict.fromkeys(section for _, section in counts))
    rows = [
        (section, [counts.get((b, section), Counter()) for b in report.backends])
        for section in sections
    ]
    errors = embedded(data["errors"])
    return render(
        "conformance.html.j2",
        data=data,
        backends=report.backends,
        rows=rows,
        errors=errors,
        report=report,
    )


def badge(report: Report) -> str:
    """Return an SVG that says how many cases passed."""
    states = Counter(o.state for o in report.outcomes)
    good, all_of_them = states["passed"], len(report.outcomes)
    value = f"{good}/{all_of_them}" if report.failures else f"{good} passed"
    if states["gap"] and not report.failures:
        value += f", {states['gap']} gaps"
    return render(
        "badge.svg.j2",
        label="conformance",
        value=value,
        color="#c0392b" if report.failures else "#2e7d32",
    )
