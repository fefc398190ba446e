"""Pickles of models: a ``.keras`` archive, and the classes that it names."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polykeras.backend import get_backend, use_backend

if TYPE_CHECKING:
    from polykeras.models.model import Model

__all__ = ["pickled"]


def pickled(model: Model) -> tuple[Any, ...]:
    """Return what ``__reduce__`` of a model returns.

    Classes of one's own are pickled by reference, as pickle does with all classes.
    """
    own = {
        type(layer).__name__: type(layer)
        for layer in model._flatten_layers()
        if not type(layer).__module__.startswith("polykeras.")
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        data = path.read_bytes()
    backend = None if model.backend is None else model.backend.name
    return _unpickled, (data, own, backend)


def _unpickled(data: bytes, own: dict[str, type], backend: str | None) -> Any:
    from polykeras.storage.models import load_model

    chosen: Any = (
        nullcontext() if backend is None else use_backend(get_backend(backend))
    )
    with tempfile.TemporaryDirectory() as folder, chosen:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        return load_model(path, custom_objects=own)
