"""`written`: a case that needs a few lines of code of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.peer._case import Case, Prepared

__all__ = ["written"]


def written(name: str, function: Callable[..., Any], *args: Any, **about: Any) -> Case:
    """A function of the package and of tensors, named after what it is about."""

    def prepared(keras: Any, case: Case) -> Prepared:
        return Prepared(lambda *x: function(keras, *case.arguments(keras, list(x))[0]))

    label = f" {function.__name__.strip('_')}"
    return Case(name, args, {}, prepared, label=label, **about)
