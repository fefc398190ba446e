"""Helpers for sequences."""

from __future__ import annotations

from polykeras.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
