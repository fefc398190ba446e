"""Plugin objects made on the spot, in place of installed distributions."""

from types import ModuleType

import numpy as np

from polykeras.backend import BackendSpec, hookimpl
from polykeras.backend._discovery import new_registry
from polykeras.backend.array_api import ArrayAPIBackend

__all__ = ["offering", "plugin", "registry_of", "supplying", "toy"]


def plugin(**hooks):
    """Return a module with these hooks, as an entry point would give it."""
    module = ModuleType("plugin")
    vars(module).update(hooks)
    return module


def toy(name="toy"):
    """Return a backend on NumPy under another name."""
    return ArrayAPIBackend(np, name)


def offering(*specs):
    """Return a plugin that offers backends; a string stands for a toy of that name."""
    specs = [
        BackendSpec(name=s, summary="", load=lambda s=s: toy(s))
        if isinstance(s, str)
        else s
        for s in specs
    ]

    @hookimpl
    def polykeras_backends():
        return specs

    return plugin(polykeras_backends=polykeras_backends)


def supplying(kernels):
    """Return a plugin that supplies kernels; `kernels` takes the backend."""

    @hookimpl
    def polykeras_kernels(backend):
        return kernels(backend)

    return plugin(polykeras_kernels=polykeras_kernels)


def registry_of(**plugins):
    """Return a registry with these plugins, each of a distribution named dist-NAME."""
    found = new_registry()
    for name, plugin in plugins.items():
        found.register(plugin, name, f"dist-{name}", "1.2")
    return found
