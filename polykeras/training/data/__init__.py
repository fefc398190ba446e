"""From what users pass to `fit` to batches of tensors."""

from polykeras.training.data._adapter import (
    DataAdapter,
    make_adapter,
    split_off,
    unpack,
)

__all__ = ["DataAdapter", "make_adapter", "split_off", "unpack"]
