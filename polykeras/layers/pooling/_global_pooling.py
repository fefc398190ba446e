"""What pooling over all places shares."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.layer import Layer

__all__ = ["GlobalPooling"]


class GlobalPooling(Layer):
    """A layer that summarises each channel by one value.

    Args:
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        keepdims: Whether spatial axes stay, of size 1.
        kwargs: See `Layer`.
    """

    _rank: ClassVar[int]

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _spatial_axes(self) -> tuple[int, ...]:
        first = 2 if self.data_format == "channels_first" else 1
        return tuple(range(first, first + self._rank))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
