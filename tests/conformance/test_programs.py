"""Calls in compiled functions, on libraries that run well only so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polykeras.conformance import run
from polykeras.conformance._programs import compiles
from polykeras.conformance._settings import Settings
from polykeras.conformance._trials import every_dtype, trials_of
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


@pytest.mark.parametrize(
    "section, shape, case",
    [
        ("layouts", (33,), "layouts/shapes/logaddexp/float32/2x3,2x3-33"),
        ("axes", (1, 1), "axes/broadcasting/logaddexp/float32/2x3,2x3-1x1,2x3"),
    ],
)
def test_the_one_that_fails_fails_alone(section, shape, case) -> None:
    class Failing(Compiling):
        def own_kernels(self):
            table = dict(super().own_kernels())
            right = table["logaddexp"]

            def kernel(x, y):
                if x.shape == shape:
                    raise ShapeError(f"no such shape: {shape}")
                return right(x, y)

            table["logaddexp"] = kernel
            return table

    report = run(Failing(), sections=[section], ops=["logaddexp"])
    assert [o.case for o in report.failures] == [case]
    assert "no such shape" in report.failures[0].message


def test_a_dtype_that_fails_fails_alone() -> None:
    class Failing(Compiling):
        def own_kernels(self):
            table = dict(super().own_kernels())
            right = table["exp"]

            def kernel(x):
                if x.dtype.name == "bfloat16":
                    raise ShapeError("no such dtype")
                return right(x)

            table["exp"] = kernel
            return table

    report = run(Failing(), sections=["edge_cases"], ops=["exp"])
    cases = [o.case for o in report.failures if "special_values" in o.case]
    assert cases == ["edge_cases/special_values/exp/bfloat16/2x3"]
