"""Answers of Keras 3.15.1 in float64, for weights and inputs made by formula."""

from __future__ import annotations

from pathlib import Path

import pytest

from polykeras.backend import Backend
from tests.layers._answers import Answer, read_answers

ANSWERS = read_answers(Path(__file__).with_name("known_answers.json"))


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_equals_keras(backend: Backend, answer: Answer) -> None:
    answer.check()
