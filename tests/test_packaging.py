"""What an installed polykeras consists of."""

from importlib.metadata import entry_points, requires
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BACKENDS = ("numpy", "torch", "jax")
RUNTIME = {
    "numpy",
    "pluggy",
    "ml-dtypes",
    "optree",
    "h5py",
    "safetensors",
    "rich",
    "typer",
    "pooch",
    "platformdirs",
}


def test_backends_are_plugins_like_any_other():
    registered = {point.name: point.value for point in entry_points(group="polykeras")}
    assert {name: registered.get(name) for name in BACKENDS} == {
        name: f"polykeras_{name}" for name in BACKENDS
    }


def test_base_install_brings_no_engine():
    names = {
        requirement.partition(">")[0].strip().lower().replace("_", "-")
        for requirement in requires("polykeras")
        if "extra ==" not in requirement
    }
    assert names == RUNTIME


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "datasets/_data/digits.npz",
        "datasets/_data/NOTICE.md",
        "pages/templates/conformance.html.j2",
        "pages/templates/badge.svg.j2",
        "pages/templates/comparison.html.j2",
    ],
)
def test_files_that_are_no_code_are_there(name):
    assert files("polykeras").joinpath(name).is_file()


@pytest.mark.parametrize("folder", ["polykeras", "backends"])
def test_every_folder_of_code_is_a_package(folder):
    # A folder without __init__.py imports, but type and import checks pass it by.
    holding = {path.parent for path in (ROOT / folder).rglob("*.py")}
    bare = sorted(str(path) for path in holding if not (path / "__init__.py").exists())
    assert bare == []


@pytest.mark.parametrize("name", BACKENDS)
def test_plugin_and_package_ask_for_the_same_versions(name):
    (plugin,) = entry_points(group="polykeras", name=name)
    (spec,) = plugin.load().polykeras_backends()
    asked = {
        requirement.partition(";")[0].strip()
        for requirement in requires("polykeras")
        if requirement.startswith(name)
    }
    assert asked == {f"{library}>={least}" for library, least in spec.requires}
