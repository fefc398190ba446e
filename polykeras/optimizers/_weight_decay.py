"""Which variables decay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polykeras.variables import Variable

__all__ = ["DecayFilter"]


class DecayFilter:
    """Says for a variable whether weight decay applies to it."""

    def __init__(self) -> None:
        """Let everything decay."""
        self._excluded: list[Variable] = []
        self._pattern: re.Pattern[str] | None = None

    def exclude(
        self,
        variables: Sequence[Variable] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        """Exclude these variables, and those whose name matches one of `names`."""
        self._excluded = list(variables or ())
        self._pattern = re.compile("|".join(sorted(set(names)))) if names else None

    def applies(self, variable: Variable) -> bool:
        """Return whether `variable` decays."""
        if any(variable is v for v in self._excluded):
            return False
        return self._pattern is None or not self._pattern.search(variable.name)
