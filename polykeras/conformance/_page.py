"""The report as one self-contained HTML page, and as a badge."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.conformance._report import Report

__all__ = ["badge", "page"]


def _template(name: str) -> Any:
    from jinja2 import Environment, StrictUndefined

    text = files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
    settings = Environment(autoescape=True, undefined=StrictUndefined)
    return settings.from_string(text)


def page(report: Report) -> str:
    """Return the report as a page that needs no other file and no network."""
    data = report.as_dict()
    counts = report.scoreboard()
    sections = list(dict.fromkeys(section for _, section in counts))
    rows = [
        (section, [counts.get((b, section), Counter()) for b in report.backends])
        for section in sections
    ]
    # "<" would end the script element that holds the data.
    errors = json.dumps(data["errors"]).replace("<", "\\u003c")
    text: str = _template("report.html.j2").render(
        data=data, backends=report.backends, rows=rows, errors=errors, report=report
    )
    return text


def badge(report: Report) -> str:
    """Return an SVG that says how many cases passed."""
    states = Counter(o.state for o in report.outcomes)
    good, all_of_them = states["passed"], len(report.outcomes)
    value = f"{good}/{all_of_them}" if report.failures else f"{good} passed"
    if states["gap"] and not report.failures:
        value += f", {states['gap']} gaps"
    text: str = _template("badge.svg.j2").render(
        label="conformance",
        value=value,
        color="#c0392b" if report.failures else "#2e7d32",
    )
    return text
