"""From what users pass to `fit` to batches of tensors."""

from polykeras.training.data._adapter import (
    DataAdapter,
    make_adapter,
    split_off,
    unpack,
)
from polykeras.training.data._ahead import RunGroup
from polykeras.training.data._arrays import is_text
from polykeras.training.data._groups import Group, Plan, Rows, Stacked, gathered

__all__ = [
    "DataAdapter",
    "Group",
    "Plan",
    "Rows",
    "RunGroup",
    "Stacked",
    "gathered",
    "is_text",
    "make_adapter",
    "split_off",
    "unpack",
]
