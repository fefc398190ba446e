"""The kernel table: op name to callable, bound once per backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from polykeras.errors import OperationNotSupported

if TYPE_CHECKING:
    from polykeras.backend._base import Backend

__all__ = ["Kernel", "KernelTable", "set_default_kernels", "set_rules"]

Kernel = Callable[..., Any]

# Set by `polykeras.ops`, which lies above this module: gives the composition (or
# the eager default) of an op, or None for a primitive that has neither.
_default_kernel: Callable[[str], Kernel | None] = lambda name: None  # noqa: E731


def set_default_kernels(lookup: Callable[[str], Kernel | None]) -> None:
    """Tell where ops without a kernel of the backend's own find their default."""
    global _default_kernel  # noqa: PLW0603
    _default_kernel = lookup


# Set by `polykeras.ops` too: lets the backend differentiate a kernel by its op's rules.
_give_rule: Callable[[Backend, str, Kernel], Kernel] = lambda backend, name, kernel: (  # noqa: E731
    kernel
)


def set_rules(give: Callable[[Backend, str, Kernel], Kernel]) -> None:
    """Tell how a kernel gets the derivative that its op declares."""
    global _give_rule  # noqa: PLW0603
    _give_rule = give


class KernelTable(dict[str, Kernel]):
    """Map op names to what runs them on one backend.

    Holds the backend's own kernels and those of kernel plugins; a name that is
    missing falls back to the op's composition and is remembered.
    """

    def __init__(self, backend: Backend) -> None:
        """Bind the backend's own kernels."""
        own = backend.own_kernels()
        super().__init__({name: _ruled(backend, name, own[name]) for name in own})
        self.backend = backend
        self.suppliers: dict[str, str] = dict.fromkeys(self, backend.distribution)
        self._attached: set[str] = set()

    def __missing__(self, name: str) -> Kernel:
        kernel = _default_kernel(name)
        if kernel is None:

            def kernel(*args: object, **kwargs: object) -> None:
                raise OperationNotSupported(
                    f"The backend {self.backend.name!r} has no kernel for the "
                    f"primitive {name!r}, which has no composition. Use another "
                    "backend for this op or install a kernel plugin that supplies it."
                )

        kernel = self[name] = _ruled(self.backend, name, kernel)
        return kernel

    def attach(self, kernels: Mapping[str, Kernel], supplier: str) -> None:
        """Replace kernels by those of a plugin; in pluggy's order, the first wins.

        Args:
            kernels: Op name to kernel.
            supplier: Who supplies them, for listings.
        """
        for name, kernel in kernels.items():
            if name not in self._attached:
                self._attached.add(name)
                adapted = self.backend.adapt_kernel(kernel)
                self[name] = _ruled(self.backend, name, adapted)
                self.suppliers[name] = supplier


def _ruled(backend: Backend, name: str, kernel: Kernel) -> Kernel:
    return _give_rule(backend, name, kernel) if name in backend.ruled else kernel
