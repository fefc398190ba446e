"""`Input` and the layer behind it: where data enters a model."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes
from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer
from polykeras.registry import public
from polykeras.symbolic import KerasTensor, Node

__all__ = ["Input", "InputLayer"]


@public
class InputLayer(Layer):
    """The start of a functional or sequential model.

    Args:
        shape: Shape of one sample; None where unknown.
        batch_size: Size of the batch axis, or None.
        dtype: Dtype of the data; None means floatx.
        sparse: Kept for Keras' signature; must be falsy.
        ragged: Kept likewise.
        batch_shape: Shape with the batch axis, instead of `shape`.
        input_tensor: A symbolic tensor to use.
        optional: Whether None may be passed.
        name: A name.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the symbolic tensor."""
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ArgumentError("Sparse and ragged inputs are not supported.")
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if batch_shape is None:
            if shape is None:
                raise ArgumentError(
                    "Input needs the shape of one sample: Input(shape=(784,))."
                )
            sizes = (shape,) if isinstance(shape, int) else tuple(shape)
            batch_shape = (batch_size, *sizes)
        for n in batch_shape:
            if n is not None and (not isinstance(n, int) or n < 0):
                raise ArgumentError(
                    f"An input shape holds non-negative integers and None, got "
                    f"{tuple(batch_shape)}."
                )
        self.batch_shape = tuple(batch_shape)
        self._dtype = dtypes.standardize_dtype(dtype or config.floatx())
        self.optional = optional
        self.built = True
        output = input_tensor
        if output is None:
            output = KerasTensor(self.batch_shape, self._dtype, name=self.name)
        self._inbound_nodes.append(Node(self, (), {}, output))

    def call(self) -> None:
        """Do nothing: the model supplies the value."""

    @property
    def dtype(self) -> str:
        """The dtype of the data."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputLayer:
        """Return the layer of a config."""
        config = dict(config)
        if config.get("batch_shape") is not None:
            config["batch_shape"] = tuple(config["batch_shape"])
        return cls(**config)


def Input(  # noqa: N802 Keras' name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Return a symbolic tensor that stands for the data of a model.

    Args:
        shape: Shape of one sample, without the batch axis; None where unknown.
        batch_size: Size of the batch axis, or None.
        dtype: Dtype of the data; None means floatx.
        sparse: Kept for Keras' signature; must be falsy.
        ragged: Kept likewise.
        batch_shape: Shape with the batch axis, instead of `shape`.
        name: A name, the key in dicts of inputs.
        tensor: A symbolic tensor to use.
        optional: Whether None may be passed.

    Returns:
        A `KerasTensor` of shape ``(batch_size, *shape)``.

    Raises:
        ArgumentError: If no shape is given or a size is negative.

    >>> import polykeras as keras
    >>> keras.Input(shape=(784,)).shape
    (None, 784)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    )
    output = layer._inbound_nodes[0].outputs[0]
    return output
