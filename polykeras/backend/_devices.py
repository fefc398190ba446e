"""Devices by the names that Keras gives them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from polykeras.backend._base import Backend
from polykeras.backend._selection import current_backend

__all__ = ["device", "device_named"]


def device(device_name: str) -> AbstractContextManager[None]:
    """Create the block's tensors on a device of the current backend.

    Args:
        device_name: ``"cpu"``, ``"gpu:0"``, or a name as the backend lists it; any
            accelerator answers to ``"gpu"``.

    Returns:
        A context manager.

    Raises:
        ArgumentError: On entry, if the backend has no such device.

    >>> import polykeras as keras
    >>> with keras.device("cpu"):
    ...     x = keras.ops.ones(2)
    """
    backend = current_backend()
    return backend.device_scope(device_named(backend, device_name))


def device_named(backend: Backend, said: str) -> str:
    """Return the name that a backend has for a device, whether it is there or not.

    Args:
        backend: The backend.
        said: ``"cpu"``, ``"gpu:0"``, or a name as the backend lists it.
    """
    kind, _, number = said.lower().partition(":")
    name = f"{kind}:{number or 0}"
    if kind == "gpu" and name not in backend.devices():
        accelerators = [d for d in backend.devices() if not d.startswith("cpu")]
        matching = [d for d in accelerators if d.endswith(f":{number or 0}")]
        name = matching[0] if matching else name
    return name
