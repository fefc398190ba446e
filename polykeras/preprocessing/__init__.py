"""Preparing sequences and images for a model: Keras' older home of these helpers."""

from __future__ import annotations

from polykeras.preprocessing import image, sequence

__all__ = ["image", "sequence"]
