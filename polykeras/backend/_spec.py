"""Hook specifications: all that a plugin can say to polykeras, in one place.

Hooks serve discovery and registration only. Ops are bound once into a plain
table (`polykeras.backend._kernels`), so no hook is ever called per op.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import pluggy

if TYPE_CHECKING:
    from polykeras.backend._base import Backend

__all__ = ["SPI_VERSION", "BackendSpec", "ConformanceGap", "HookSpecs", "hookimpl"]

PROJECT: Final = "polykeras"
SPI_VERSION: Final = (1, 0)
"""Version of this interface: plugins need the same major and no later minor."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class BackendSpec:
    """Describe one backend without importing its array library.

    Args:
        name: What users write: ``use_backend(name)``.
        summary: One line for listings.
        load: Called once, on first use; imports the library, returns the backend.
        requires: Distribution name and minimum version of each library needed.
        install_hint: The command that installs what is missing.
        spi_version: The `SPI_VERSION` the plugin was written for.
        priority: Higher comes first in listings.
    """

    name: str
    summary: str
    load: Callable[[], Backend]
    requires: tuple[tuple[str, str], ...] = ()
    install_hint: str = ""
    spi_version: tuple[int, int] = SPI_VERSION
    priority: int = 0


@dataclass(frozen=True)
class ConformanceGap:
    """Declare a conformance case that a backend cannot pass, and why.

    Args:
        pattern: Shell-style pattern over conformance case ids.
        kind: Missing so far, a limit of the library, or impossible by nature.
        reason: One sentence for the report.
        error: The exception type the case raises.
    """

    pattern: str
    kind: Literal["not yet", "upstream", "never"]
    reason: str
    error: type[BaseException]


class HookSpecs:
    """The hooks a plugin may implement, each with `hookimpl`."""

    @hookspec
    def polykeras_backends(self) -> list[BackendSpec]:  # type: ignore[empty-body]
        """Return the backends this distribution supplies.

        Runs at discovery, in every process: import no array library here.
        """

    @hookspec
    def polykeras_kernels(  # type: ignore[empty-body]
        self, backend: Backend
    ) -> Mapping[str, Callable[..., Any]] | None:
        """Return extra or faster kernels for `backend`, or None.

        Args:
            backend: The backend being activated; check its `name`.

        Returns:
            Op name to kernel. A kernel gets the op's canonical arguments and
            must pass the same conformance cases as the one it replaces.
        """

    @hookspec
    def polykeras_conformance_gaps(  # type: ignore[empty-body]
        self, backend: Backend
    ) -> Sequence[ConformanceGap]:
        """Return the conformance cases that `backend` is known not to pass."""
