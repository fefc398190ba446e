"""A backend over any namespace that follows the Python array API standard."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.backend._base import Array, Backend, Capabilities, Tensor
from polykeras.backend._kernels import Kernel
from polykeras.backend._replay import replaying
from polykeras.errors import DTypeError

__all__ = ["ArrayAPIBackend"]

# One file per domain of ops, named like the files of `polykeras.ops`.
_DOMAINS: Final = (
    "creation",
    "elementwise",
    "reductions",
    "shaping",
    "sorting",
    "indexing",
    "linalg",
    "spectral",
    "windows",
)


class ArrayAPIBackend(Backend):
    """Kernels for an array library, out of the array API standard alone.

    Gradients come from polykeras' tape. A library needs a subclass only for what
    the standard leaves out or what it does faster.

    Args:
        xp: The namespace, for example ``array_api_strict``.
        name: What users write to choose the backend.
        native: Canonical dtype name to the library's dtype object; by default those
            of the namespace. `capabilities` declares the same dtypes.

    Reference: Python array API standard, 2024.12.
    """

    capabilities = Capabilities(autodiff="tape", compile=True, eager=True)

    def __init__(
        self, xp: ModuleType | Any, name: str, native: Mapping[str, Any] | None = None
    ) -> None:
        """Bind the namespace."""
        self.xp = xp
        self.name = name
        self.tensor_type = type(xp.zeros(()))
        # What arrays say their dtype is, which need not be the namespace's object.
        self._native = dict(native or {}) or {
            name: xp.zeros((), dtype=getattr(xp, name)).dtype
            for name in dtypes.ALL
            if hasattr(xp, name)
        }
        self._names = {native: name for name, native in self._native.items()}
        self.inexact = frozenset(
            native for name, native in self._native.items() if dtypes.is_inexact(name)
        )
        self.capabilities = replace(
            type(self).capabilities,
            dtypes=frozenset(self._native),
            complex=any(map(dtypes.is_complex, self._native)),
        )

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return the kernels of every domain."""
        table: dict[str, Kernel] = {}
        for domain in _DOMAINS:
            module = importlib.import_module(f"polykeras.backend.array_api.{domain}")
            table.update(module.kernels(self))
        return table

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Return `fn` recorded once for each signature, then replayed."""
        return replaying(self, fn) if self.capabilities.compile else fn

    def native_dtype(self, name: str) -> Any:
        """Return the library's dtype object of a canonical name.

        Raises:
            DTypeError: If the library has none.
        """
        try:
            return self._native[name]
        except KeyError:
            raise DTypeError(
                f"The backend {self.name!r} has no dtype {name}. It has: "
                f"{', '.join(self._native)}."
            ) from None

    def is_tensor(self, x: object) -> bool:
        """Return whether `x` is an array of the namespace."""
        return isinstance(x, self.tensor_type)

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return an array of the namespace with a copy of the values."""
        return self.xp.asarray(
            np.array(x, dtypes.as_numpy_dtype(dtype)), dtype=self.native_dtype(dtype)
        )

    def to_numpy(self, x: Tensor) -> Array:
        """Return the values as a NumPy array."""
        return np.asarray(x)

    def dtype_name(self, x: Tensor) -> str:
        """Return the canonical dtype name."""
        return self._names.get(x.dtype) or dtypes.standardize_dtype(x.dtype)

    def library_version(self) -> str:
        """Return the version of the namespace's library."""
        return str(getattr(self.xp, "__version__", ""))
