"""The tester is tested: every way of being wrong is noticed where it should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polykeras.conformance import run
from polykeras.conformance.cases import all_cases
from tests.conformance._broken import ALL, CASES

OF_ONE_OP = [b for b in ALL if b.ops]


def test_there_are_many_ways_of_being_wrong() -> None:
    assert len({b.name for b in ALL}) == len(ALL) >= 25


@pytest.fixture
def quick_cases(monkeypatch) -> None:
    cases = {**all_cases(), **{case.op: case for case in CASES}}
    monkeypatch.setattr("polykeras.conformance._trials.all_cases", lambda: cases)


@pytest.mark.parametrize("broken", ALL, ids=lambda b: b.name)
def test_it_is_noticed(broken, quick_cases) -> None:
    _assert_noticed(broken, broken.make())


@pytest.mark.parametrize("broken", OF_ONE_OP, ids=lambda b: b.name)
def test_it_is_noticed_where_most_calls_are_compiled(broken, quick_cases) -> None:
    backend = broken.make()
    backend.capabilities = replace(backend.capabilities, eager=False)
    _assert_noticed(broken, backend)


def _assert_noticed(broken, backend) -> None:
    report = run(backend, sections=[broken.section], ops=broken.ops)
    assert report.failures, "nothing was noticed"
    said = [
        o.message for o in report.failures if o.case.startswith(broken.case or o.case)
    ]
    assert any(all(word in text for word in broken.words) for text in said), "\n".join(
        said[:5]
    )


def test_nothing_is_noticed_where_nothing_is_wrong(monkeypatch) -> None:
    cases = {case.op: case for case in CASES}
    monkeypatch.setattr("polykeras.conformance._trials.all_cases", lambda: cases)
    report = run("numpy", sections=sorted({b.section for b in ALL} - {"layers"}))
    assert report.failures == []
