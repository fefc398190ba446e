"""From what users pass to `fit` to batches of tensors."""

from polykeras.training.data._adapter import (
    DataAdapter,
    make_adapter,
    split_off,
    unpack,
)
from polykeras.training.data._arrays import is_text

__all__ = ["DataAdapter", "is_text", "make_adapter", "split_off", "unpack"]
