"""Find plugins through entry points, and survive the broken ones."""

from __future__ import annotations

import re
import threading
import traceback
import warnings
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from polykeras.backend._kernels import KernelTable, attach_plugin_kernels
from polykeras.backend._spec import PROJECT, SPI_VERSION, BackendSpec, HookSpecs
from polykeras.errors import (
    BackendNotFound,
    BackendUnavailable,
    IncompatibleBackend,
    nearest,
)

if TYPE_CHECKING:
    from polykeras.backend._base import Backend

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
    """Every backend on offer, by name, and every plugin that failed."""

    manager: pluggy.PluginManager
    providers: dict[str, list[Provider]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
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
            specs = [spec for specs in hook() for spec in specs]
        except Exception as error:  # noqa: BLE001 a bad plugin must not stop the others
            self._record(name, distribution, error)
            if self.manager.get_plugin(name) is plugin:
                self.manager.unregister(plugin)
            return
        for spec in specs:
            provider = Provider(spec, distribution or name, version)
            self.providers.setdefault(spec.name, []).append(provider)

    def _record(self, name: str, distribution: str, error: Exception) -> None:
        summary = f"{type(error).__name__}: {error}"
        text = "".join(traceback.format_exception(error))
        self.failures.append(Failure(name, distribution, summary, text))
        warnings.warn(
            f"The polykeras plugin {name!r} of distribution "
            f"{distribution or 'unknown'!r} failed to load and is ignored: {summary}. "
            "Run `polykeras backends` to see the traceback.",
            RuntimeWarning,
            stacklevel=4,
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
            backend = spec.load()
        except ImportError as error:
            raise BackendUnavailable(
                f"The backend {spec.name!r} is installed, but its library failed to "
                f"import: {error}. Install it with: {spec.install_hint}"
            ) from error
        backend.distribution = provider.distribution
        backend.kernels = KernelTable(backend)
        attach_plugin_kernels(self.manager, backend)
        return backend


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


def _discover() -> Registry:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    found = Registry(manager)
    for entry in metadata.entry_points(group=PROJECT):
        dist: Any = entry.dist
        distribution, version = (dist.name, dist.version) if dist else ("", "")
        try:
            plugin = entry.load()
        except Exception as error:  # noqa: BLE001 a bad plugin must not stop the others
            found._record(entry.name, distribution, error)
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
