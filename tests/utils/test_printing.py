"""Progress goes to standard output, or to a logger when that is asked for."""

import logging

import numpy as np
import pytest

import polykeras as keras
from polykeras.errors import PolykerasError

X = np.ones((4, 1), "float32")


@pytest.fixture
def quiet():
    keras.config.disable_interactive_logging()
    yield
    keras.config.enable_interactive_logging()


def fitted(**kwargs):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop = keras.callbacks.EarlyStopping("loss", patience=1, verbose=1, min_delta=9)
    model.fit(X, X, epochs=3, callbacks=[stop], **kwargs)
    return model


def test_interactive(capsys):
    assert keras.utils.is_interactive_logging_enabled()
    fitted()
    shown = capsys.readouterr().out
    assert "Epoch 1/3" in shown
    assert "Epoch 2: early stopping" in shown


@pytest.mark.usefixtures("quiet")
def test_logged(capsys, caplog):
    assert not keras.config.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO, "polykeras"):
        model = fitted()
    assert capsys.readouterr().out == ""
    assert "Epoch 2: early stopping" in caplog.messages
    assert [m for m in caplog.messages if m.startswith("1/1 ")] != []
    lines = []
    model.summary(print_fn=lines.append)
    assert lines


def test_tracebacks_are_whole():
    keras.config.disable_traceback_filtering()
    assert not keras.config.is_traceback_filtering_enabled()
    with pytest.raises(PolykerasError, match="not filtered"):
        keras.config.enable_traceback_filtering()
