"""Declared gaps: which conformance cases a backend is known not to pass."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from polykeras.backend import Backend, ConformanceGap, registry
from polykeras.errors import ArgumentError

__all__ = ["checkable", "gap_of", "gaps_of"]

_KINDS = ("not yet", "upstream", "never")


def gaps_of(backend: Backend) -> list[ConformanceGap]:
    """Return what plugins declare about a backend.

    Raises:
        ArgumentError: If a declaration has no reason or an unknown kind.
    """
    declared = registry().manager.hook.polykeras_conformance_gaps(backend=backend)
    gaps = [gap for gaps in declared for gap in gaps]
    for gap in gaps:
        if gap.kind not in _KINDS or not gap.reason.strip():
            raise ArgumentError(
                f"A conformance gap of {backend.name!r} needs a reason and a kind "
                f"among {', '.join(_KINDS)}, got {gap!r}."
            )
    return gaps


def gap_of(gaps: Iterable[ConformanceGap], case: str) -> ConformanceGap | None:
    """Return the first gap whose pattern matches a case id."""
    return next((gap for gap in gaps if fnmatchcase(case, gap.pattern)), None)


def checkable(
    gaps: Iterable[ConformanceGap], sections: tuple[str, ...], ops: tuple[str, ...]
) -> list[ConformanceGap]:
    """Return the gaps of which some case must be in a run.

    Args:
        gaps: What is declared.
        sections: The sections run; empty for all. Where only some are, patterns
            that do not begin with the name of one may be about others.
        ops: The ops run; where only some are, no pattern has to match.
    """
    if ops:
        return []
    if not sections:
        return list(gaps)
    return [gap for gap in gaps if gap.pattern.partition("/")[0] in sections]
