"""The seam: everything a backend plugin imports, and how users choose a backend."""

from importlib import import_module
from typing import Any, Final

from polykeras.backend._base import Array, Backend, Capabilities, Tensor, host_array
from polykeras.backend._buffers import ALIGNMENT, Buffers
from polykeras.backend._devices import device
from polykeras.backend._discovery import Failure, Provider, Registry, registry
from polykeras.backend._effects import (
    refusing_state,
    set_state_carrier,
    with_state,
)
from polykeras.backend._indices import check_indices
from polykeras.backend._kernels import (
    Kernel,
    KernelTable,
    set_default_kernels,
    set_rules,
)
from polykeras.backend._promotion import is_float_dtype, is_int_dtype, result_type
from polykeras.backend._replay import (
    ReplayKernel,
    repeated,
    replaying,
    set_recorder,
)
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
    set_backend,
    use_backend,
)
from polykeras.backend._spec import (
    SPI_VERSION,
    BackendSpec,
    ConformanceGap,
    HookSpecs,
    hookimpl,
)
from polykeras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from polykeras.dtypes import standardize_dtype
from polykeras.naming import clear_session, get_uid

# Names of Keras' namespace that modules above this one define.
_ABOVE: Final = {"is_keras_tensor": "polykeras.symbolic"}

__all__ = [
    "ALIGNMENT",
    "REFERENCE",
    "SPI_VERSION",
    "Array",
    "Backend",
    "BackendSpec",
    "Buffers",
    "Capabilities",
    "ConformanceGap",
    "Failure",
    "HookSpecs",
    "Kernel",
    "KernelTable",
    "Provider",
    "Registry",
    "ReplayKernel",
    "Tensor",
    "active",
    "backend",
    "check_indices",
    "clear_session",
    "configured",
    "current_backend",
    "device",
    "engine_scope",
    "epsilon",
    "floatx",
    "get_backend",
    "get_uid",
    "hookimpl",
    "host_array",
    "image_data_format",
    "installed_backends",
    "is_abstract_engine",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "refusing_state",
    "registry",
    "repeated",
    "replaying",
    "result_type",
    "set_backend",
    "set_default_kernels",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_recorder",
    "set_rules",
    "set_state_carrier",
    "standardize_dtype",
    "use_backend",
    "with_state",
]


def __getattr__(name: str) -> Any:
    if name in _ABOVE:
        return getattr(import_module(_ABOVE[name]), name)
    if not name.startswith("_"):
        # Functions of the books before Keras 3, such as square and get_value.
        legacy = import_module("polykeras.legacy.backend")
        if name in legacy.__all__:
            return getattr(legacy, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
