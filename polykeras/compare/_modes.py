"""Engines on a device of one's choice, or with narrower products: `torch@cuda:0:tf32`.

Where a device is missing, or has no such products, the engine is listed as not
comparable, and the others are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from polykeras.backend import Array, Backend, Kernel, Tensor
from polykeras.backend._devices import device_named
from polykeras.compare._engines import Delegate

__all__ = ["OnDevice", "Scoped", "WithProducts", "why_missing"]


class Scoped(Delegate):
    """A backend whose every step and tensor is made inside a scope."""

    def scope(self) -> AbstractContextManager[None]:
        """Return the scope."""
        raise NotImplementedError

    def missing(self) -> str:
        """Return why the engine cannot run on this machine, or nothing."""
        raise NotImplementedError

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Enter the scope too."""
        with self.scope(), super().step_scope():
            yield

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return the kernel inside the scope, wherever it is called."""

        def scoped(*args: Any) -> Any:
            with self.scope():
                return kernel(*args)

        return scoped

    def compile(self, fn: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """Compile and run inside the scope."""
        compiled = self.inner.compile(fn, **options)

        def scoped(*args: Any) -> Any:
            with self.scope():
                return compiled(*args)

        return scoped


class OnDevice(Scoped):
    """A backend whose tensors live on one of its devices.

    Args:
        inner: The backend.
        device: The device, as `polykeras.device` takes it.
    """

    def __init__(self, inner: Backend, device: str) -> None:
        """Find the device's name."""
        self.device = device_named(inner, device)
        super().__init__(inner, f"{inner.name}@{device}")

    def scope(self) -> AbstractContextManager[None]:
        """Return the scope of the device."""
        return self.inner.device_scope(self.device)

    def missing(self) -> str:
        """Return which devices there are instead, if this one is not there."""
        names = self.inner.devices()
        if self.device in names:
            return ""
        return (
            f"the device {self.device!r} is not available: {self.inner.name!r} has "
            f"{', '.join(names)} here"
        )

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return a tensor on the device."""
        with self.scope():
            return self.inner.from_numpy(x, dtype)

    def scalar(self, value: complex, dtype: str) -> Tensor:
        """Return a 0-d tensor on the device."""
        with self.scope():
            return self.inner.scalar(value, dtype)


class WithProducts(Scoped):
    """A backend that multiplies float32 in another precision.

    Args:
        inner: The backend.
        precision: One of `Backend.precisions`.
    """

    def __init__(self, inner: Backend, precision: str) -> None:
        """Remember the precision."""
        self.precision = precision
        super().__init__(inner, f"{inner.name}:{precision}")

    def scope(self) -> AbstractContextManager[None]:
        """Return the scope of the precision."""
        return self.inner.precision_scope(self.precision)

    def missing(self) -> str:
        """Return what there is instead, if no device has the precision."""
        known = self.inner.precisions()
        if self.precision in known:
            return ""
        return (
            f"{self.precision} is not available on this device: {self.inner.name!r} "
            f"has {', '.join(known)} on {', '.join(self.inner.devices())}"
        )


def why_missing(engine: Backend) -> str:
    """Return why an engine cannot run on this machine, or nothing."""
    if isinstance(engine, Scoped) and (why := engine.missing()):
        return why
    return why_missing(engine.inner) if isinstance(engine, Delegate) else ""
