"""The report as one self-contained HTML page, with pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from polykeras.compare._graph import placed
from polykeras.compare._measures import SUSPICIOUS, VERDICTS
from polykeras.pages import embedded, render

if TYPE_CHECKING:
    from polykeras.compare._report import Item, Report

__all__ = ["page"]

_WIDTH: Final = 196
_HEIGHT: Final = 46
_GAP: Final = 26
_LONGEST: Final = 26
# Decades of the error in units of its bound: below a millionth, up to a million.
_DECADES: Final = range(-6, 7)
_PLOT: Final = (420, 180)
_CURVES: Final = 6


def page(report: Report) -> str:
    """Return the report as a page that needs no other file and no network."""
    kinds = dict.fromkeys(item.kind for item in report.items)
    counts = [
        (engine, kind, found, [found.get(v, 0) for v in VERDICTS])
        for engine in report.engines
        for kind in kinds
        if (found := report.counts(engine, kind))
    ]
    return render(
        "comparison.html.j2",
        report=report,
        verdicts=VERDICTS,
        counts=counts,
        first=_first(report),
        graph=_graph(report),
        histograms=[(e, _histogram(report, e)) for e in report.engines],
        curves=_curves(report),
        along_time=_along_time(report),
        parted=[t for t in report.trajectory if len(t.losses) > 1],
        environment=_flat(report.environment),
        rows=embedded([_row(item) for item in report.items]),
        kinds=list(kinds),
        modes=list(dict.fromkeys(item.mode for item in report.items)),
        pairs=[item for item in report.worst_pairs() if item.error is not None],
    )


def _first(report: Report) -> str:
    first = report.first_divergence
    if first is not None:
        return f"First divergence: {first.sentence().rstrip('.')}."
    for track in report.trajectory:
        if track.parted is not None:
            return (
                f"First divergence: the weights on {track.engine} part from the "
                f"reference's at step {track.parted}."
            )
    return "Consistent: rounding explains every difference."


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _row(item: Item) -> dict[str, Any]:
    """Return what the table shows of an item; None stands for infinity."""
    error, bound = item.error, item.bound
    if item.local is not None:
        error, bound = item.local, item.local_bound
    shown: dict[str, Any] = {
        "kind": item.kind,
        "name": item.name,
        "cls": item.cls,
        "engine": item.engine,
        "mode": item.mode,
        "dtype": item.dtype,
        "shape": "×".join(map(str, item.shape)),
        "verdict": item.verdict,
        "excess": _finite(item.excess),
        "bound": _finite(bound),
        "said": item.sentence(),
    }
    if error is not None:
        shown |= {
            "max_abs": _finite(error.max_abs),
            "max_rel": _finite(error.max_rel),
            "ulp": _finite(error.ulp),
            "sqnr": _finite(error.sqnr),
            "cosine": _finite(error.cosine),
            "accumulated": _finite(item.error.max_abs) if item.error else None,
        }
    return shown


@dataclass(frozen=True)
class _Box:
    """A call in the picture of the graph."""

    name: str
    label: str
    x: int
    y: int
    shade: str
    title: str
    note: str


def _shade(items: Sequence[Item]) -> str:
    """Return the class of colour of a box: how near the worst error is to its bound."""
    worst = max(items, key=lambda item: VERDICTS.index(item.verdict)).verdict
    if worst in ("wrong", "suspicious"):
        return worst
    if all(item.verdict == "not comparable" for item in items):
        return "missing"
    largest = max(item.excess for item in items)
    if not largest:
        return "identical"
    return "near" if largest > 1 / SUSPICIOUS else "rounding"


def _graph(report: Report) -> dict[str, Any] | None:
    """Return the boxes and arrows of the calls of layers."""
    calls: dict[str, list[Item]] = {}
    for item in report.layers:
        calls.setdefault(item.name, []).append(item)
    names = list(calls)
    ends = {name for pair in report.edges for name in pair}
    if ends:
        # The graph shows what feeds what; calls inside of its calls are in the table.
        names = [name for name in names if name in ends]
    if not names:
        return None
    boxes: dict[str, _Box] = {}
    for place in placed(names, report.edges):
        items = calls[place.name]
        worst = max(items, key=lambda item: (not item.consistent, item.excess))
        short = place.name.rpartition("/")[2]
        boxes[place.name] = _Box(
            name=place.name,
            label=short if len(short) <= _LONGEST else f"{short[: _LONGEST - 1]}…",
            x=place.column * (_WIDTH + _GAP),
            y=place.row * (_HEIGHT + _GAP),
            shade=_shade(items),
            title="\n".join(item.sentence() for item in items),
            note=_note(worst),
        )
    arrows = [
        (boxes[a].x + _WIDTH / 2, boxes[a].y + _HEIGHT, boxes[b].x + _WIDTH / 2, b_y)
        for a, b in report.edges
        if a in boxes and b in boxes
        for b_y in (boxes[b].y,)
    ]
    return {
        "boxes": list(boxes.values()),
        "arrows": arrows,
        "width": max(box.x for box in boxes.values()) + _WIDTH,
        "height": max(box.y for box in boxes.values()) + _HEIGHT,
        "box": (_WIDTH, _HEIGHT),
    }


def _note(item: Item) -> str:
    if item.error is None:
        return "not comparable"
    if not item.excess:
        return "identical bits"
    if math.isinf(item.excess):
        return f"NaN or infinite on {item.engine}"
    return f"{item.excess:.2g} × its bound, {item.engine}"


def _histogram(report: Report, engine: str) -> list[tuple[str, int, float, str]]:
    """Return label, count, share of the largest and colour of each decade."""
    counts = dict.fromkeys(_DECADES, 0)
    same = 0
    for item in report.items:
        if item.engine != engine or item.error is None:
            continue
        if not item.excess:
            same += 1
            continue
        big = math.isinf(item.excess)
        decade = _DECADES[-1] if big else math.floor(math.log10(item.excess))
        counts[min(max(decade, _DECADES[0]), _DECADES[-1])] += 1
    bars = [("0", same, "identical")]
    bars += [
        (f"1e{decade}", n, "wrong" if decade >= 0 else "rounding")
        for decade, n in counts.items()
    ]
    tallest = max(n for _, n, _ in bars) or 1
    return [(label, n, n / tallest, shade) for label, n, shade in bars]


def _curves(report: Report) -> list[dict[str, Any]]:
    """Return the pictures of training runs of more than one step."""
    tracks = [track for track in report.trajectory if len(track.losses) > 1]
    if not tracks:
        return []
    losses = [("reference", tracks[0].reference_losses)]
    losses += [(track.engine, track.losses) for track in tracks]
    plots = [_plot("Loss", losses, logarithmic=False)]
    for track in tracks:
        plots.append(
            _plot(
                f"Distance of the weights, {track.engine}",
                [
                    ("from the reference", track.distances),
                    ("that rounding explains", track.bounds),
                    ("after one ULP at the start", track.yardstick),
                ],
                logarithmic=True,
            )
        )
    return plots


def _along_time(report: Report) -> list[dict[str, Any]]:
    """Return the pictures of recurrent layers, the worst first."""
    found = [(item, item.curve) for item in report.items if item.curve is not None]
    found.sort(key=lambda pair: -pair[0].excess)
    return [
        _plot(
            f"{item.name} on {item.engine}",
            [
                ("error", curve.errors),
                ("that rounding explains", curve.bounds),
                ("error of the cell by itself", curve.local_errors),
            ],
            logarithmic=True,
        )
        for item, curve in found[:_CURVES]
    ]


def _plot(
    title: str, lines: Sequence[tuple[str, Sequence[float]]], *, logarithmic: bool
) -> dict[str, Any]:
    """Return a line plot: its lines as points of an SVG, and the ends of its axes."""

    def seen(values: Iterable[float]) -> list[float | None]:
        usable = (v if math.isfinite(v) else None for v in values)
        if not logarithmic:
            return list(usable)
        return [math.log10(v) if v else None for v in usable]

    scaled = [(name, seen(values)) for name, values in lines]
    known = [v for _, values in scaled for v in values if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    reach = (high - low) or 1.0
    width, height = _PLOT
    steps = max(len(values) for _, values in lines)

    def point(i: int, v: float) -> str:
        x = width * i / max(steps - 1, 1)
        return f"{x:.1f},{height - height * (v - low) / reach:.1f}"

    return {
        "title": title,
        "size": _PLOT,
        "lines": [
            (name, " ".join(point(i, v) for i, v in enumerate(vs) if v is not None))
            for name, vs in scaled
        ],
        "ends": [f"{10**v if logarithmic else v:.3g}" for v in (low, high)],
        "steps": steps,
    }


def _flat(environment: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in environment.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}, ")
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows
