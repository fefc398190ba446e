"""`polykeras new-backend` and `polykeras conformance --todo`."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from polykeras.backend import get_backend
from polykeras.cli import app
from polykeras.cli.new_backend import Base, write_package
from polykeras.conformance import find_backend, primitives, run, todo
from polykeras.errors import ArgumentError


def invoke(*args: str):
    return CliRunner().invoke(app, list(args))


@pytest.fixture
def importable(tmp_path, monkeypatch):
    """Make what is written to `tmp_path` importable, and forget it afterwards."""
    yield monkeypatch.syspath_prepend
    for name in [n for n in sys.modules if n.startswith("polykeras_kit_")]:
        del sys.modules[name]


def test_the_package_of_a_standard_namespace_runs_at_once(tmp_path, importable) -> None:
    library = "array_api_strict"
    pytest.importorskip(library)
    result = invoke(
        "new-backend", "kit-strict", "--library", library, "--into", str(tmp_path)
    )
    assert result.exit_code == 0, result.output
    folder = tmp_path / "polykeras-kit-strict"
    assert f"pip install -e '{folder}[test]'" in result.output.replace("\n", "")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["polykeras"] == {
        "kit-strict": "polykeras_kit_strict"
    }
    importable(folder)
    backend = find_backend("polykeras_kit_strict.backend:KitStrictBackend")
    assert todo(backend).missing == ()
    assert todo(backend).coverage == 1
    run(backend, sections=["contract", "values"], ops=["tanh"]).require()


def test_the_package_of_a_library_with_derivatives_says_what_is_missing(
    tmp_path, importable
) -> None:
    folder = write_package("kit-own", Base.AUTODIFF, "numpy", tmp_path)
    kernels = folder / "polykeras_kit_own" / "kernels.py"
    text = kernels.read_text()
    for primitive in primitives().values():
        if not primitive.has_default:
            assert f"def {primitive.name}" in text
    stub = 'def exp(x: Any) -> Any:\n    """Return e to the power of each value."""\n'
    assert f"@missing\n{stub}" in text
    filled = text.replace(f"@missing\n{stub}", f"@kernel\n{stub}    return xp.exp(x)\n")
    kernels.write_text(filled.replace("from typing", "import numpy as xp\nfrom typing"))
    importable(folder)
    backend = find_backend("polykeras_kit_own.backend:KitOwnBackend")
    found = todo(backend)
    assert found.primitives - len(found.missing) == 1
    assert "exp" in found.runnable
    assert "softmax" not in found.runnable
    report = run(backend, sections=["values"], ops=["exp", "log"])
    with pytest.raises(AssertionError, match="no kernel for the primitive 'log'"):
        report.require()


@pytest.mark.parametrize("base", list(Base))
def test_what_is_written_is_formatted(tmp_path, base) -> None:
    ruff = pytest.importorskip("ruff.__main__").find_ruff_bin()
    folder = write_package("kit-form", base, "numpy", tmp_path)
    for command in (["format", "--check"], ["check", "--select", "E,F,W,UP,B"]):
        done = subprocess.run(
            [ruff, *command, "--no-cache", "--isolated", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name, words",
    [
        ("My_Lib", "lower case"),
        ("-x", "lower case"),
        ("../up", "lower case"),
        ("", "lower case"),
        ("numpy", "installed already"),
    ],
)
def test_bad_names_are_refused(tmp_path, name, words) -> None:
    with pytest.raises(ArgumentError, match=words):
        write_package(name, Base.ARRAY_API, "numpy", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("library", ["a b", "import", "x;y", ""])
def test_bad_modules_are_refused(tmp_path, library) -> None:
    with pytest.raises(ArgumentError, match="module's name"):
        write_package("kit-x", Base.ARRAY_API, library, tmp_path)


def test_what_exists_is_kept(tmp_path) -> None:
    folder = tmp_path / "polykeras-kit-x"
    folder.mkdir()
    result = invoke("new-backend", "kit-x", "--into", str(tmp_path))
    assert result.exit_code == 2
    assert "exists" in result.output
    assert list(folder.iterdir()) == []
    result = invoke("new-backend", "kit-x", "--into", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "is no folder" in result.output


def test_todo_orders_by_what_is_needed(monkeypatch) -> None:
    backend = get_backend("numpy")
    monkeypatch.setattr(
        backend.kernels,
        "suppliers",
        {n: s for n, s in backend.kernels.suppliers.items() if n in {"exp", "softmax"}},
    )
    found = todo(backend)
    counts = [len(m.needed_by) for m in found.missing]
    assert counts == sorted(counts, reverse=True)
    first = found.missing[0].primitive.name
    assert first in {"multiply", "cast", "reshape"}
    assert {"exp", "softmax"} <= set(found.runnable)
    assert 0 < found.coverage < 0.1
    output = invoke("conformance", "numpy", "--todo").output
    assert "numpy: 1 of " in output
    assert output.index("multiply(") < output.index("erfinv(")


def test_todo_of_a_complete_backend_is_empty() -> None:
    result = invoke("conformance", "numpy", "--todo")
    assert result.exit_code == 0
    assert "(100 %)" in result.output
    assert invoke("conformance", "nompy", "--todo").exit_code == 2
