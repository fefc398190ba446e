"""`Discretization`: real numbers as numbers of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Array, Tensor
from polykeras.errors import ArgumentError, StateError
from polykeras.layers._sizes import positive
from polykeras.layers.layer import Layer
from polykeras.layers.preprocessing._encoding import (
    ENCODINGS,
    check_mode,
    encode,
    no_sparse,
    output_dtype,
)
from polykeras.layers.preprocessing._text import adapt_batches
from polykeras.registry import public

__all__ = ["Discretization"]


@public
class Discretization(Layer):
    """Number the interval that each value lies in.

    The boundaries are given, or found by `adapt` so that all intervals hold equally
    many values. A value equal to a boundary belongs to the interval above.

    Args:
        bin_boundaries: Boundaries in rising order; ``[0., 1.]`` make the intervals
            below 0, from 0 to 1, and from 1 on.
        num_bins: Number of intervals that `adapt` makes.
        epsilon: Kept for Keras' signature: quantiles are exact.
        output_mode: ``"int"``, or ``"one_hot"``, ``"multi_hot"``, ``"count"`` as in
            `CategoryEncoding`.
        sparse: Kept for Keras' signature; must be False.
        dtype: A dtype or policy.
        name: A name.

    Raises:
        ArgumentError: If not exactly one of `bin_boundaries` and `num_bins` is given.

    >>> import polykeras as keras
    >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    >>> layer(keras.ops.array([-1.5, 0.0, 1.3, 3.4])).tolist()
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(name=name, dtype=dtype, **kwargs)
        no_sparse("Discretization", sparse)
        if (bin_boundaries is None) == (num_bins is None):
            raise ArgumentError(
                "Discretization needs either bin_boundaries or num_bins, got "
                f"bin_boundaries={bin_boundaries!r} and num_bins={num_bins!r}."
            )
        self.num_bins = num_bins
        if num_bins is not None:
            self.num_bins = positive("Discretization", "num_bins", num_bins)
        self.epsilon = epsilon
        self.output_mode = check_mode(
            "Discretization", output_mode, ("int", *ENCODINGS)
        )
        self.sparse = sparse
        self.input_bin_boundaries: list[float] | None = None
        if bin_boundaries is not None:
            edges = np.asarray(bin_boundaries, "float64").ravel()
            if np.any(np.diff(edges) <= 0):
                raise ArgumentError(
                    "bin_boundaries must rise from one to the next, got "
                    f"{edges.tolist()}."
                )
            self.input_bin_boundaries = edges.tolist()
        self.bin_boundaries: list[float] = self.input_bin_boundaries or []
        self._seen: list[Array] = []

    @property
    def _casts_inputs(self) -> bool:
        return False

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find boundaries that put equally many values of a data set in each interval.

        Args:
            data: An array, a tensor, or an iterable of batches.
            steps: How many batches to take at most; None means all.

        Raises:
            ArgumentError: If the boundaries were given.
        """
        self.reset_state()
        for batch in adapt_batches("Discretization", data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take a batch into account at the next `finalize_state`."""
        self._require_adaptable()
        self._seen.append(np.asarray(data, "float64").ravel())

    def finalize_state(self) -> None:
        """Set the boundaries from the batches seen."""
        if self.input_bin_boundaries is not None or not self._seen:
            return
        values = np.sort(np.concatenate(self._seen))
        shares = np.arange(1, len(values) + 1) / len(values)
        wanted = np.arange(1, self.num_bins or 1) / (self.num_bins or 1)
        self.bin_boundaries = np.interp(wanted, shares, values).tolist()
        self._seen = []

    def reset_state(self) -> None:
        """Forget the batches seen and the boundaries found."""
        self._require_adaptable()
        self._seen = []
        self.bin_boundaries = []

    def _require_adaptable(self) -> None:
        if self.input_bin_boundaries is not None:
            raise ArgumentError(
                "Discretization was given bin_boundaries and cannot adapt. Give "
                "num_bins to find them from data."
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Return numbers in the shape of `inputs`, or rows of a table.

        Raises:
            StateError: If the layer has neither boundaries nor been adapted.
        """
        if not self.bin_boundaries and (self.num_bins or 2) > 1:
            raise StateError(
                f"The layer {self.name!r} has no boundaries yet. Call adapt(data) "
                "first, or pass bin_boundaries."
            )
        x = ops.convert_to_tensor(inputs)
        if not ops.dtype(x).startswith(("float", "bfloat")):
            x = ops.cast(x, "float32")
        edges = ops.cast(np.asarray(self.bin_boundaries, "float64"), ops.dtype(x))
        numbers = ops.cast(ops.digitize(x, edges), "int32")
        dtype = output_dtype(self.compute_dtype, self.output_mode)
        if self.output_mode == "int":
            return ops.cast(numbers, dtype)
        return encode(numbers, self.output_mode, len(self.bin_boundaries) + 1, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the boundaries found so far."""
        adapted = self.input_bin_boundaries is None and bool(self.bin_boundaries)
        # Keras' class takes no more than these.
        return {
            "name": self.name,
            "dtype": self.dtype_policy.name,
            "bin_boundaries": self.bin_boundaries or None,
            "num_bins": None if adapted else self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the layer of a config; boundaries, if there are any, say all."""
        if config.get("bin_boundaries") is not None:
            config = {**config, "num_bins": None}
        return super().from_config(config)
