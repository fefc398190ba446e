"""Warnings are off inside quiet kernels, and as before outside."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from polykeras_numpy import quiet as module
from polykeras_numpy.quiet import quiet, quiet_block


@pytest.fixture(params=["direct", "errstate"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "errstate":
        monkeypatch.setattr(module, "_setting", None)
    return str(request.param)


def test_kernel_does_not_warn_and_restores(way: str) -> None:
    divide = quiet(np.divide)
    zero = np.zeros(1, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(divide(zero, zero)).all()
        with np.errstate(all="warn"), pytest.raises(RuntimeWarning):
            np.divide(zero, zero)


def test_kernel_that_raises_restores(way: str) -> None:
    def fail() -> None:
        raise ValueError("no result")

    with np.errstate(all="raise"):
        with pytest.raises(ValueError, match="no result"):
            quiet(fail)()
        assert np.geterr()["divide"] == "raise"


def test_block(way: str) -> None:
    zero = np.zeros(1, np.float32)
    with np.errstate(all="raise"):
        with quiet_block():
            assert np.isnan(np.divide(zero, zero)).all()
            assert np.isnan(quiet(np.divide)(zero, zero)).all()
        with pytest.raises(FloatingPointError):
            np.divide(zero, zero)


def test_the_cheap_way_is_found() -> None:
    assert module._setting is not None
