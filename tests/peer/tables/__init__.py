"""The cases, by group: data that neither library is needed to read."""

from __future__ import annotations

import functools
import importlib

from tests.peer._case import Case

__all__ = ["GROUPS", "table"]

GROUPS = (
    "losses",
    "metrics",
    "optimizers",
    "schedules",
    "parts",
    "layers_basic",
    "layers_windows",
    "layers_sequences",
    "layers_preprocessing",
    "layers_text",
    "ops_elementwise",
    "ops_reductions",
    "ops_arrays",
    "ops_algebra",
    "ops_nets",
)


@functools.cache
def table(group: str) -> list[Case]:
    """Return the cases of a group."""
    return list(importlib.import_module(f"tests.peer.tables.{group}").CASES)
