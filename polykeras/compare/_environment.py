"""What a comparison ran on: versions, devices, dtypes, seeds, and whose data."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from polykeras.backend import Array, Backend
from polykeras.compare._engines import rounding_of

__all__ = ["digest", "environment_of"]


def digest(arrays: Iterable[Array]) -> str:
    """Return a digest of arrays, by which runs on the same data are known.

    >>> digest([np.zeros(2)]) == digest([np.zeros((2, 1))])
    False
    """
    found = hashlib.sha256()
    for x in arrays:
        found.update(f"{x.dtype} {x.shape}".encode())
        found.update(np.ascontiguousarray(x).tobytes())
    return found.hexdigest()[:16]


def environment_of(engines: Sequence[Backend], **more: Any) -> dict[str, Any]:
    """Return the versions and devices of engines, and more facts as they are.

    Args:
        engines: The engines.
        more: Further facts.
    """
    return {
        "polykeras": version("polykeras"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "engines": {
            e.name: {
                "library": e.library_version(),
                "devices": e.devices(),
                "dtype": rounding_of(e).forced or "as the model says",
                "suppliers": sorted(
                    set(e.kernels.suppliers.values()) - {e.distribution, ""}
                ),
            }
            for e in engines
        },
        **more,
    }
