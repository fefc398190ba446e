"""Run the benchmarks, print their tables, write them as JSON.

Run ``python -m benchmarks``; ``--only tape import`` chooses, ``--keras-python PATH``
names an interpreter with Keras 3 to compare with, ``--json PATH`` the file, and
``--figure PATH`` a picture of memory over epochs (needs matplotlib).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._measure import machine, single_thread, versions
from benchmarks.race.devices import environment

__all__ = ["main", "report"]

Rows = list[dict[str, Any]]
_WIDTH = 120


def main() -> None:
    """Read the command line and run what it asks for."""
    single_thread()
    os.environ |= environment("cpu")
    from benchmarks.bench_memory import draw

    known = _benchmarks()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(known), default=None)
    parser.add_argument("--keras-python", default=None, metavar="PATH")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results.json"))
    parser.add_argument("--figure", type=Path, default=None)
    options = parser.parse_args()
    results = {
        name: (title, run(options.keras_python))
        for name, (title, run) in known.items()
        if options.only is None or name in options.only
    }
    if options.figure is not None and "memory" in results:
        draw(results["memory"][1], options.figure)
    report(results, options.json)


def report(results: dict[str, tuple[str, Rows]], path: Path) -> None:
    """Print the tables and write them to a file with the facts of the machine.

    Args:
        results: Name of a benchmark to the title of its table and its rows.
        path: Of the JSON file.
    """
    for title, rows in results.values():
        _show(title, rows)
    content = {
        "machine": machine(),
        "versions": versions(),
        "results": {name: rows for name, (_, rows) in results.items()},
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"Written to {path}.")


def _benchmarks() -> dict[str, tuple[str, Callable[[str | None], Rows]]]:
    # Not before the number of threads is settled.
    from benchmarks import (
        bench_compare,
        bench_dispatch,
        bench_feeding,
        bench_growth,
        bench_import,
        bench_memory,
        bench_race,
        bench_synchronization,
        bench_tape,
    )

    return {
        "compare": (
            "Comparing 50 layers on two engines against running them, CPU seconds",
            lambda peer: bench_compare.run(),
        ),
        "compare-command": (
            "polykeras compare against a script for each engine, CPU seconds",
            lambda peer: bench_compare.commands(),
        ),
        "dispatch": (
            "Dispatch of one op, nanoseconds of CPU time",
            lambda peer: bench_dispatch.run(keras_python=peer),
        ),
        "feeding": (
            "fit from a generator of ready batches against arrays, CPU time",
            lambda peer: bench_feeding.run(),
        ),
        "growth": (
            "Growth of a step, CPU time beside JAX by hand",
            lambda peer: bench_growth.steps(),
        ),
        "graphs": (
            "Growth of a graph, CPU time",
            lambda peer: bench_growth.graphs(),
        ),
        "import": (
            "Import into a new interpreter, CPU seconds",
            lambda peer: bench_import.run(keras_python=peer),
        ),
        "tape": (
            "A training step on NumPy against backpropagation by hand",
            lambda peer: bench_tape.run(),
        ),
        "memory": (
            "Resident memory over 50 epochs of fit, megabytes",
            lambda peer: bench_memory.run(),
        ),
        "race": (
            bench_race.title(),
            lambda peer: bench_race.run(keras_python=peer),
        ),
        "synchronization": (
            bench_synchronization.TITLE,
            lambda peer: bench_synchronization.run(),
        ),
    }


def _show(title: str, rows: Rows) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    names = [k for k, v in rows[0].items() if not isinstance(v, list)] if rows else []
    for name in names:
        table.add_column(name, justify="left" if name == names[0] else "right")
    for row in rows:
        table.add_row(*(_text(row.get(name)) for name in names))
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(table)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
