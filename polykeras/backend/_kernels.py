"""The kernel table: op name to callable, bound once per backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from polykeras.errors import OperationNotSupported

if TYPE_CHECKING:
    import pluggy

    from polykeras.backend._base import Backend

__all__ = ["Kernel", "KernelTable", "attach_plugin_kernels", "set_default_kernels"]

Kernel = Callable[..., Any]

# Set by `polykeras.ops`, which lies above this module: gives the composition (or
# the eager default) of an op, or None for a primitive that has neither.
_default_kernel: Callable[[str], Kernel | None] = lambda name: None  # noqa: E731


def set_default_kernels(lookup: Callable[[str], Kernel | None]) -> None:
    """Tell where ops without a kernel of the backend's own find their default."""
    global _default_kernel  # noqa: PLW0603
    _default_kernel = lookup


class KernelTable(dict[str, Kernel]):
    """Map op names to what runs them on one backend.

    Holds the backend's own kernels and those of kernel plugins; a name that is
    missing falls back to the op's composition and is remembered.
    """

    def __init__(self, backend: Backend) -> None:
        """Bind the backend's own kernels."""
        super().__init__(backend.own_kernels())
        self.backend = backend
        self.suppliers: dict[str, str] = dict.fromkeys(self, backend.distribution)

    def __missing__(self, name: str) -> Kernel:
        kernel = _default_kernel(name)
        if kernel is None:

            def kernel(*args: object, **kwargs: object) -> None:
                raise OperationNotSupported(
                    f"The backend {self.backend.name!r} has no kernel for the "
                    f"primitive {name!r}, which has no composition. Use another "
                    "backend for this op or install a kernel plugin that supplies it."
                )

        self[name] = kernel
        return kernel


def attach_plugin_kernels(manager: pluggy.PluginManager, backend: Backend) -> None:
    """Let kernel plugins replace kernels of `backend`; the first plugin wins."""
    taken: set[str] = set()
    for impl in reversed(manager.hook.polykeras_kernels.get_hookimpls()):
        kernels = impl.function(*(backend,)[: len(impl.argnames)]) or {}
        for name, kernel in kernels.items():
            if name not in taken:
                taken.add(name)
                backend.kernels[name] = kernel
                backend.kernels.suppliers[name] = impl.plugin_name
