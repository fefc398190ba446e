"""Calls in compiled functions, on libraries that run well only so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polykeras.conformance import run
from polykeras.conformance._programs import compiles
from polykeras.conformance._settings import Settings
from polykeras.conformance._trials import every_dtype, trials_of
from polykeras.conformance.cases import all_cases
from polykeras.errors import ShapeError
from polykeras_numpy.backend import NumpyBackend


class Compiling(NumpyBackend):
    """NumPy as a library that compiles, and counts its programs."""

    capabilities = replace(NumpyBackend.capabilities, eager=False)

    def __init__(self) -> None:
        super().__init__()
        self.name = "compiling"
        self.programs = 0

    def compile(self, fn, *, donate=()):
        self.programs += 1
        return super().compile(fn, donate=donate)


def test_what_runs_well_eagerly_is_not_compiled() -> None:
    assert compiles(Compiling())
    assert not compiles(NumpyBackend())


def test_eager_are_the_plainest_calls_of_kernels_and_of_ops() -> None:
    def eager(op: str, exhaustive: bool = False) -> set[tuple[str, str]]:
        settings = Settings((), ops=(op,), exhaustive=exhaustive)
        trials = list(trials_of(every_dtype, Compiling(), settings))
        assert any(t.compiled for t in trials) or op == "exp"
        return {(str(t.sample), t.dtype) for t in trials if not t.compiled}

    floats = ("float32", "float64", "bfloat16", "float16", "int32", "bool")
    assert eager("exp") == {("2x3", dtype) for dtype in floats}
    assert eager("softmax") == {("3x5", "float32")}
    assert {dtype for _, dtype in eager("softmax", True)} == {"float32"}
    assert len(eager("softmax", True)) > 1


def test_sections_share_the_programs_of_a_call() -> None:
    found = {}
    for sections in (["values"], ["values", "purity", "determinism"]):
        backend = Compiling()
        assert run(backend, sections=sections, ops=["softmax"]).passed
        found[len(sections)] = backend.programs
    assert found[1] == found[3] > 0


def test_calls_that_differ_in_shapes_share_one_program() -> None:
    backend = Compiling()
    report = run(backend, sections=["layouts", "axes"], ops=["logaddexp"])
    assert report.passed
    assert backend.programs == 2


def failing(op, fails):
    """Return a backend whose kernel raises for some first arguments."""

    class Failing(Compiling):
        def own_kernels(self):
            table = dict(super().own_kernels())
            right = table[op]

            def kernel(x, *rest):
                if fails(x):
                    raise ShapeError("not this one")
                return right(x, *rest)

            table[op] = kernel
            return table

    return Failing()


@pytest.mark.parametrize(
    "case, kernel, fails",
    [
        (
            "layouts/shapes/logaddexp/float32/2x3,2x3-33",
            "logaddexp",
            lambda x: x.shape == (33,),
        ),
        (
            "axes/broadcasting/logaddexp/float32/2x3,2x3-1x1,2x3",
            "logaddexp",
            lambda x: x.shape == (1, 1),
        ),
        (
            "dtypes/promotion/logaddexp/float32/2x3,2x3-float32,float64",
            "logaddexp",
            lambda x: x.dtype == "float64",
        ),
        (
            "edge_cases/special_values/exp/bfloat16/2x3",
            "exp",
            lambda x: x.dtype.name == "bfloat16" and x.size == 11,
        ),
        (
            "values/softmax/float16/3x5",
            "softmax",
            lambda x: x.dtype == "float16" and x.shape == (3, 5),
        ),
    ],
)
def test_the_one_that_fails_fails_alone(case, kernel, fails) -> None:
    section, *names = case.split("/")
    op = next(name for name in names if name in all_cases())
    report = run(failing(kernel, fails), sections=[section], ops=[op])
    assert [o.case for o in report.failures] == [case]
    assert "not this one" in report.failures[0].message


@pytest.mark.parametrize("section", ["dtypes", "values"])
def test_calls_in_every_dtype_share_two_programs(section) -> None:
    backend = Compiling()
    assert run(backend, sections=[section], ops=["logaddexp2"]).passed
    assert backend.programs == {"dtypes": 2, "values": 3 + 2}[section]
