"""The kernel of a convolution that computes a short-time Fourier transform.

Reference: Harris, 1978, "On the Use of Windows for Harmonic Analysis with the
Discrete Fourier Transform", equations 27 (Hann), 30 (Hamming) and 32 (Blackman).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.dtypes import as_numpy_dtype
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.initializers._initializer import Initializer
from polykeras.registry import public, serialize_keras_object

__all__ = ["STFT"]

_WINDOWS: Final = {
    "bartlett": np.bartlett,
    "blackman": np.blackman,
    "hamming": np.hamming,
    "hann": np.hanning,
}
_SIDES: Final = ("imag", "real")
_SCALINGS: Final = ("density", "spectrum")


@public
class STFT(Initializer):
    """Makes the real or imaginary part of windowed Fourier kernels.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: ``"hann"``, ``"hamming"``, ``"blackman"``, ``"bartlett"``, an array
            of values, or None for no window.
        scaling: ``"density"`` divides by the window's root of squares,
            ``"spectrum"`` by its sum, None by nothing.
        periodic: Whether the window is one period of a periodic function.

    Raises:
        ArgumentError: If a word is unknown.
        ShapeError: When called with another shape than (frame, 1, frequencies).

    >>> import polykeras as keras
    >>> keras.initializers.STFT("real", None, None)((4, 1, 3))[1, 0, :2]
    array([1.000000e+00, 6.123234e-17], dtype=float32)
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        """Check and remember the arguments."""
        if side not in _SIDES:
            raise ArgumentError(f"Unknown side {side!r}. {nearest(side, _SIDES)}")
        if isinstance(window, str) and window not in _WINDOWS:
            raise ArgumentError(
                f"Unknown window {window!r}. {nearest(window, _WINDOWS)}"
            )
        if scaling is not None and scaling not in _SCALINGS:
            raise ArgumentError(
                f"Unknown scaling {scaling!r}. {nearest(scaling, _SCALINGS)}"
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def host_values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return the kernels."""
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ShapeError(
                "STFT makes kernels of shape (frame, 1, frequencies), with at least "
                f"two frequencies, but the shape {shape} was asked for."
            )
        frame, _, frequencies = shape
        length = 2 * (frequencies - 1)
        turns = np.outer(np.arange(frame), np.arange(frequencies)) % length
        angle = turns * (2 * np.pi / length)
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        kernel *= self._window(frame)[:, None]
        wide: Array = kernel[:, None].astype(as_numpy_dtype(dtype))
        return wide

    def _window(self, frame: int) -> Array:
        if self.window is None:
            return np.ones(frame)
        if isinstance(self.window, str):
            values = _WINDOWS[self.window](frame + self.periodic)[:frame]
        else:
            values = np.asarray(self.window, np.float64)
            if values.shape != (frame,):
                raise ShapeError(
                    f"STFT has a window of shape {values.shape} for frames of "
                    f"{frame} samples."
                )
        if self.scaling == "density":
            values = values / np.sqrt(np.sum(values**2))
        elif self.scaling == "spectrum":
            values = values / np.sum(values)
        return np.asarray(values)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "side": self.side,
            "window": serialize_keras_object(self.window),
            "scaling": self.scaling,
            "periodic": self.periodic,
        }
