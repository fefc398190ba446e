"""Text on the host: arrays of strings, and the layers that take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Array
from polykeras.errors import DataError
from polykeras.layers.layer import Layer
from polykeras.ops._abstract import Spec
from polykeras.symbolic import KerasTensor

__all__ = ["HostLayer", "adapt_batches", "as_array", "as_text"]


def as_text(x: Any, encoding: str = "utf-8") -> Array:
    """Return strings, bytes or (nested) lists of them as an array of strings."""
    array = x if isinstance(x, np.ndarray) else np.asarray(x)
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind == "S":
        return np.char.decode(array, encoding)
    if array.dtype == object:
        flat = [
            v.decode(encoding) if isinstance(v, bytes) else str(v) for v in array.flat
        ]
        return np.array(flat, dtype=str).reshape(array.shape)
    return array.astype(str)


def as_array(x: Any) -> Array:
    """Return data, wherever they are, as a NumPy array."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "to_numpy") and not hasattr(x, "__dlpack__"):
        found: Array = x.to_numpy()
        return found
    if hasattr(x, "shape"):
        found = ops.convert_to_numpy(x)
        return found
    try:
        return np.asarray(x)
    except ValueError:
        # Rows of unequal length: what they hold is all that counts.
        return np.asarray([v for row in x for v in row])


def adapt_batches(layer: str, data: Any, steps: int | None) -> Iterator[Array]:
    """Yield the arrays of a data set that a layer adapts to.

    Args:
        layer: The layer's class, for messages.
        data: An array, tensor, list or data frame; or an iterable of batches, of
            which the first part counts where they are tuples.
        steps: How many batches to take at most; None means all.

    Raises:
        DataError: If there are none.
    """
    count = 0
    for array in _batches(data):
        if steps is not None and count >= steps:
            break
        count += 1
        yield array
    if not count:
        raise DataError(f"{layer}.adapt got no data.")


def _batches(data: Any) -> Iterable[Array]:
    if hasattr(data, "shape") or hasattr(data, "to_numpy"):
        return [as_array(data)]
    if isinstance(data, list | tuple | str):
        return [as_array(data)]
    return (as_array(batch[0] if isinstance(batch, tuple) else batch) for batch in data)


class HostLayer(Layer):
    """A layer that computes with NumPy on the host, from text or to text.

    Its inputs have no gradient. In a model it stands before everything else, and the
    steps and calls of this model are not compiled. A subclass says what it computes in
    `host_call`, and which shape that has in `host_shape`.
    """

    _computes_on_host = True

    @property
    def input_dtype(self) -> str:
        """The dtype of the inputs: text."""
        return "string"

    @property
    def _casts_inputs(self) -> bool:
        return False

    def host_call(self, inputs: Any) -> Any:
        """Return the outputs for values on the host."""
        raise NotImplementedError

    def host_shape(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Return the shape and dtype of the outputs for inputs of a shape."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        """Return a tensor, or where the outputs are text an array of strings."""
        if isinstance(inputs, Spec):
            shape, dtype = self.host_shape(tuple(inputs.shape))
            if dtype == "string":
                return Spec(shape, dtype)
            # A size that only the values tell: any that is unknown as well.
            known = tuple(inputs.shape[0] if n is None else n for n in shape)
            return ops.zeros(known, dtype=dtype)
        return self.host_call(inputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic outputs for symbolic inputs, running nothing."""
        shape, dtype = self.host_shape(tuple(args[0].shape))
        return KerasTensor(shape, dtype)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the outputs for inputs of a given shape."""
        shape = args[0] if args else kwargs["input_shape"]
        return self.host_shape(tuple(shape))[0]
