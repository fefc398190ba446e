"""The seam: everything a backend plugin imports, and how users choose a backend."""

from polykeras.backend._base import Array, Backend, Capabilities, Tensor, host_array
from polykeras.backend._discovery import Failure, Provider, Registry, registry
from polykeras.backend._indices import check_indices
from polykeras.backend._kernels import Kernel, KernelTable, set_default_kernels
from polykeras.backend._selection import (
    REFERENCE,
    active,
    backend,
    configured,
    current_backend,
    engine_scope,
    get_backend,
    installed_backends,
    is_abstract_engine,
    use_backend,
)
from polykeras.backend._spec import (
    SPI_VERSION,
    BackendSpec,
    ConformanceGap,
    HookSpecs,
    hookimpl,
)

__all__ = [
    "REFERENCE",
    "SPI_VERSION",
    "Array",
    "Backend",
    "BackendSpec",
    "Capabilities",
    "ConformanceGap",
    "Failure",
    "HookSpecs",
    "Kernel",
    "KernelTable",
    "Provider",
    "Registry",
    "Tensor",
    "active",
    "backend",
    "check_indices",
    "configured",
    "current_backend",
    "engine_scope",
    "get_backend",
    "hookimpl",
    "host_array",
    "installed_backends",
    "is_abstract_engine",
    "registry",
    "set_default_kernels",
    "use_backend",
]
