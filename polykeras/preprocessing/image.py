"""Helpers for images."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from polykeras.utils.image_dataset import smart_resize
from polykeras.utils.images import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def __getattr__(name: str) -> Any:
    if name != "ImageDataGenerator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("polykeras.legacy.image").ImageDataGenerator
