"""Layers: shapes, weights, configs, training, dtypes, masks, values, gradients."""

from __future__ import annotations

import pytest

from polykeras.backend import Backend
from polykeras.conformance._layer_case import CHECKS, LayerCase
from polykeras.conformance.layers import all_layer_cases


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", all_layer_cases(), ids=str)
def test_layer(backend: Backend, case: LayerCase, check: str) -> None:
    case.check(check)
