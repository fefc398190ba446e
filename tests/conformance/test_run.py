"""Running the suite: options, selection, gaps, reports, in and out of process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from polykeras.backend import ConformanceGap, get_backend
from polykeras.conformance import run
from polykeras.conformance._gaps import checkable, gap_of, gaps_of
from polykeras.conformance._settings import find_backend
from polykeras.errors import ArgumentError, BackendError, BackendNotFound
from polykeras_numpy.backend import NumpyBackend


@pytest.fixture(scope="module")
def report():
    return run("numpy", sections=["values", "gaps"], ops=["exp"])


def test_a_run_keeps_to_the_sections_and_ops_asked_for(report) -> None:
    assert report.passed
    assert {o.section for o in report.outcomes} == {"values", "gaps"}
    ops = {o.case.split("/")[1] for o in report.outcomes if o.section == "values"}
    assert ops == {"exp"}
    assert "values/exp/bfloat16/2x3" in {o.case for o in report.outcomes}


def test_errors_are_measured_by_op_and_dtype(report) -> None:
    found = {(m.op, m.dtype): m for m in report.worst}
    assert {"float32", "float64", "bfloat16", "float16"} <= {d for _, d in found}
    m = found["exp", "float32"]
    assert 0 < m.ulp <= m.bound == 4
    assert 0 < m.share <= 1
    shares = [m.share for m in report.worst]
    assert shares == sorted(shares, reverse=True)


def test_the_seed_draws_other_values(report) -> None:
    other = run("numpy", sections=["values"], ops=["exp"], seed=1)
    errors = [{m.dtype: m.ulp for m in r.worst} for r in (report, other)]
    assert errors[0] != errors[1]


def test_a_backend_may_be_an_object_or_a_place() -> None:
    for backend in (NumpyBackend(), "polykeras_numpy.backend:NumpyBackend"):
        report = run(backend, sections=["values"], ops=["sqrt"])
        assert report.passed
        assert report.backends == ["numpy"]


def test_the_trials_of_an_op_follow_one_another() -> None:
    report = run("numpy", sections=["determinism", "values"], ops=["exp", "sqrt"])
    done = [(o.case.split("/")[1], o.section) for o in report.outcomes]
    assert [op for op, _ in groupby(done, key=lambda d: d[0])] == ["exp", "sqrt"]
    assert {section for _, section in done} == {"determinism", "values"}


def test_compiled_programs_are_released_now_and_then(monkeypatch) -> None:
    released = []

    class Compiling(NumpyBackend):
        def release_programs(self):
            released.append(True)

    monkeypatch.setattr("polykeras.conformance.plugin._Economy.EVERY", 4)
    report = run(Compiling(), sections=["values"], ops=["exp"])
    assert len(released) == len(report.outcomes) // 4 > 0


@pytest.mark.parametrize(
    "name, kind, words",
    [
        ("nompy", BackendNotFound, "numpy"),
        ("polykeras_numpy.backend:Nothing", BackendError, "Nothing"),
        ("no_such_module:backend", BackendError, "no_such_module"),
        ("math:pi", BackendError, "float"),
    ],
)
def test_an_unknown_backend_is_named(name, kind, words) -> None:
    with pytest.raises(kind, match=words):
        find_backend(name)


def test_an_unknown_section_is_named_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="values"):
        run("numpy", sections=["valeus"])


class Wrong(NumpyBackend):
    def own_kernels(self):
        table = dict(super().own_kernels())
        table["sqrt"] = table["exp"]
        return table


class Stretched(NumpyBackend):
    """Fails in every sample, empty ones included."""

    def own_kernels(self):
        table = dict(super().own_kernels())
        sqrt = table["sqrt"]
        table["sqrt"] = lambda x: sqrt(x)[None]
        return table


def declared(monkeypatch, *gaps: ConformanceGap) -> None:
    monkeypatch.setattr("polykeras.conformance.plugin.gaps_of", lambda b: list(gaps))


def test_a_declared_gap_is_no_failure(monkeypatch) -> None:
    gap = ConformanceGap("values/sqrt/*", "never", "it is exp", AssertionError)
    declared(monkeypatch, gap)
    report = run(Stretched(), sections=["values", "gaps"], ops=["sqrt"])
    assert report.passed
    assert {o.state for o in report.outcomes if o.section == "values"} == {"gap"}
    (found,) = {(o.kind, o.message) for o in report.outcomes if o.state == "gap"}
    assert found == ("never", "it is exp")


def test_a_declared_gap_that_passes_fails(monkeypatch) -> None:
    gap = ConformanceGap("values/exp/*/2x3", "upstream", "weak", AssertionError)
    declared(monkeypatch, gap)
    report = run("numpy", sections=["values"], ops=["exp"])
    assert {o.case.split("/")[-1] for o in report.failures} == {"2x3"}
    assert "declared as a gap, but passes: weak" in report.failures[0].message


def test_a_gap_with_another_error_than_declared_fails(monkeypatch) -> None:
    declared(monkeypatch, ConformanceGap("values/sqrt/*", "never", "no", KeyError))
    report = run(Stretched(), sections=["values"], ops=["sqrt"])
    assert report.failures == report.outcomes


def test_a_gap_about_nothing_fails(monkeypatch) -> None:
    gaps = [
        ConformanceGap("gaps/nothing/*", "never", "no", KeyError),
        ConformanceGap("values/*", "never", "not in this run", KeyError),
    ]
    declared(monkeypatch, *gaps)
    report = run("numpy", sections=["gaps"])
    assert [o.case for o in report.failures] == ["gaps"]
    assert "gaps/nothing/*" in report.failures[0].message
    assert "values/*" not in report.failures[0].message


def test_patterns_must_match_only_what_is_run() -> None:
    gaps = [
        ConformanceGap(pattern, "never", "so it is", KeyError)
        for pattern in ("values/exp/*", "*/uint64/*")
    ]
    assert checkable(gaps, (), ()) == gaps
    assert checkable(gaps, ("values",), ()) == gaps[:1]
    assert checkable(gaps, ("dtypes",), ()) == []
    assert checkable(gaps, (), ("exp",)) == []
    assert gap_of(gaps, "values/exp/float32/2x3") is gaps[0]
    assert gap_of(gaps, "errors/sort/uint64/3") is gaps[1]
    assert gap_of(gaps, "errors/exp/float32/3") is None


def test_own_backends_have_no_gap_that_is_only_missing() -> None:
    for name in ("numpy", "torch", "jax"):
        try:
            backend = get_backend(name)
        except BackendError:
            continue
        assert all(gap.kind != "not yet" for gap in gaps_of(backend))


def test_reports_are_written(report, tmp_path) -> None:
    for kind in ("json", "html", "badge"):
        report.write(kind, tmp_path / "out" / kind)
    data = json.loads((tmp_path / "out" / "json").read_text())
    assert data["format"] == 1
    assert data["environment"]["backends"]["numpy"]["autodiff"] == "tape"
    assert {row["section"] for row in data["sections"]} == {"values", "gaps"}
    assert sum(row["passed"] for row in data["sections"]) == len(report.outcomes)
    assert {"op", "dtype", "backend", "ulp", "bound", "case"} == set(data["errors"][0])
    page = (tmp_path / "out" / "html").read_text()
    assert "values/exp/bfloat16/2x3" in page
    assert "http" not in page.replace("http-equiv", "")
    badge = (tmp_path / "out" / "badge").read_text()
    assert f"{len(report.outcomes)} passed" in badge


def test_failures_stand_in_every_report(tmp_path) -> None:
    report = run(Wrong(), sections=["values"], ops=["sqrt"])
    assert not report.passed
    message = report.failures[0].message
    for words in ("sqrt/float32/2x3", "ULP of float32", "allowed 1"):
        assert words in message
    report.write("html", tmp_path / "page.html")
    assert "sqrt/float32/2x3" in (tmp_path / "page.html").read_text()
    report.write("badge", tmp_path / "badge.svg")
    good = len(report.outcomes) - len(report.failures)
    assert f"{good}/{len(report.outcomes)}" in (tmp_path / "badge.svg").read_text()


def suite(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )


def test_the_suite_runs_from_any_folder_and_in_processes(tmp_path) -> None:
    done = suite(
        *("--pyargs", "polykeras.conformance", "--backend", "numpy", "-n", "2"),
        *("--sections", "values,gaps", "--conformance-json", "result.json"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert "polykeras conformance" in done.stdout
    data = json.loads((tmp_path / "result.json").read_text())
    assert data["failures"] == []
    assert {m["op"] for m in data["errors"]} >= {"exp", "sqrt"}


def test_other_projects_keep_their_options(tmp_path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser): parser.addoption('--backend')\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it(pytestconfig):\n"
        "    assert pytestconfig.getoption('--backend') == 'mine'\n"
        "    assert 'polykeras.conformance' not in sys.modules\n"
    )
    done = suite("--backend=mine", folder=tmp_path)
    assert done.returncode == 0, done.stdout


def test_unknown_names_on_the_command_line_are_usage_errors(tmp_path) -> None:
    done = suite(
        "--pyargs", "polykeras.conformance", "--backend", "nompy", folder=tmp_path
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nompy" in done.stderr


def test_an_exhaustive_run_holds_the_default_one() -> None:
    short, long = (
        {
            outcome.case
            for outcome in run(
                "numpy", sections=["values", "layouts"], ops=["exp"], exhaustive=more
            ).outcomes
        }
        for more in (False, True)
    )
    assert short < long
    assert {case for case in long - short if "reversed" in case}


def test_gaps_may_be_about_an_exhaustive_run_only(monkeypatch) -> None:
    kinds = [("values/exp/*/wide", "x"), ("values/exp/*/narrow", "x")]
    declared(monkeypatch, *(ConformanceGap(p, "never", r, KeyError) for p, r in kinds))
    report = run("numpy", sections=["gaps", "values"], ops=[])
    message = next(o.message for o in report.failures if o.section == "gaps")
    assert "narrow" in message
    assert "wide" not in message
