"""`HashedCrossing`: pairs of categories as categories of their own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras import ops
from polykeras.backend import Array
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._sizes import positive
from polykeras.layers.preprocessing._encoding import (
    check_mode,
    encode,
    encoded_shape,
    hashing_dtype,
    no_sparse,
    output_dtype,
)
from polykeras.layers.preprocessing._fingerprints import combined, farm_fingerprint
from polykeras.layers.preprocessing._text import HostLayer, as_array, as_text
from polykeras.registry import public

__all__ = ["HashedCrossing"]

_SEED: Final = 0xDECAFCAFFE


@public
class HashedCrossing(HostLayer):
    """Number the combinations of several features by a hash, as Keras does.

    Args:
        num_bins: Number of bins.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: Kept for Keras' signature; must be False.
        name: A name.
        dtype: A dtype or policy.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not among those allowed.

    >>> import polykeras as keras
    >>> layer = keras.layers.HashedCrossing(num_bins=5)
    >>> layer((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).tolist()
    [1, 4, 1, 1, 3]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        dtype = hashing_dtype("HashedCrossing", dtype, output_mode)
        super().__init__(name=name, dtype=dtype, **kwargs)
        no_sparse("HashedCrossing", sparse)
        self.num_bins = positive("HashedCrossing", "num_bins", num_bins)
        self.output_mode = check_mode("HashedCrossing", output_mode, ("int", "one_hot"))
        self.sparse = sparse

    def call(self, inputs: Any) -> Any:
        """Return the number of the bin of each combination.

        Args:
            inputs: Features of equal shape: ``()``, ``(B,)`` or ``(B, 1)``.

        Raises:
            ArgumentError: If there are fewer than two features.
            ShapeError: If their shapes differ.
        """
        if not isinstance(inputs, list | tuple) or len(inputs) < 2:
            raise ArgumentError(
                "HashedCrossing combines features: pass a list or tuple of at least "
                f"two, got {type(inputs).__name__}."
            )
        return super().call(inputs)

    def host_call(self, inputs: Any) -> Any:
        """Return the number of the bin of each combination."""
        features = [as_array(x) for x in inputs]
        shapes = [x.shape for x in features]
        if len(set(shapes)) > 1:
            raise ShapeError(
                f"HashedCrossing needs features of one shape, got {shapes}."
            )
        columns = [_fingerprints(x) for x in features]
        numbers = np.array(
            [_crossed(row) % self.num_bins for row in zip(*columns, strict=True)],
            dtype="int32",
        ).reshape(shapes[0])
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        if self.output_mode == "int":
            return ops.cast(numbers, dtype)
        return encode(
            ops.convert_to_tensor(numbers), self.output_mode, self.num_bins, dtype
        )

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic output, of the shape of the first feature."""
        return super().compute_output_spec(args[0][0])

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the outputs for features of given shapes."""
        shapes = args[0] if args else kwargs["input_shape"]
        return self.host_shape(tuple(shapes[0]))[0]

    def host_shape(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Return the shape and dtype of the outputs."""
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        return encoded_shape(shape, self.output_mode, self.num_bins), dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }


def _fingerprints(x: Array) -> list[int]:
    """Return whole numbers as they are, and fingerprints of texts."""
    if x.dtype.kind in "iub":
        return [int(v) & ((1 << 64) - 1) for v in x.ravel().tolist()]
    return [farm_fingerprint(v.encode()) for v in as_text(x).ravel().tolist()]


def _crossed(row: tuple[int, ...]) -> int:
    result = _SEED
    for fingerprint in row:
        result = combined(result, fingerprint)
    return result
