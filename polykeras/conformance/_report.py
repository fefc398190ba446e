"""`Report`: what a run of the suite found, as data, a table, a page and a badge."""

from __future__ import annotations

import json
import math
import platform
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    import pytest

    from polykeras.conformance._settings import Settings

__all__ = ["FORMAT_VERSION", "Measured", "Outcome", "Report", "environment_of"]

FORMAT_VERSION: Final = 1
State = Literal["passed", "gap", "failed", "skipped"]
STATES: Final[tuple[State, ...]] = ("passed", "gap", "failed", "skipped")


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Args:
        backend: The name of the backend.
        section: The section.
        case: The id, as patterns of gaps match it.
        state: A declared gap that failed as declared is ``"gap"``; one that passed
            is ``"failed"``.
        message: What went wrong; the reason of a gap.
        kind: The kind of a gap.
        seconds: How long the test took.
    """

    backend: str
    section: str
    case: str
    state: State
    message: str = ""
    kind: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Measured:
    """The largest error of an op in a dtype on a backend.

    Args:
        backend: The name of the backend.
        op: The name of the op.
        dtype: The tested dtype.
        ulp: The error in units of the last place.
        bound: What is allowed.
        case: The case in which it arose.
    """

    backend: str
    op: str
    dtype: str
    ulp: float
    bound: float
    case: str

    @property
    def share(self) -> float:
        """The error as a part of its bound; above 1 it is too large."""
        if not self.ulp:
            return 0.0
        return self.ulp / self.bound if self.bound else math.inf


@dataclass
class Report:
    """What a run of the suite found.

    Attributes:
        outcomes: One for each case that was run.
        environment: Versions, seed, and what else reproduces the run.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    _worst: dict[tuple[str, str, str], Measured] = field(default_factory=dict)

    @property
    def failures(self) -> list[Outcome]:
        """The cases that failed, or passed though they were declared as gaps."""
        return [o for o in self.outcomes if o.state == "failed"]

    @property
    def passed(self) -> bool:
        """Whether something was run and nothing failed."""
        return bool(self.outcomes) and not self.failures

    def require(self, shown: int = 20) -> None:
        """Raise an error that names what failed; for tests of a plugin.

        Args:
            shown: How many of the failures are described.

        Raises:
            AssertionError: If a case failed, or none was run.
        """
        if self.passed:
            return
        failures = self.failures
        lines = [f"{o.backend} {o.case}\n    {o.message}" for o in failures[:shown]]
        if len(failures) > shown:
            lines.append(f"and {len(failures) - shown} more")
        count = f"{len(failures)} of {len(self.outcomes)} cases failed"
        raise AssertionError("\n".join([count, *lines]))

    @property
    def backends(self) -> list[str]:
        """The names of the backends, in the order of the run."""
        return list(dict.fromkeys(o.backend for o in self.outcomes))

    @property
    def worst(self) -> list[Measured]:
        """The largest error of each op and dtype, the closest to its bound first."""
        return sorted(
            self._worst.values(),
            key=lambda m: (-m.share, -m.ulp, m.op, m.dtype, m.backend),
        )

    def scoreboard(self) -> dict[tuple[str, str], Counter[str]]:
        """Return how many cases of each backend and section are in each state."""
        table: dict[tuple[str, str], Counter[str]] = {}
        for o in sorted(self.outcomes, key=lambda o: (o.backend, o.section)):
            table.setdefault((o.backend, o.section), Counter())[o.state] += 1
        return table

    def add(self, said: dict[str, Any], report: pytest.TestReport) -> None:
        """Take up a part of a test.

        Args:
            said: What the plugin noted about the case.
            report: What pytest found: the call, or a setup or teardown gone wrong.
        """
        if report.when != "call" and report.passed:
            return
        name, case = said["backend"], said["case"]
        state, message = _state_and_message(report)
        if report.when == "teardown":
            self.outcomes = [o for o in self.outcomes if o.case != case]
        self.outcomes.append(
            Outcome(
                name,
                said["section"],
                case,
                state,
                message,
                said["kind"],
                report.duration,
            )
        )
        for key, value in report.user_properties:
            if key == "measure":
                self._note(name, case, value)

    def _note(self, backend: str, case: str, measured: Any) -> None:
        op, dtype, ulp, bound = measured
        found = Measured(backend, op, dtype, float(ulp), float(bound), case)
        known = self._worst.get((backend, op, dtype))
        if known is None or found.share > known.share:
            self._worst[backend, op, dtype] = found

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data; docs/conformance.md describes it."""
        return {
            "format": FORMAT_VERSION,
            "environment": self.environment,
            "sections": [
                {"backend": b, "section": s, **{k: counts[k] for k in STATES}}
                for (b, s), counts in self.scoreboard().items()
            ],
            "failures": [
                {"backend": o.backend, "case": o.case, "message": o.message}
                for o in self.failures
            ],
            "gaps": [
                {
                    "backend": o.backend,
                    "case": o.case,
                    "kind": o.kind,
                    "reason": o.message,
                }
                for o in self.outcomes
                if o.state == "gap"
            ],
            "errors": [
                {k: _finite(v) for k, v in asdict(m).items()} for m in self.worst
            ],
        }

    def write(self, kind: str, path: Path) -> None:
        """Write the report to a file.

        Args:
            kind: ``"json"``, ``"html"`` or ``"badge"`` (an SVG).
            path: The file, which is replaced.
        """
        from polykeras.conformance._page import badge, page

        if kind == "json":
            text = json.dumps(self.as_dict(), indent=1) + "\n"
        else:
            text = {"html": page, "badge": badge}[kind](self)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _finite(value: Any) -> Any:
    """Return a number that JSON has; infinite errors become None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _state_and_message(report: pytest.TestReport) -> tuple[State, str]:
    reason = getattr(report, "wasxfail", None)
    if report.skipped and reason is not None:
        return "gap", reason.removeprefix("reason: ")
    if report.passed:
        return "passed", ""
    text = report.longrepr
    if report.skipped:
        return "skipped", str(text[2]) if isinstance(text, tuple) else str(text)
    crash = getattr(text, "reprcrash", None)
    message = str(crash.message if crash else text)
    if message.startswith("[XPASS(strict)]"):
        message = f"declared as a gap, but passes: {message[15:].strip()}"
    return "failed", message.removeprefix("AssertionError: ")


def environment_of(settings: Settings) -> dict[str, Any]:
    """Return what reproduces a run: versions, backends, seed."""
    from importlib.metadata import version

    return {
        "polykeras": version("polykeras"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "backends": {
            b.name: {
                "library": b.library_version(),
                "autodiff": b.capabilities.autodiff,
                "compile": b.capabilities.compile,
            }
            for b in settings.backends
        },
        "seed": settings.seed,
        "exhaustive": settings.exhaustive,
        "sections": list(settings.sections),
        "ops": list(settings.ops),
    }
