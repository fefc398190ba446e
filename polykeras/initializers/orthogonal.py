"""The orthogonal initializer.

Reference: Saxe et al., 2014, "Exact Solutions to the Nonlinear Dynamics of Learning
in Deep Linear Neural Networks"; Mezzadri, 2007, "How to Generate Random Matrices
from the Classical Compact Groups", section 5, for the signs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import random
from polykeras.backend import Tensor
from polykeras.dtypes import as_numpy_dtype
from polykeras.errors import ShapeError
from polykeras.initializers._initializer import RandomInitializer
from polykeras.registry import public

__all__ = ["Orthogonal"]


@public
class Orthogonal(RandomInitializer):
    """Makes a random matrix with orthonormal rows or columns, scaled.

    All axes but the last are flattened. Where there are more rows than columns the
    columns are orthonormal, else the rows.

    Args:
        gain: The factor.
        seed: An integer, a `SeedGenerator`, or None.

    Raises:
        ShapeError: When called with a shape of fewer than two axes.

    Reference: Saxe et al., 2014, "Exact Solutions to the Nonlinear Dynamics of
    Learning in Deep Linear Neural Networks".

    >>> import polykeras as keras
    >>> w = keras.initializers.Orthogonal(seed=1)((3, 3))
    >>> keras.ops.round(w.T @ w, 5) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        """Remember the gain."""
        self.gain = gain
        super().__init__(seed)

    def draw(self, shape: Sequence[int], dtype: str, seed: Any) -> Tensor:
        """Return the values."""
        if len(shape) < 2:
            raise ShapeError(
                "Orthogonal makes matrices and needs at least two axes, but the shape "
                f"{tuple(shape)} was asked for."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        flat = (max(rows, columns), min(rows, columns))
        gaussian = np.asarray(random.normal(flat, dtype="float64", seed=seed))
        q, r = np.linalg.qr(gaussian)
        # Unique signs make the matrix uniformly distributed and reproducible.
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        if rows < columns:
            q = q.T
        return (self.gain * q.reshape(tuple(shape))).astype(as_numpy_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}
