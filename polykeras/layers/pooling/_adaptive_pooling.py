"""What pooling to a given size shares."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import config
from polykeras.errors import ArgumentError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import positive
from polykeras.layers.layer import Layer

__all__ = ["AdaptivePooling"]


class AdaptivePooling(Layer):
    """A layer that divides each spatial axis into a given number of windows.

    Args:
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If the number of sizes is wrong, or one is not positive.
    """

    _rank: ClassVar[int]

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Any
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        cls, rank = type(self).__name__, self._rank
        given = (
            tuple(output_size)
            if isinstance(output_size, list | tuple)
            else (output_size,) * rank
        )
        if len(given) != rank:
            raise ArgumentError(
                f"{cls} needs one int or {rank} for output_size, got {output_size!r}."
            )
        self.output_size = tuple(
            None if n is None else positive(cls, "output_size", n) for n in given
        )
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "data_format": self.data_format,
        }
