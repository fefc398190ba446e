"""What fit, evaluate and predict show, where it is seen."""

from __future__ import annotations

import os
import re
import sys

import numpy as np
import pytest

from polykeras.backend import Backend
from polykeras.utils import Progbar
from tests.callbacks._run import model

ONES = np.ones((6, 1), "float32")


def test_a_bar_with_time_and_metrics(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    made = model()
    made.compile("sgd", "mse", metrics=["mae"])
    made.fit(ONES, ONES, 2, epochs=2, validation_split=0.5, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[2] == "Epoch 2/2"
    assert len(lines) == 4
    assert re.fullmatch(
        r"2/2 ━+ \d+s \d+(s|ms|us)/step - loss: [\d.e-]+ - mae: [\d.e-]+ "
        r"- val_loss: [\d.e-]+ - val_mae: [\d.e-]+",
        lines[1],
    )


def test_one_line_or_nothing(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    made = model()
    made.fit(ONES, ONES, epochs=2, verbose=2)
    made.evaluate(ONES, ONES, verbose=2)
    out = capsys.readouterr().out
    assert "━" not in out
    assert len(re.findall(r"1/1 .*/step - loss: ", out)) == 3
    made.fit(ONES, ONES, verbose=0)
    made.evaluate(ONES, ONES, verbose=0)
    made.predict(ONES, verbose=0)
    assert capsys.readouterr().out == ""


def test_evaluate_and_predict_show_steps(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    made = model()
    made.evaluate(ONES, ONES, 4)
    made.predict(ONES, 4)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("2/2 ━")
    assert "loss: " in first
    assert re.fullmatch(r"2/2 ━+ \d+s \d+(s|ms|us)/step", second)


def test_unknown_length(capsys: pytest.CaptureFixture[str]) -> None:
    model().fit(((ONES, ONES) for _ in range(3)), verbose=1)
    assert capsys.readouterr().out.startswith("3/? ")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_a_terminal_sees_one_line_redrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(writer, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        bar = Progbar(3, interval=0)
        for step in range(1, 4):
            bar.update(step, {"loss": 10.0 ** (4 - step)})
        terminal.flush()
        shown = ""
        while "\n" not in shown:
            shown += os.read(reader, 10_000).decode()
    os.close(reader)
    drawn = [part for part in shown.split("\r") if part.strip()]
    assert [part[:3] for part in drawn] == ["1/3", "2/3", "3/3"]
    assert shown.count("\n") == 1
    # A shorter line leaves nothing of the longer one before it.
    assert len(drawn[2].rstrip("\n")) >= len(drawn[1].rstrip())


def test_values_that_are_no_scalars_and_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = Progbar(1, verbose=2)
    bar.update(1, {"[bold]:smile:": np.array([1, 2]), "tiny": 1e-5})
    assert capsys.readouterr().out.endswith("[bold]:smile:: [1 2] - tiny: 1.0000e-05\n")
