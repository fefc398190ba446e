"""`NumpyBackend`: the array-API kernels with NumPy's own where they serve better."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.backend import (
    Array,
    Capabilities,
    Kernel,
    ReplayKernel,
    Tensor,
    replaying,
)
from polykeras.backend.array_api import ArrayAPIBackend
from polykeras_numpy import (
    creation,
    elementwise,
    indexing,
    linalg,
    nn,
    optimizers,
    pooling,
    random,
    recurrence,
    reductions,
    shaping,
    sorting,
    spectral,
    statistics,
    windows,
)
from polykeras_numpy.quiet import quiet, quiet_block

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
    pooling,
    nn,
    recurrence,
    random,
    optimizers,
)
# Kernels, besides ufuncs, whose results share no memory with their arguments.
_FRESH: Final = frozenset({"copy", "max", "min", "sum", "zeros_like", "ones_like"})
# The same for those of this package, in place of which a plugin may put its own.
_OWN_FRESH: Final = {
    "conv_general": windows.conv_general,
    "conv_general_transpose": windows.conv_general_transpose,
    "matmul": linalg.matmul,
    "pool_max": pooling.pool_max,
    "pool_max_spread": pooling.pool_max_spread,
    "relu": nn.relu,
}
# What those call inside, for arguments that are known.
_FITTING: Final = (
    (linalg.matmul, linalg.fitting_matmul),
    (nn.relu, nn.fitting_relu),
    (reductions.total, reductions.fitting_sum),
    (statistics.mean, statistics.fitting_mean),
)
# Kernels that write where they are told, value by value.
_OVERWRITING: Final = (np.add, np.divide, np.multiply, np.subtract, nn.relu)


class NumpyBackend(ArrayAPIBackend):
    """The reference backend."""

    capabilities = Capabilities(autodiff="tape", compile=True, inplace=True, eager=True)

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

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Return `fn` recorded once for each signature, then replayed quietly."""
        return replaying(self, fn, quiet)

    def replay_kernel(self, name: str) -> ReplayKernel:
        """Return the kernel without the care that `compile` takes once for all."""
        kernel = self.kernels[name]
        kernel = getattr(kernel, "loud", kernel)
        fresh = isinstance(kernel, np.ufunc) or name in _FRESH
        fresh = fresh or _OWN_FRESH.get(name) is kernel
        overwrites = any(kernel is known for known in _OVERWRITING)
        fitting = next((fit for known, fit in _FITTING if known is kernel), None)
        return ReplayKernel(kernel, fresh, overwrites, fitting)

    def constant(self, x: Tensor) -> Tensor:
        """Return a copy that kernels which overwrite their arguments copy in turn."""
        if isinstance(x, np.generic):
            return x
        kept = np.array(x)
        kept.setflags(write=False)
        return kept

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Keep overflow and invalid values from printing warnings, in this block."""
        with quiet_block():
            yield
