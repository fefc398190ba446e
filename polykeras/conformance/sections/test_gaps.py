"""Gaps: every declared gap is about some case."""

from __future__ import annotations

from polykeras.backend import Backend


def test_gaps(backend: Backend, unmatched_gaps: list[str]) -> None:
    assert not unmatched_gaps, (
        f"{backend.name}: these patterns of declared gaps match no case: "
        f"{', '.join(unmatched_gaps)}"
    )
