"""Find plugins through entry points, and survive the broken ones."""

from __future__ import annotations

import re
import threading
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import pluggy

from polykeras.backend._base import Backend
from polykeras.backend._kernels import Kernel, KernelTable
from polykeras.backend._spec import PROJECT, SPI_VERSION, BackendSpec, HookSpecs
from polykeras.errors import (
    BackendError,
    BackendNotFound,
    BackendUnavailable,
    IncompatibleBackend,
    nearest,
)

__all__ = ["Failure", "Provider", "Registry", "registry"]


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be loaded: who, and the traceback."""

    plugin: str
    distribution: str
    error: str
    traceback: str


@dataclass
class Provider:
    """One backend on offer and the distribution that offers it."""

    spec: BackendSpec
    distribution: str
    version: str
    backend: Backend | None = None


@dataclass
class Registry:
    """Every backend on offer, by name, and every plugin that failed.

    Attributes:
        manager: pluggy's manager, which knows the hook specifications.
        providers: Backend name to those who offer it; more than one is an error.
        failures: The plugins that could not be loaded.
        owners: Plugin name to the distribution and version it came with.
        lock: Held while a backend is loaded.
    """

    manager: pluggy.PluginManager
    providers: dict[str, list[Provider]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def register(
        self, plugin: object, name: str, distribution: str = "", version: str = ""
    ) -> None:
        """Add a plugin object; one that raises becomes a `Failure` and a warning."""
        try:
            if self.manager.register(plugin, name) is None:
                raise ValueError(f"The plugin {name!r} is blocked or known already.")
            self.manager.check_pending()
            hook = self.manager.subset_hook_caller(
                "polykeras_backends",
                [p for p in self.manager.get_plugins() if p is not plugin],
            )
            specs = [spec for specs in hook() for spec in _checked(name, specs)]
        except Exception as error:  # a bad plugin must not stop the others
            self.record(name, distribution, error)
            if self.manager.get_plugin(name) is plugin:
                self.manager.unregister(plugin)
            return
        self.owners[name] = f"{distribution or name} {version}".strip()
        for spec in specs:
            provider = Provider(spec, distribution or name, version)
            self.providers.setdefault(spec.name, []).append(provider)

    def record(self, name: str, distribution: str, error: Exception) -> None:
        """Note a plugin's failure and warn of it.

        Args:
            name: The plugin's name.
            distribution: What it was installed with; empty if unknown.
            error: What it raised.
        """
        summary = " ".join(f"{type(error).__name__}: {error}".split())
        text = "".join(traceback.format_exception(error))
        self.failures.append(Failure(name, distribution, summary, text))
        warnings.warn(
            f"The polykeras plugin {name!r} of distribution "
            f"{distribution or 'unknown'!r} failed to load and is ignored: "
            f"{summary.removesuffix('.')}. Run `polykeras backends` to see the "
            "traceback.",
            RuntimeWarning,
            stacklevel=3,
        )

    def names(self) -> list[str]:
        """Return the names on offer, highest priority first."""
        return sorted(
            self.providers, key=lambda n: (-self.providers[n][0].spec.priority, n)
        )

    def find(self, name: str) -> Provider:
        """Return the one provider of `name`.

        Raises:
            BackendNotFound: If nobody provides `name`.
            IncompatibleBackend: If two distributions do.
        """
        providers = self.providers.get(name)
        if not providers:
            failed = "".join(
                f" The plugin {f.plugin!r} failed to load: {f.error}."
                for f in self.failures
            )
            raise BackendNotFound(
                f"No installed plugin supplies a backend named {name!r}. "
                f"{nearest(name, self.providers)}{failed}"
            )
        if len(providers) > 1:
            owners = " and ".join(
                f"{p.distribution} {p.version}".strip() for p in providers
            )
            raise IncompatibleBackend(
                f"The backend name {name!r} is supplied by two plugins: {owners}. "
                "Uninstall one of them."
            )
        return providers[0]

    def load(self, name: str) -> Backend:
        """Return the backend called `name`, loading it on first use.

        Raises:
            BackendNotFound: If nobody provides `name`.
            BackendUnavailable: If its library is missing or fails to import.
            IncompatibleBackend: If versions do not fit.
        """
        provider = self.find(name)
        with self.lock:
            if provider.backend is None:
                provider.backend = self._activate(provider)
        return provider.backend

    def _activate(self, provider: Provider) -> Backend:
        spec = provider.spec
        check_spi(provider)
        check_requirements(spec)
        try:
            backend: object = spec.load()
        except BackendError:
            raise
        except Exception as error:
            what = (
                "its library failed to import"
                if isinstance(error, ImportError)
                else f"loading it raised {type(error).__name__}"
            )
            hint = f" Install it with: {spec.install_hint}" if spec.install_hint else ""
            raise BackendUnavailable(
                f"The backend {spec.name!r} is installed, but {what}: {error}.{hint}"
            ) from error
        owner = f"{provider.distribution} {provider.version}".strip()
        if not isinstance(backend, Backend) or backend.name != spec.name:
            raise IncompatibleBackend(
                f"The plugin of {owner} should load a Backend named {spec.name!r}, "
                f"but gave {backend!r} of type {type(backend).__name__}. Report it "
                "to its authors."
            )
        backend.distribution = provider.distribution
        self.bind_kernels(backend)
        return backend

    def bind_kernels(self, backend: Backend) -> None:
        """Give a backend its kernel table: its own kernels and those of plugins.

        Args:
            backend: One made by a plugin, or by the user to be passed directly.
        """
        backend.kernels = KernelTable(backend)
        for impl in reversed(self.manager.hook.polykeras_kernels.get_hookimpls()):
            owner = self.owners.get(impl.plugin_name, impl.plugin_name)
            arguments = (backend,)[: len(impl.argnames)]
            try:
                supplied = _checked_kernels(impl.function(*arguments))
            except Exception as error:  # a bad plugin must not stop the others
                self.record(impl.plugin_name, owner, error)
            else:
                backend.kernels.attach(supplied, owner)


def _checked(plugin: str, specs: object) -> list[BackendSpec]:
    """Return what the hook `polykeras_backends` of a plugin gave, if it is right."""
    if not isinstance(specs, list | tuple) or not all(
        isinstance(spec, BackendSpec) for spec in specs
    ):
        raise TypeError(
            f"The hook polykeras_backends of the plugin {plugin!r} must return a list "
            f"of BackendSpec, but returned {specs!r}."
        )
    return list(specs)


def _checked_kernels(supplied: object) -> Mapping[str, Kernel]:
    """Return what a hook `polykeras_kernels` gave, if it is right."""
    if supplied is None:
        return {}
    if not isinstance(supplied, Mapping) or not all(map(callable, supplied.values())):
        raise TypeError(
            "The hook polykeras_kernels must return a dict of functions by op name, "
            f"or None, but returned {supplied!r}."
        )
    return supplied


def check_spi(provider: Provider) -> None:
    """Refuse a plugin written for another version of this interface."""
    major, minor = provider.spec.spi_version
    if major != SPI_VERSION[0] or minor > SPI_VERSION[1]:
        ours = ".".join(map(str, SPI_VERSION))
        raise IncompatibleBackend(
            f"The backend {provider.spec.name!r} of {provider.distribution} "
            f"{provider.version} is written for plugin interface {major}.{minor}; "
            f"this polykeras has {ours}. Upgrade whichever is older."
        )


def check_requirements(spec: BackendSpec) -> None:
    """Refuse to load a backend whose libraries are missing or too old."""
    for distribution, minimum in spec.requires:
        try:
            found = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            raise BackendUnavailable(
                f"The backend {spec.name!r} needs {distribution} >= {minimum}, which "
                f"is not installed. Install it with: {spec.install_hint}"
            ) from None
        if release(found) < release(minimum):
            raise IncompatibleBackend(
                f"The backend {spec.name!r} needs {distribution} >= {minimum}; "
                f"installed is {found}. Upgrade it with: {spec.install_hint}"
            )


def release(version: str) -> tuple[int, ...]:
    """Return the numeric release part of a version: "2.13.0+cpu" -> (2, 13, 0)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match.group().split("."))) if match else ()


def new_registry() -> Registry:
    """Return a registry that knows the hook specifications and no plugin yet."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    return Registry(manager)


def _discover() -> Registry:
    found = new_registry()
    for entry in metadata.entry_points(group=PROJECT):
        dist: Any = entry.dist
        distribution, version = (dist.name, dist.version) if dist else ("", "")
        try:
            plugin = entry.load()
        except Exception as error:  # a bad plugin must not stop the others
            found.record(entry.name, distribution, error)
            continue
        found.register(plugin, entry.name, distribution, version)
    return found


_registry: Registry | None = None
_lock = threading.RLock()


def registry() -> Registry:
    """Return the registry of installed plugins, discovered on first use."""
    global _registry  # noqa: PLW0603
    if _registry is None:
        with _lock:
            if _registry is None:
                _registry = _discover()
    return _registry
