"""Helpers for images."""

from __future__ import annotations

from polykeras.utils.image_dataset import smart_resize
from polykeras.utils.images import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]
