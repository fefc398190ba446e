"""What the acceptance tests share: data, values, and how long to train."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polykeras import ops

__all__ = ["FULL", "blobs", "real", "values", "whole"]

# `make acceptance` sets it; otherwise rows that need full data are reduced.
FULL = os.environ.get("POLYKERAS_ACCEPTANCE") == "full"
whole = pytest.mark.skipif(not FULL, reason="full data: run by `make acceptance`")


def values(x: Any) -> np.ndarray:
    """Return a tensor as an array."""
    return np.asarray(ops.convert_to_numpy(x))


def real(name: str) -> Path:
    """Return a file of the user's folder, or skip: tests use no network."""
    folder = os.environ.get("POLYKERAS_DATA_DIR")
    if not folder or not (Path(folder) / name).is_file():
        pytest.skip(f"needs {name} in POLYKERAS_DATA_DIR ({folder or 'not set'})")
    return Path(folder) / name


def blobs(size: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two clouds of points, of one size each, and their numbers."""
    rng = np.random.default_rng(seed)
    half = size // 2
    covariance = [[1.0, 0.5], [0.5, 1.0]]
    left = rng.multivariate_normal([0.0, 3.0], covariance, half)
    right = rng.multivariate_normal([3.0, 0.0], covariance, half)
    x = np.concatenate([left, right]).astype("float32")
    y = np.concatenate([np.zeros(half), np.ones(half)]).astype("float32")
    order = rng.permutation(len(x))
    return x[order], y[order, None]
