"""Every example runs on every backend, shortened."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from polykeras import config, use_backend
from polykeras.backend import Backend

EXAMPLES = Path(__file__).parents[2] / "examples"

# Example: its data file (None: it comes with the package), arguments, and the bounds
# of the figure that main returns. Shortened runs reach less than full ones.
CASES = {
    "adult_income": ("adult-train.csv.gz", "--epochs 1 --samples 2000", 0.7, 1),
    "california_wide_and_deep": (
        "california_housing.npz",
        "--epochs 2 --samples 2000",
        0.4,
        1.5,
    ),
    "fashion_mnist_mlp": ("fashion_mnist.npz", "--epochs 1 --samples 6000", 0.4, 1),
    "overfitting_study": (
        "imdb.npz",
        "--epochs 2 --samples 300 --words 500",
        0.5,
        1,
    ),
    "reuters_topics": (
        "reuters.npz",
        "--epochs 3 --samples 1500 --words 1000",
        0.5,
        1,
    ),
    "shakespeare_text": (
        "shakespeare.txt",
        "--epochs 1 --steps 20 --units 16 --length 16 --model transformer",
        1,
        4,
    ),
    "temperature_gru": ("daily-min-temperatures.csv", "--epochs 2", 1.4, 2.5),
    "vae_digits": (None, "--epochs 3", 24, 40),
    "boston_housing_kfold": ("boston_housing.npz", "--epochs 10 --folds 2", 0, 7),
    "gan_gradient_penalty": (None, "--epochs 2 --samples 256", 0.1, 2),
    "imdb_lstm": (
        "imdb.npz",
        "--epochs 1 --samples 256 --maxlen 20 --words 500",
        0.4,
        1,
    ),
    "linear_regression": (None, "", None, None),
    "mnist_convnet_functional": (
        None,
        "--data digits --epochs 1 --samples 640",
        0.1,
        1,
    ),
    "mnist_mlp": ("mnist.npz", "--epochs 1 --samples 6400", 0.85, 1),
    "online_training": (None, "--epochs 5", 0.9, 1),
    "subclassed_model": (None, "--data digits --epochs 3", 0.9, 1),
}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def require(file: str | None) -> None:
    """Skip where a data file is not in the user's folder: tests use no network."""
    folder = os.environ.get("POLYKERAS_DATA_DIR")
    if file is not None and not (folder and (Path(folder) / file).is_file()):
        pytest.skip(f"needs {file} in POLYKERAS_DATA_DIR ({folder or 'not set'})")


@pytest.fixture
def _floatx_restored():
    before = config.floatx()
    yield
    config.set_floatx(before)


def test_every_example_is_here() -> None:
    files = {path.stem for path in EXAMPLES.glob("*.py")}
    assert files == {*CASES, "two_engines"}


@pytest.mark.parametrize("name", [n for n in CASES if n != "linear_regression"])
@pytest.mark.usefixtures("_floatx_restored")
def test_example_reaches_its_figure(name: str, backend: Backend, capsys) -> None:
    file, arguments, low, high = CASES[name]
    require(file)
    figure = load(name).main(arguments.split())
    assert low < figure <= high
    printed = capsys.readouterr().out
    assert f"{backend.name}: " in printed
    assert "DIFFER" not in printed


def test_regression_finds_the_line(backend: Backend) -> None:
    kernel, bias = load("linear_regression").main([])
    assert kernel == pytest.approx(2, abs=0.05)
    assert bias == pytest.approx(1, abs=0.15)


@pytest.mark.usefixtures("_floatx_restored")
@pytest.mark.parametrize("dropout", [[], ["--dropout"]])
def test_losses_of_mnist_mlp_agree(
    dropout: list[str], backend: Backend, capsys
) -> None:
    require("mnist.npz")
    arguments = ["--epochs", "2", "--samples", "1280", *dropout]

    def losses(name: str) -> list[float]:
        with use_backend(name):
            load("mnist_mlp").main(arguments)
        line = re.search(r"epoch losses: (.*)", capsys.readouterr().out)
        assert line is not None
        return [float(loss) for loss in line[1].split()]

    expected = losses("numpy")
    assert len(expected) == 2
    assert losses(backend.name) == pytest.approx(expected, rel=1e-3)


@pytest.mark.usefixtures("_floatx_restored")
def test_mnist_mlp_takes_32_bits(backend: Backend) -> None:
    require("mnist.npz")
    arguments = "--epochs 1 --samples 640 --floatx float32"
    assert load("mnist_mlp").main(arguments.split()) > 0.5
    assert config.floatx() == "float32"


def test_two_engines_agree(backend: Backend) -> None:
    # A process of its own: the script chooses the backend of the whole process.
    script = [sys.executable, str(EXAMPLES / "two_engines.py")]
    done = subprocess.run(
        [*script, "--engines", "numpy", backend.name, "--epochs", "1"],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if k != "POLYKERAS_BACKEND"},
    )
    assert done.returncode == 0, done.stderr
    assert "copied to numpy: identical" in done.stdout
    assert "DIFFER" not in done.stdout


@pytest.mark.parametrize("name", [*CASES, "two_engines"])
def test_help_tells_what_the_example_does(name: str, capsys) -> None:
    module = load(name)
    with pytest.raises(SystemExit) as stop:
        module.main(["--help"])
    assert stop.value.code == 0
    assert "--epochs" in capsys.readouterr().out
