"""`SpectralNormalization`: a layer whose kernel has the spectral norm 1."""

from __future__ import annotations

from typing import Any

from polykeras import initializers, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import positive
from polykeras.layers.core.wrapper import Wrapper
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["SpectralNormalization"]


@public
class SpectralNormalization(Wrapper):
    """Divide the kernel of a layer by its largest singular value, in training.

    The singular value is followed by power iteration, some steps each call.

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: Steps of power iteration in a call.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If the layer has no kernel.

    Reference: Miyato et al., 2018, "Spectral Normalization for Generative Adversarial
    Networks" (algorithm 1).

    >>> import polykeras as keras
    >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(3))
    >>> layer(keras.ops.ones((2, 5)), training=True).shape
    (2, 3)
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        """Check and remember the configuration."""
        super().__init__(layer, **kwargs)
        self.power_iterations = positive(
            "SpectralNormalization", "power_iterations", power_iterations
        )

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside and the estimate of its first singular vector."""
        super().build(input_shape)
        for name in ("kernel", "embeddings"):
            if hasattr(self.layer, name):
                self.kernel = getattr(self.layer, name)
                break
        else:
            raise ArgumentError(
                "SpectralNormalization wraps a layer with a kernel or embeddings, but "
                f"{self.layer.name!r} ({type(self.layer).__name__}) has neither."
            )
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
        )

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        """Return what the layer computes with its normalised kernel."""
        if training:
            self._normalize()
        return self.layer(inputs)

    def _normalize(self) -> None:
        kernel = self.kernel.value
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = self.vector_u.value
        fixed = ops.stop_gradient(matrix)
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(fixed)), axis=-1)
            u = ops.normalize(ops.matmul(v, fixed), axis=-1)
        sigma = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        self.vector_u.assign(ops.cast(u, self.vector_u.dtype))
        normalized = ops.divide(kernel, ops.reshape(sigma, ()))
        self.kernel.assign(ops.cast(normalized, self.kernel.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "power_iterations": self.power_iterations}
