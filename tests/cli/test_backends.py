import json

import pytest
from typer.testing import CliRunner

from polykeras.backend import BackendSpec
from polykeras.cli import app
from polykeras.cli.backends import describe
from tests.backend._plugins import offering, registry_of, supplying

run = CliRunner().invoke


def test_lists_what_is_installed():
    result = run(app, ["backends", "--json"])
    assert result.exit_code == 0
    entries = {e["name"]: e for e in json.loads(result.stdout)["backends"]}
    assert entries["numpy"]["usable"]
    assert entries["numpy"]["autodiff"] == "tape"
    assert entries["numpy"]["devices"] == ["cpu:0"]
    assert entries["numpy"]["distribution"] == "polykeras"


def test_shows_who_supplies_each_kernel():
    result = run(app, ["backends", "--kernels"])
    assert result.exit_code == 0
    assert "kernels of numpy" in result.stdout
    assert "matmul" in result.stdout


def test_describes_kernel_plugins_and_misspelled_ops():
    plugin = supplying(lambda backend: {"exp": abs, "expp": abs})
    found = registry_of(base=offering("toy"), fast=plugin)
    (entry,) = describe(kernels=True, found=found)["backends"]
    assert entry["kernels"]["exp"] == "dist-fast 1.2"
    assert entry["kernels"]["log"] == "dist-base"
    assert entry["unknown_ops"] == ["expp"]


def test_describes_what_cannot_be_used():
    wanted = BackendSpec(
        "toy",
        "",
        lambda: None,
        requires=(("no-such-library", "1"),),
        install_hint="pip install it",
    )
    found = registry_of(a=offering(wanted))
    (entry,) = describe(found=found)["backends"]
    assert not entry["usable"]
    assert "pip install it" in entry["error"]


def test_shows_the_traceback_of_a_failed_plugin(monkeypatch):
    with pytest.warns(RuntimeWarning):
        found = registry_of(bad=offering(3), good=offering("toy"))
    monkeypatch.setattr("polykeras.backend._discovery._registry", found)
    result = run(app, ["backends"])
    assert result.exit_code == 0
    assert "'bad' of 'dist-bad' failed" in result.stdout
    assert "Traceback (most recent call last)" in result.stdout
    assert "toy" in result.stdout
