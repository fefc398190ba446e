"""What pooling in windows shares."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import one_of, per_axis
from polykeras.layers.layer import Layer

__all__ = ["WindowPooling"]


class WindowPooling(Layer):
    """A layer that summarises windows, channel by channel.

    Args:
        pool_size: Size of the window, one int or one per spatial axis.
        strides: Step of the window; None means `pool_size`.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        name: A name, unique within a model.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not an allowed value.
    """

    _rank: ClassVar[int]

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(name=name, **kwargs)
        cls, rank = type(self).__name__, self._rank
        self.pool_size = per_axis(cls, "pool_size", pool_size, rank)
        steps = self.pool_size if strides is None else strides
        self.strides = per_axis(cls, "strides", steps, rank)
        self.padding = one_of(cls, "padding", padding, ("valid", "same"))
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }
