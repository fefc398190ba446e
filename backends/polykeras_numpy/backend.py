"""`NumpyBackend`: the array-API kernels with NumPy's own where they serve better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array, Capabilities, Kernel, Tensor
from polykeras.backend.array_api import ArrayAPIBackend
from polykeras_numpy import (
    creation,
    elementwise,
    indexing,
    linalg,
    nn,
    optimizers,
    random,
    recurrence,
    reductions,
    shaping,
    sorting,
    spectral,
    statistics,
    windows,
)
from polykeras_numpy.quiet import quiet_block

__all__ = ["NumpyBackend"]

_DOMAINS: Final = (
    creation,
    elementwise,
    reductions,
    shaping,
    sorting,
    statistics,
    indexing,
    linalg,
    spectral,
    windows,
    nn,
    recurrence,
    random,
    optimizers,
)


class NumpyBackend(ArrayAPIBackend):
    """The reference backend."""

    capabilities = Capabilities(autodiff="tape", inplace=True)

    def __init__(self) -> None:
        """Bind NumPy, with the small floats of ml_dtypes."""
        super().__init__(np, "numpy", {n: dtypes.as_numpy_dtype(n) for n in dtypes.ALL})

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return the array-API kernels, overridden by this package's."""
        table = dict(super().own_kernels())
        for domain in _DOMAINS:
            table.update(domain.KERNELS)
        return table

    def is_tensor(self, x: object) -> bool:
        """Return whether `x` is a NumPy array or scalar of a numeric dtype."""
        return isinstance(x, np.ndarray | np.generic) and x.dtype in self._names

    def dtype_name(self, x: Tensor) -> str:
        """Return the canonical dtype name."""
        # Ops that copy keep swapped bytes, which NumPy computes with as well.
        return self._names.get(x.dtype) or self._names[x.dtype.newbyteorder("=")]

    def scalar(self, value: complex, dtype: str) -> Tensor:
        """Return a 0-d array."""
        return np.asarray(value, self._native[dtype])

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return a copy of the array."""
        return np.array(x, self._native[dtype])

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Keep overflow and invalid values from printing warnings, in this block."""
        with quiet_block():
            yield
