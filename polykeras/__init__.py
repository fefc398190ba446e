"""polykeras: a Keras-style front end over interchangeable array libraries."""

from __future__ import annotations

import importlib
from typing import Any

# Public name -> module that defines it; None for submodules. Everything loads on
# first use, so that `import polykeras` costs little more than `import numpy`.
_NAMES: dict[str, str] = {
    "DTypePolicy": "polykeras.dtype_policies",
    "FloatDTypePolicy": "polykeras.dtype_policies",
    "Function": "polykeras.symbolic",
    "Initializer": "polykeras.initializers",
    "Input": "polykeras.layers",
    "InputSpec": "polykeras.layers",
    "KerasTensor": "polykeras.symbolic",
    "Layer": "polykeras.layers",
    "Loss": "polykeras.losses",
    "Metric": "polykeras.metrics",
    "Model": "polykeras.models",
    "Operation": "polykeras.symbolic",
    "Optimizer": "polykeras.optimizers",
    "Regularizer": "polykeras.regularizers",
    "Sequential": "polykeras.models",
    "StatelessScope": "polykeras.state",
    "SymbolicScope": "polykeras.symbolic",
    "Variable": "polykeras.variables",
    "checkpoint": "polykeras.autodiff",
    "custom_gradient": "polykeras.ops",
    "device": "polykeras.backend",
    "get_backend": "polykeras.backend",
    "grad": "polykeras.autodiff",
    "installed_backends": "polykeras.backend",
    "jacobian": "polykeras.autodiff",
    "name_scope": "polykeras.variables",
    "stop_gradient": "polykeras.ops",
    "use_backend": "polykeras.backend",
    "value_and_grad": "polykeras.autodiff",
    "vjp": "polykeras.autodiff",
}
_MODULES = (
    "activations",
    "applications",
    "autodiff",
    "backend",
    "callbacks",
    "compare",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "dtypes",
    "errors",
    "export",
    "initializers",
    "layers",
    "legacy",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "state",
    "symbolic",
    "training",
    "tree",
    "utils",
    "visualization",
    "wrappers",
)


def version() -> str:
    """Return the version of polykeras."""
    return str(__getattr__("__version__"))


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
    elif name == "__version__":
        from importlib import metadata  # as slow to import as the rest

        value = metadata.version("polykeras")
    elif name in _MODULES:
        value = importlib.import_module(f"polykeras.{name}")
    else:
        raise AttributeError(f"module 'polykeras' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_NAMES, *_MODULES, "__version__", "version"])
