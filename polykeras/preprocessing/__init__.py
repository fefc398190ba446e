"""Preparing sequences and images for a model: Keras' older home of these helpers."""

from __future__ import annotations

from polykeras.preprocessing import image, sequence, text
from polykeras.utils.image_dataset import image_dataset_from_directory
from polykeras.utils.text_dataset import text_dataset_from_directory
from polykeras.utils.timeseries_dataset import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
