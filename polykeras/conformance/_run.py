"""`run`: the suite in this process, and its result as an object."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from polykeras.backend import Backend, get_backend
from polykeras.conformance._report import Report
from polykeras.conformance._settings import SECTIONS_FOLDER, Settings, find_backend
from polykeras.errors import PolykerasError

if TYPE_CHECKING:
    import pytest

__all__ = ["run"]


def run(
    backend: str | Backend | Sequence[str | Backend],
    *,
    sections: Sequence[str] = (),
    ops: Sequence[str] = (),
    seed: int = 0,
    exhaustive: bool = False,
    workers: int = 0,
    quiet: bool = True,
) -> Report:
    """Run the conformance suite and return what it found.

    Args:
        backend: A name, ``"module:attribute"``, a `Backend`, or several of these.
        sections: Names of sections; by default all.
        ops: Names of ops to which sections about ops keep; by default all.
        seed: Of the values of samples.
        exhaustive: Whether to run every combination.
        workers: Number of processes, where backends are given by name; 0 for this one.
        quiet: Whether to print nothing.

    Returns:
        The outcome of each case, and the largest error of each op and dtype.

    Raises:
        ArgumentError: If a section does not exist.
        BackendError: If a backend cannot be loaded.

    >>> report = run("numpy", sections=["values"], ops=["sqrt"])
    >>> report.passed
    True
    >>> report.require()
    """
    import pytest

    from polykeras.conformance import plugin

    chosen = [backend] if isinstance(backend, str | Backend) else list(backend)
    settings = Settings(
        tuple(
            find_backend(b) if isinstance(b, str) else get_backend(b) for b in chosen
        ),
        tuple(sections),
        tuple(ops),
        seed,
        exhaustive,
    )
    taken = _Taken(settings)
    said = StringIO()
    with contextlib.redirect_stdout(said) if quiet else contextlib.nullcontext():
        code = pytest.main(
            _arguments(settings, chosen, workers), plugins=[plugin, taken]
        )
    if code not in (
        0,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        raise PolykerasError(f"The suite could not be run. {said.getvalue()[-2000:]}")
    return taken.report


def _arguments(
    settings: Settings, chosen: Sequence[str | Backend], workers: int
) -> list[str]:
    files = [str(SECTIONS_FOLDER / f"test_{name}.py") for name in settings.sections]
    said = [
        *(files or [str(SECTIONS_FOLDER)]),
        # No settings of a project in whose folder this happens to run.
        *("-c", os.devnull, "--rootdir", str(SECTIONS_FOLDER.parent)),
        *("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:doctest"),
        *("--tb", "no", "-q", "--no-header", "--no-summary"),
    ]
    if workers:
        said += ["-n", str(workers), "-p", "polykeras.conformance.plugin"]
        said += [f"--backend={name}" for name in chosen]
        said += [f"--sections={','.join(settings.sections)}"]
        said += [f"--ops={','.join(settings.ops)}", f"--seed={settings.seed}"]
        said += ["--exhaustive"] if settings.exhaustive else []
    else:
        said += ["--capture=no", "-p", "no:xdist"]
    return said


class _Taken:
    """A plugin that hands the settings in and the report out."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.report = Report()

    def pytest_configure(self, config: pytest.Config) -> None:
        from polykeras.conformance.plugin import REPORT, SETTINGS

        config.stash[SETTINGS] = self.settings
        config.stash[REPORT] = self.report
