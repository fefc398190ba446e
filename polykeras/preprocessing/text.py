"""The old path of `polykeras.legacy.text`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = ("Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence")

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("polykeras.legacy.text"), name)
