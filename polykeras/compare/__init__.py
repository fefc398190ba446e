"""Where, and by how much, do two engines differ?

The module is a function too: ``polykeras.compare(model, x, y, backends=[...])``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from polykeras.compare._assertion import assert_consistent
from polykeras.compare._compare import compare
from polykeras.compare._engines import engine_named
from polykeras.compare._measures import Measure, Verdict
from polykeras.compare._report import Item, Report

__all__ = [
    "Item",
    "Measure",
    "Report",
    "Verdict",
    "assert_consistent",
    "compare",
    "engine_named",
]


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Report:
        return compare(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
