"""polykeras: a Keras-style front end over interchangeable array libraries."""

from __future__ import annotations

import importlib
from typing import Any

# Public name -> module that defines it; None for submodules. Everything loads on
# first use, so that `import polykeras` costs little more than `import numpy`.
_NAMES: dict[str, str] = {
    "Variable": "polykeras.variables",
    "grad": "polykeras.autodiff",
    "jacobian": "polykeras.autodiff",
    "name_scope": "polykeras.variables",
    "use_backend": "polykeras.backend",
    "value_and_grad": "polykeras.autodiff",
    "vjp": "polykeras.autodiff",
}
_MODULES = ("autodiff", "backend", "config", "datasets", "dtypes", "errors", "ops",
            "preprocessing", "random", "tree", "utils")


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"polykeras.{name}")
    else:
        raise AttributeError(f"module 'polykeras' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_NAMES, *_MODULES])
