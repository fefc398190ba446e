"""`polykeras compare` on the command line: what it prints and its exit codes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from polykeras.cli import app
from polykeras.compare import engine_named
from polykeras.compare._dump import Dump
from tests.compare._models import Faulty, mlp

SCRIPT = """
import polykeras as keras

def build_model():
    dense = keras.layers.Dense(2, name="dense")
    return keras.Sequential([keras.Input((3,)), dense], name="small")

def needs(size):
    return None

def nothing():
    return 3

def fails():
    raise KeyError("absent")

def shapeless():
    return keras.Sequential([keras.layers.Dense(2)])
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "model_script.py"
    path.write_text(SCRIPT)
    return path


def run(*args):
    return CliRunner().invoke(app, ["compare", *map(str, args)])


def test_a_script_is_compared(script, tmp_path):
    out = tmp_path / "report.json"
    result = run(f"{script}:build_model", "--backends", "numpy", "--json", out)
    assert result.exit_code == 0, result.output
    assert "Consistent" in result.output
    data = json.loads(out.read_text())
    assert data["schema"] == 1
    assert data["consistent"] is True
    assert {item["name"] for item in data["items"]} == {"small", "small/dense"}


def test_a_saved_model_is_compared_on_given_data(tmp_path):
    path = tmp_path / "m.keras"
    mlp().save(path)
    np.savez(tmp_path / "d.npz", x=np.ones((2, 6), "float32"))
    result = run(path, "--backends", "numpy", "--data", tmp_path / "d.npz")
    assert result.exit_code == 0, result.output
    assert "mlp" in result.output


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{script}:build_modle", "Did you mean 'build_model'"),
        ("{script}:needs", "needs the arguments size"),
        ("{script}:nothing", "returned int, expected a model"),
        ("{script}:fails", "fails() in"),
        ("{script}:shapeless", "--data FILE.npz"),
        ("{script}", "Expected script.py:function"),
        ("absent.py:f", "There is no file absent.py"),
        ("absent.keras", "There is no file absent.keras"),
    ],
)
def test_wrong_sources_exit_with_2_and_say_what_is_wrong(script, source, words):
    result = run(source.format(script=script), "--backends", "numpy")
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


def test_unknown_backends_and_bad_data_exit_with_2(script, tmp_path):
    result = run(f"{script}:build_model", "--backends", "nunpy")
    assert result.exit_code == 2
    assert "numpy" in result.output
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no archive")
    result = run(f"{script}:build_model", "--data", bad)
    assert result.exit_code == 2
    np.savez(tmp_path / "z.npz", z=np.ones(1))
    result = run(f"{script}:build_model", "--data", tmp_path / "z.npz")
    assert result.exit_code == 2
    assert "no array x" in " ".join(result.output.split())


@pytest.mark.parametrize("harm", ["cut", "flipped", "bare", "pickled", "absent"])
def test_damaged_data_is_refused(script, tmp_path, harm):
    path = tmp_path / "d.npz"
    np.savez_compressed(path, x=np.ones((2, 3)))
    data = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(data[:-40])
    elif harm == "flipped":
        data[60] ^= 255
        path.write_bytes(data)
    elif harm == "bare":
        np.save(tmp_path / "d.npy", np.ones((2, 3)))
        path = tmp_path / "d.npy"
    elif harm == "pickled":
        np.savez(path, x=np.array([{}]))
    else:
        path = tmp_path / "absent.npz"
    result = run(f"{script}:build_model", "--backends", "numpy", "--data", path)
    assert result.exit_code == 2, result.output
    words = "no file" if harm == "absent" else "no readable .npz file"
    assert words in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--json", "{folder}/absent/r.json"), "There is no folder"),
        (("--html", "{folder}/absent/r.html"), "There is no folder"),
        (("--json", "{folder}"), "is a directory"),
        (("--fail-over", "-1"), "such as 64ulp"),
        (("--backends", "numpy,numpy"), "'numpy' is given 2 times"),
        (("--backends", ","), "There is no backend to compare"),
    ],
)
def test_wrong_options_exit_with_2_before_anything_runs(
    script, tmp_path, options, words
):
    options = [option.format(folder=tmp_path) for option in options]
    result = run(f"{script}:build_model", *options)
    assert result.exit_code == 2, result.output
    assert "Consistent" not in result.output
    assert words in " ".join(result.output.replace("│", " ").split())


def test_an_inconsistent_engine_exits_with_1(script, monkeypatch):
    wrong = Faulty({"matmul": lambda right, x, y, *rest: right(x, y, *rest) * 2})
    named = engine_named
    monkeypatch.setattr(
        "polykeras.compare._engines.engine_named",
        lambda said: named(wrong if said == "faulty" else said),
    )
    result = run(f"{script}:build_model", "--backends", "faulty")
    assert result.exit_code == 1
    assert "First divergence: layer 'small/dense' (Dense" in result.output


def test_dumps_are_written_and_compared(script, tmp_path):
    for name, engine in (("a", "numpy"), ("b", "numpy:float64")):
        out = tmp_path / f"{name}.pkd"
        result = run("dump", f"{script}:build_model", "--backend", engine, "-o", out)
        assert result.exit_code == 0, result.output
    absent = tmp_path / "absent" / "c.pkd"
    assert run("dump", f"{script}:build_model", "-o", absent).exit_code == 2
    result = run("diff", tmp_path / "a.pkd", tmp_path / "b.pkd")
    assert result.exit_code == 0, result.output
    (tmp_path / "b.pkd").write_bytes(b"damaged")
    result = run("diff", tmp_path / "a.pkd", tmp_path / "b.pkd")
    assert result.exit_code == 2
    assert "no readable dump" in " ".join(result.output.split())


def test_a_dump_is_of_the_chosen_engine(script, tmp_path, backend):
    out = tmp_path / "chosen.pkd"
    result = run("dump", f"{script}:build_model", "-o", out)
    assert result.exit_code == 0, result.output
    assert Dump.read(out).engine == backend.name
    assert f"arrays of {backend.name}" in result.output


def test_an_op_is_compared():
    result = run("op", "exp", "--backends", "numpy", "--dtypes", "float32,bfloat16")
    assert result.exit_code == 0, result.output
    assert run("op", "expp", "--backends", "numpy").exit_code == 2


def test_a_limit_of_ones_own_decides_the_exit_code(script):
    source = f"{script}:build_model"
    engine = ("--backends", "numpy:bfloat16")
    assert run(source, *engine, "--fail-over", "1e-6").exit_code == 1
    assert run(source, *engine, "--fail-over", "64ulp").exit_code == 0
    result = run(source, *engine, "--fail-over", "little")
    assert result.exit_code == 2
    assert "such as 64ulp" in " ".join(result.output.split())


def test_bisecting_says_which_ops_are_guilty(script, monkeypatch):
    wrong = Faulty({"matmul": lambda right, x, y, *rest: right(x, y, *rest) * 2})
    named = engine_named
    monkeypatch.setattr(
        "polykeras.compare._engines.engine_named",
        lambda said: named(wrong if said == "faulty" else said),
    )
    result = run(f"{script}:build_model", "--backends", "faulty,numpy", "--bisect")
    assert result.exit_code == 1
    assert "faulty: the outputs are right once the reference runs matmul" in (
        result.output
    )
    assert "numpy: the outputs are right as they are" in result.output
