"""The front end and the plugin modules import no engine."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINES = {"torch", "jax", "jaxlib", "tensorflow", "mlx", "cupy"}
BACKENDS = {"polykeras_numpy", "polykeras_torch", "polykeras_jax"}
SOURCES = sorted((ROOT / "polykeras").rglob("*.py"))


def imported(source):
    """Return the top-level packages that Python source imports anywhere in it."""
    packages = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            packages.add((node.module or "").partition(".")[0])
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name | ast.Attribute)
            and getattr(node.func, "id", getattr(node.func, "attr", ""))
            in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            packages.add(str(node.args[0].value).partition(".")[0])
    return packages


def test_every_form_of_import_is_seen():
    source = (
        "import torch.nn\nfrom jax import numpy\ndef f():\n    import cupy\n"
        "import importlib\nimportlib.import_module('mlx.core')\nfrom . import x\n"
    )
    assert imported(source) == {"torch", "jax", "cupy", "mlx", "importlib"}


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_front_end_imports_no_engine(path):
    packages = imported(path.read_text(encoding="utf-8"))
    assert not packages & (ENGINES | BACKENDS)


def loaded_after(code):
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules, sep='\\n')"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_import_loads_no_engine():
    assert not loaded_after("import polykeras") & (ENGINES | BACKENDS)


@pytest.mark.parametrize("package", sorted(BACKENDS - {"polykeras_numpy"}))
def test_plugin_modules_load_no_engine(package):
    loaded = loaded_after(f"import {package}")
    assert package in loaded
    assert not loaded & ENGINES


def test_layers_and_models_load_no_engine():
    code = "import polykeras.layers, polykeras.models, polykeras.random"
    loaded = loaded_after(code)
    assert "polykeras" in loaded
    assert not loaded & (ENGINES | BACKENDS)
