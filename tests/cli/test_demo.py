"""`polykeras demo` trains on every engine and reports that they agree."""

from __future__ import annotations

import re

from typer.testing import CliRunner

from polykeras.backend import installed_backends
from polykeras.cli import app
from polykeras.cli.demo import _train


def test_the_classifier_reaches_the_promised_accuracy(capsys):
    result = _train("numpy", epochs=20, seed=0, show=True)
    assert result.accuracy >= 0.95
    assert len(result.losses) == 20
    assert result.losses[-1] < 0.3 * result.losses[0]
    shown = capsys.readouterr().out
    assert "Epoch 20/20" in shown
    assert "Total params: 9,610" in shown


def test_every_engine_is_shown_with_its_distance_from_the_reference(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    outcome = CliRunner().invoke(app, ["demo", "--epochs", "2"])
    assert outcome.exit_code == 0, outcome.output
    for name in installed_backends():
        assert name in outcome.output
    assert "loss, epoch 2" in outcome.output
    (row,) = (
        line for line in outcome.output.splitlines() if "largest difference" in line
    )
    differences = [float(x) for x in re.findall(r"\d\.\de-\d\d", row)]
    # 90 steps of float32 training apart: far above one ULP, far below what shows.
    assert len(differences) == len(installed_backends()) - 1
    assert all(d < 1e-4 for d in differences)


def test_wrong_options_are_named():
    outcome = CliRunner().invoke(app, ["demo", "--epochs", "0"])
    assert outcome.exit_code == 2
    assert "epochs" in outcome.output
