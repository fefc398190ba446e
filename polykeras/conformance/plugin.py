"""The suite's pytest plugin: ``pytest --pyargs polykeras.conformance --backend NAME``.

It parametrizes the tests of the sections by backend, op, dtype and sample, gives each
case its id, marks declared gaps as strict expected failures, and collects results.
Tests outside the folder of sections are left alone.
"""

from __future__ import annotations

import fnmatch
import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from polykeras import dtype_policies
from polykeras.backend import Backend, use_backend
from polykeras.conformance._gaps import checkable, gap_of, gaps_of
from polykeras.conformance._report import Report, environment_of
from polykeras.conformance._settings import (
    SECTIONS_FOLDER,
    Settings,
    find_backend,
    usable_backends,
)
from polykeras.conformance._trials import trials_of
from polykeras.errors import PolykerasError

if TYPE_CHECKING:
    from polykeras.conformance._checks import Measure

SETTINGS: Final = pytest.StashKey[Settings]()
UNMATCHED: Final = pytest.StashKey[dict[str, list[str]]]()
CHOICES: Final = pytest.StashKey[dict[str, Any]]()
REPORT: Final = pytest.StashKey[Report]()
PROPERTY: Final = "conformance"
"""Name of the property under which a test's results carry its case to the report."""


# -- options ---------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options; where another plugin has one, its value is read."""
    group = parser.getgroup("polykeras", "polykeras conformance")

    def add(name: str, **settings: Any) -> None:
        try:
            group.addoption(name, **settings)
        except ValueError:
            return

    add(
        "--backend",
        action="append",
        metavar="NAME",
        help="backend to test, or module:attribute of one; default: all installed",
    )
    add("--sections", default="", metavar="A,B", help="run only these sections")
    add("--ops", default="", metavar="A,B", help="run only the cases of these ops")
    add("--seed", type=int, default=0, help="seed of the values of samples")
    add("--exhaustive", action="store_true", help="run every combination")
    for kind in ("json", "html", "badge"):
        add(f"--conformance-{kind}", metavar="FILE", help=f"write the {kind} report")


def _listed(config: pytest.Config, name: str) -> tuple[str, ...]:
    said = config.getoption(name, default=None) or ""
    parts = said if isinstance(said, list) else said.split(",")
    return tuple(part.strip() for part in parts if part.strip())


def settings_of(config: pytest.Config) -> Settings:
    """Return what the run was asked to test; backends are loaded on first use."""
    if SETTINGS not in config.stash:
        names = _listed(config, "backend")
        try:
            backends = tuple(map(find_backend, names)) if names else usable_backends()
            config.stash[SETTINGS] = Settings(
                backends,
                _listed(config, "sections"),
                _listed(config, "ops"),
                config.getoption("seed", default=None) or 0,
                bool(config.getoption("exhaustive", default=False)),
            )
        except PolykerasError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[SETTINGS]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the suite's mark, check the options, and prepare the report."""
    config.addinivalue_line(
        "markers", "trials(of): run for what the function `of` gives for each op's case"
    )
    config.addinivalue_line("markers", "exhaustive: run with --exhaustive only")
    config.addinivalue_line(
        "markers",
        "in_declared_dtypes: run where the backend has the dtypes needed",
    )
    if _listed(config, "backend") or _listed(config, "sections"):
        settings_of(config)
    config.stash.setdefault(REPORT, Report())
    config.pluginmanager.register(_Recorder(config), "polykeras-conformance-recorder")
    config.pluginmanager.register(_Economy(), "polykeras-conformance-economy")


# -- collection ------------------------------------------------------------------


def _section(path: Path) -> str | None:
    if path.parent != SECTIONS_FOLDER:
        return None
    return path.stem.removeprefix("test_")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of sections that were not asked for."""
    section = _section(collection_path)
    if section is None or not collection_path.name.startswith("test_"):
        return None
    chosen = _listed(config, "sections")
    return True if chosen and section not in chosen else None


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a section's tests on each backend, and for each trial where they ask it."""
    if _section(metafunc.definition.path) is None:
        return
    settings = settings_of(metafunc.config)
    mark = metafunc.definition.get_closest_marker("trials")
    if mark is None:
        if "backend" in metafunc.fixturenames:
            ids = [b.name for b in settings.backends]
            metafunc.parametrize("backend", settings.backends, ids=ids, indirect=True)
        return
    choices = metafunc.config.stash.setdefault(CHOICES, {})
    choices[_case_id(metafunc.definition, "")] = mark.kwargs["of"]
    rows = [
        pytest.param(backend, trial, id=f"{backend.name}-{trial}")
        for backend in settings.backends
        for trial in trials_of(mark.kwargs["of"], backend, settings)
    ]
    metafunc.parametrize(("backend", "trial"), rows, indirect=["backend"])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Give each case its id and mark the declared gaps, before any is deselected."""
    # No op of the run has what the section checks: pytest would call that a skip.
    items[:] = [item for item in items if not _is_empty(item)]
    items[:] = [item for item in items if _has_dtypes(item)]
    gaps: dict[str, Any] = {}
    matched: set[tuple[str, str]] = set()
    for item in items:
        section = _section(item.path)
        spec = getattr(item, "callspec", None)
        backend = spec.params.get("backend") if spec else None
        if section is None or spec is None or not isinstance(backend, Backend):
            continue
        case = _case_id(item, spec.id.removeprefix(backend.name)[1:])
        trial = spec.params.get("trial")
        if backend.name not in gaps:
            gaps[backend.name] = gaps_of(backend)
        gap = gap_of(gaps[backend.name], case)
        matched |= {
            (backend.name, g.pattern)
            for g in gaps[backend.name]
            if gap_of([g], case) is not None
        }
        if gap is not None:
            item.add_marker(
                pytest.mark.xfail(reason=gap.reason, raises=gap.error, strict=True)
            )
        said = {
            "backend": backend.name,
            "section": section,
            "case": case,
            "op": trial.case.op if trial else "",
            "dtype": trial.dtype if trial else "",
            "kind": gap.kind if gap else "",
        }
        item.user_properties.append((PROPERTY, said))
    if not gaps:
        return
    settings = settings_of(config)
    if not settings.exhaustive:
        left_out = [i for i in items if i.get_closest_marker("exhaustive")]
        items[:] = [i for i in items if not i.get_closest_marker("exhaustive")]
        config.hook.pytest_deselected(items=left_out)
    config.stash[UNMATCHED] = {
        name: [
            gap.pattern
            for gap in checkable(declared, settings.sections, settings.ops)
            if (name, gap.pattern) not in matched
        ]
        for name, declared in gaps.items()
    }


def _is_empty(item: pytest.Item) -> bool:
    spec = getattr(item, "callspec", None)
    if _section(item.path) is None or spec is None:
        return False
    return "backend" in spec.params and not isinstance(spec.params["backend"], Backend)


def _has_dtypes(item: pytest.Item) -> bool:
    """Return whether the backend declares the dtypes of the test's case or policy."""
    spec = getattr(item, "callspec", None)
    if spec is None or item.get_closest_marker("in_declared_dtypes") is None:
        return True
    backend: Backend = spec.params["backend"]
    if "case" in spec.params:
        return spec.params["case"].dtype in backend.capabilities.dtypes
    policy = dtype_policies.get(spec.params.get("policy") or spec.params["dtype"])
    needed = {policy.compute_dtype, policy.variable_dtype}
    return needed <= backend.capabilities.dtypes


def _case_id(item: Any, parameters: str) -> str:
    section = _section(item.path) or ""
    name = (getattr(item, "originalname", None) or item.name).removeprefix("test_")
    parts = [section, "" if name == section else name, parameters]
    return "/".join(part for part in parts if part)


# -- fixtures --------------------------------------------------------------------


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The backend under test, active for the test."""
    with use_backend(request.param) as chosen:
        yield chosen


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """What the run was asked to test."""
    return settings_of(request.config)


@pytest.fixture
def measure(record_property: Any) -> Measure:
    """Note an error and its bound for the report."""

    def note(op: str, dtype: str, error: float, bound: float) -> None:
        record_property("measure", (op, dtype, error, bound))

    return note


@pytest.fixture
def unmatched_gaps(request: pytest.FixtureRequest, backend: Backend) -> list[str]:
    """The patterns of declared gaps that match no case, of an exhaustive run even."""
    stash = request.config.stash
    unmatched = stash[UNMATCHED].get(backend.name, [])
    settings = replace(settings_of(request.config), exhaustive=True)
    if unmatched and CHOICES in stash:
        known = [
            f"{test}/{trial}"
            for test, choice in stash[CHOICES].items()
            for trial in trials_of(choice, backend, settings)
        ]
        # Further parameters of a test follow the trial after a hyphen.
        unmatched = [
            pattern
            for pattern in unmatched
            if not fnmatch.filter(known, pattern)
            and not fnmatch.filter(known, pattern.rpartition("-")[0])
        ]
    return unmatched


# -- economy ---------------------------------------------------------------------


class _Economy:
    """Spares libraries that compile work done twice, and programs kept for nothing."""

    EVERY: Final = 2000
    """Tests after which programs are released; each leaves half a MB of them."""

    def __init__(self) -> None:
        self.tests = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Iterator[None]:
        """Keep an op's trials together, in whatever order other plugins leave them.

        Workers take tests in stretches, so that one of them compiles what the sections
        share, and still has it when it comes to the next.
        """
        yield
        first: dict[Any, int] = {}
        places = [first.setdefault(_shared(item), i) for i, item in enumerate(items)]
        order = sorted(range(len(items)), key=places.__getitem__)
        items[:] = [items[i] for i in order]

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Release programs now and then."""
        if _section(item.path) is None:
            return
        self.tests += 1
        if self.tests % self.EVERY == 0:
            for backend in settings_of(item.config).backends:
                backend.release_programs()
            gc.collect()


def _shared(item: pytest.Item) -> Any:
    """Return what the item's programs have in common with those of other items."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    trial = parameters.get("trial")
    return (parameters["backend"].name, trial.case.op) if trial else item


# -- results ---------------------------------------------------------------------


class _Recorder:
    """Takes up the results of each case, those of xdist's workers included."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.report = config.stash[REPORT]
        self.is_worker = hasattr(config, "workerinput")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        said = dict(report.user_properties).get(PROPERTY)
        if isinstance(said, dict) and not self.is_worker:
            self.report.add(said, report)

    def pytest_sessionfinish(self) -> None:
        if self.is_worker or not self.report.outcomes:
            return
        settings = settings_of(self.config)
        self.report.environment = environment_of(settings)
        for kind in ("json", "html", "badge"):
            path = self.config.getoption(f"--conformance-{kind}", default=None)
            if path:
                self.report.write(kind, Path(path))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.report.outcomes and not self.is_worker:
            from polykeras.conformance._terminal import scoreboard

            terminalreporter.section("polykeras conformance")
            terminalreporter.write(scoreboard(self.report))
