"""Write the parts of the documentation that are generated.

``python docs/generate.py spi`` writes ``spi.md`` from docstrings;
``python docs/generate.py conformance`` runs the suite on every installed backend and
puts the scoreboard into ``conformance.md``;
``python docs/generate.py compare`` compares every example model on every installed
backend and puts the table into ``compare.md``.
"""

from __future__ import annotations

import inspect
import re
import sys
import time
from pathlib import Path
from typing import Any

import polykeras
from polykeras.backend import (
    SPI_VERSION,
    Backend,
    BackendSpec,
    Capabilities,
    ConformanceGap,
)
from polykeras.backend._spec import HookSpecs

DOCS = Path(__file__).parent
SECTION = re.compile(r"^(Args|Returns|Raises|Attributes|Yields):$")
ENTRY = re.compile(r"^    (\*{0,2}[\w, *]+): (.*)$")
MARKED = re.compile(r"(<!-- scoreboard -->\n).*(<!-- end -->)", re.DOTALL)
EXAMPLES = re.compile(r"(<!-- examples -->\n).*(<!-- end -->)", re.DOTALL)

INTRODUCTION = """\
# The plugin interface

<!-- Written by `python docs/generate.py spi` from docstrings. -->

This is version {version} of the interface between polykeras and the packages that
supply backends, kernels and their conformance gaps. All of it is in
`polykeras.backend`. [Architecture](architecture.md) says how the parts meet,
[conformance](conformance.md) how a backend is tested.

## Versions

A plugin states in `BackendSpec.spi_version` the version it was written for. It is
loaded if the major number is equal and the minor number is not later than that of the
installed polykeras; otherwise loading it raises `IncompatibleBackend`, naming both.

- The minor number grows when something is added that plugins may use: a hook, a method
  with a default, a field with a default. Older plugins keep working.
- The major number grows when plugins have to change: a method without a default,
  another signature, another meaning, one more primitive. The change log says what.
- Names that begin with an underscore are no part of the interface.

| polykeras | interface | loads plugins for |
| --- | --- | --- |
| {polykeras} | {version} | {first} to {version} |

## Hooks

A plugin is a module registered as an entry point in the group `polykeras`, whose
functions are marked with `polykeras.backend.hookimpl`.
"""


def docstring(of: Any) -> str:
    """Return a Google-style docstring as Markdown."""
    lines, inside, out = (inspect.getdoc(of) or "").splitlines(), "", []
    for line in lines:
        heading, entry = SECTION.match(line), ENTRY.match(line)
        if heading:
            inside = heading[1]
            out.append(f"*{inside}*\n")
        elif inside and entry and inside != "Returns":
            names = ", ".join(f"`{n.strip()}`" for n in entry[1].split(","))
            out.append(f"- {names}: {entry[2]}")
        elif inside and line.startswith("    "):
            listed = inside != "Returns"
            out.append(f"  {line.strip()}" if listed else line.strip())
        else:
            inside = "" if line.strip() else inside
            out.append(line)
    text = "\n".join(out).replace("``", "`")
    return re.sub(r"\n{3,}", "\n\n", text)


def signature(name: str, fn: Any) -> str:
    """Return a call as a reader writes it, without annotations and self."""
    parameters = [
        p.replace(annotation=p.empty)
        for p in inspect.signature(fn).parameters.values()
        if p.name != "self"
    ]
    said = inspect.Signature(parameters)
    return f"`{name}{said}`"


def methods(cls: type) -> list[tuple[str, Any]]:
    """Return the public methods of a class, as they stand in its source."""
    return [
        (name, member)
        for name, member in vars(cls).items()
        if callable(member) and not name.startswith("_")
    ]


def spi() -> str:
    """Return the page of the plugin interface."""
    version = ".".join(map(str, SPI_VERSION))
    parts = [
        INTRODUCTION.format(
            version=version,
            first=f"{SPI_VERSION[0]}.0",
            polykeras=polykeras.__version__,
        )
    ]
    for name, hook in methods(HookSpecs):
        parts += [f"### {signature(name, hook)}", docstring(hook)]
    for cls in (BackendSpec, ConformanceGap):
        parts += [f"### `{cls.__name__}`", docstring(cls)]
    parts += ["## `Backend`", docstring(Backend)]
    for name, method in methods(Backend):
        mark = " (required)" if getattr(method, "__isabstractmethod__", False) else ""
        parts += [f"### {signature(name, method)}{mark}", docstring(method)]
    parts += ["## `Capabilities`", docstring(Capabilities)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def scoreboard() -> str:
    """Run the suite on each installed backend and return the results as tables."""
    from polykeras.conformance import run
    from polykeras.conformance._settings import usable_backends

    reports, minutes = {}, {}
    for name in [backend.name for backend in usable_backends()]:
        started = time.perf_counter()
        reports[name] = run(name, workers=2)
        minutes[name] = (time.perf_counter() - started) / 60
    libraries = ", ".join(
        f"{name} {report.environment['backends'][name]['library']}"
        for name, report in reports.items()
    )
    counts = {name: report.scoreboard() for name, report in reports.items()}
    sections = dict.fromkeys(s for name in counts for _, s in counts[name])
    rows = [
        [section, *(_cell(counts[name].get((name, section))) for name in reports)]
        for section in sorted(sections)
    ]
    rows.append(["*minutes*", *(f"*{minutes[name]:.1f}*" for name in reports)])
    worst = sorted(
        (m for report in reports.values() for m in report.worst),
        key=lambda m: (-m.share, -m.ulp, m.op, m.dtype, m.backend),
    )
    nearest = [
        f"| {m.op} | {m.backend} | {m.dtype} | {m.ulp:.2f} | {m.bound:g} |"
        for m in worst[:15]
    ]
    head = f"| section | {' | '.join(reports)} |\n| --- |{' ---: |' * len(reports)}\n"
    return (
        f"polykeras {polykeras.__version__}, {libraries}, two workers on two cores:"
        f"\n\n{head}"
        + "".join(f"| {' | '.join(row)} |\n" for row in rows)
        + "\nThe errors nearest to their bounds, in ULP:\n\n"
        "| op | backend | dtype | error | bound |\n| --- | --- | --- | ---: | ---: |\n"
        + "\n".join(nearest)
        + "\n"
    )


def _cell(counts: Any) -> str:
    if counts is None:
        return ""
    said = [f"{counts['passed']}"]
    said += [f"{counts['gap']} declared"] if counts["gap"] else []
    said += [f"**{counts['failed']} failed**"] if counts["failed"] else []
    return ", ".join(said)


def main(what: str) -> None:
    """Write one page."""
    if what == "spi":
        (DOCS / "spi.md").write_text(spi(), encoding="utf-8")
    elif what == "conformance":
        path = DOCS / "conformance.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(
            MARKED.sub(lambda m: m[1] + scoreboard() + m[2], text), encoding="utf-8"
        )
    elif what == "compare":
        from compare_examples import table  # beside this file

        path = DOCS / "compare.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(
            EXAMPLES.sub(lambda m: m[1] + table() + m[2], text), encoding="utf-8"
        )
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:2] or [""])
