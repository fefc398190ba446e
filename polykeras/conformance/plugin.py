"""The pytest plugin: ``pytest --pyargs polykeras.conformance --backend NAME``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from polykeras.backend import Backend
    from polykeras.conformance._case import Trial
    from polykeras.conformance._checks import Measure

DEFAULT_SEED: Final = 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("polykeras", "polykeras conformance")
    group.addoption("--backend", help="name of the backend to test")
    group.addoption("--ops", default="", help="only these ops, separated by commas")
    group.addoption("--seed", type=int, default=DEFAULT_SEED, help="of sample values")
    group.addoption("--exhaustive", action="store_true", help="every combination")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the suite's marks."""
    config.addinivalue_line("markers", "section(name): the part of the suite")
    config.addinivalue_line("markers", "trials(which): run for each op, call and dtype")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that ask for a trial on each op, sample and dtype."""
    mark = metafunc.definition.get_closest_marker("trials")
    if mark is None or "trial" not in metafunc.fixturenames:
        return
    trials = list(_trials(metafunc.config, all_dtypes=mark.args == ("all dtypes",)))
    metafunc.parametrize("trial", trials, ids=str)


def _trials(config: pytest.Config, *, all_dtypes: bool) -> Iterator[Trial]:
    from polykeras.conformance._case import Trial
    from polykeras.conformance.cases import all_cases

    chosen = [name for name in config.getoption("ops").split(",") if name]
    seed: int = config.getoption("seed")
    for name, case in all_cases().items():
        if chosen and name not in chosen:
            continue
        for sample in case.samples:
            for dtype in case.dtypes if all_dtypes else case.dtypes[:1]:
                yield Trial(case, sample, dtype, seed)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The backend under test, active for the test."""
    from polykeras.backend import get_backend, use_backend

    with use_backend(get_backend(request.config.getoption("backend"))) as chosen:
        yield chosen


@pytest.fixture
def measure(record_property: Any) -> Measure:
    """Note an error and its bound for the report."""

    def note(op: str, dtype: str, error: float, bound: float) -> None:
        record_property("measure", (op, dtype, error, bound))

    return note
