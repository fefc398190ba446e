"""Logs as numbers: metric values read from the device."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import ops

__all__ = ["read_logs"]


def read_logs(logs: dict[str, Any]) -> dict[str, Any]:
    """Return logs with floats instead of tensors; waits for the device.

    Args:
        logs: Names to numbers or tensors. A tensor that is no scalar becomes an array,
            and the outputs of a prediction stay as they are.
    """
    read: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, float) or name == "outputs":
            read[name] = value
        else:
            array = np.asarray(ops.convert_to_numpy(value))
            read[name] = float(array) if array.ndim == 0 else array
    return read
