"""Initializers that keep the scale of signals from layer to layer.

Reference: Glorot and Bengio, 2010, "Understanding the Difficulty of Training Deep
Feedforward Neural Networks", equation 16; He et al., 2015, "Delving Deep into
Rectifiers", equation 10; LeCun et al., 1998, "Efficient BackProp", section 4.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from polykeras import random
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, nearest
from polykeras.initializers._initializer import RandomInitializer
from polykeras.ops._shapes import canonical_axes
from polykeras.registry import public

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
    "compute_fans",
]

_MODES: Final = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS: Final = ("truncated_normal", "untruncated_normal", "uniform")
# The standard deviation of a standard normal variable cut off at 2.
_TRUNCATED: Final = 0.87962566103423978


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return how many inputs and outputs a unit of a kernel is connected to.

    Args:
        shape: A kernel's shape: (..., inputs, outputs); leading axes are space.
        input_axes: Which axes hold inputs, where the layout is another one.
        output_axes: Which axes hold outputs; used only together with the former.

    Returns:
        Fan in and fan out.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    sizes = tuple(shape)
    if input_axes is not None and output_axes is not None:
        ins = canonical_axes("compute_fans", list(input_axes), len(sizes))
        outs = canonical_axes("compute_fans", list(output_axes), len(sizes))
        return math.prod(sizes[i] for i in ins), math.prod(sizes[i] for i in outs)
    if not sizes:
        return 1, 1
    if len(sizes) == 1:
        return sizes[0], sizes[0]
    space = math.prod(sizes[:-2])
    return space * sizes[-2], space * sizes[-1]


@public
class VarianceScaling(RandomInitializer):
    """Draws with a variance of ``scale / n``, n connections of a unit.

    Args:
        scale: A positive factor.
        mode: What n is: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"``, ``"untruncated_normal"`` or
            ``"uniform"``.
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Raises:
        ArgumentError: If `scale` is not positive, or a word is unknown.

    >>> import polykeras as keras
    >>> keras.initializers.VarianceScaling(2.0, "fan_in", seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        """Check and remember the arguments."""
        if scale <= 0.0:
            raise ArgumentError(f"Expected a positive scale, got {scale}.")
        if mode not in _MODES:
            raise ArgumentError(f"Unknown mode {mode!r}. {nearest(mode, _MODES)}")
        distribution = distribution.lower()
        # Keras' older name.
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise ArgumentError(
                f"Unknown distribution {distribution!r}. "
                f"{nearest(distribution, _DISTRIBUTIONS)}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def draw(self, shape: Sequence[int], dtype: str, seed: Any) -> Tensor:
        """Return the values."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, n[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, seed)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, stddev, dtype, seed)
        return random.truncated_normal(shape, 0.0, stddev / _TRUNCATED, dtype, seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A `VarianceScaling` whose first three arguments have names of their own."""

    preset: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        """Remember the seed and the axes."""
        super().__init__(
            *self.preset, seed=seed, input_axes=input_axes, output_axes=output_axes
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


@public
class GlorotUniform(_Preset):
    """Draws uniformly within sqrt(6 / (fan_in + fan_out)) of 0.

    Args:
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Reference: Glorot and Bengio, 2010, "Understanding the Difficulty of Training
    Deep Feedforward Neural Networks", equation 16.

    >>> import polykeras as keras
    >>> keras.initializers.GlorotUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    preset = (1.0, "fan_avg", "uniform")


@public
class GlorotNormal(_Preset):
    """Draws truncated normals of variance 2 / (fan_in + fan_out).

    Args:
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Reference: Glorot and Bengio, 2010, "Understanding the Difficulty of Training
    Deep Feedforward Neural Networks", equation 12.
    """

    preset = (1.0, "fan_avg", "truncated_normal")


@public
class HeNormal(_Preset):
    """Draws truncated normals of variance 2 / fan_in.

    Args:
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Reference: He et al., 2015, "Delving Deep into Rectifiers", equation 10.
    """

    preset = (2.0, "fan_in", "truncated_normal")


@public
class HeUniform(_Preset):
    """Draws uniformly within sqrt(6 / fan_in) of 0.

    Args:
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Reference: He et al., 2015, "Delving Deep into Rectifiers", equation 10.
    """

    preset = (2.0, "fan_in", "uniform")


@public
class LecunNormal(_Preset):
    """Draws truncated normals of variance 1 / fan_in.

    Args:
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Reference: LeCun et al., 1998, "Efficient BackProp", equation 16.
    """

    preset = (1.0, "fan_in", "truncated_normal")


@public
class LecunUniform(_Preset):
    """Draws uniformly within sqrt(3 / fan_in) of 0.

    Args:
        seed: An integer, a `SeedGenerator`, or None.
        input_axes: Axes of the kernel that hold inputs, with `output_axes`; None
            for all but the last.
        output_axes: Axes of the kernel that hold outputs, likewise.

    Reference: LeCun et al., 1998, "Efficient BackProp", equation 16.
    """

    preset = (1.0, "fan_in", "uniform")
