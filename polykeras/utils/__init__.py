"""Helpers around arrays, files and images.

Each name is imported when it is first used, so `import polykeras` stays light. To add
a name, add its line to the table.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_EXPORTS: Final = {
    "CustomObjectScope": "polykeras.registry",
    "Progbar": "polykeras.utils.progbar",
    "PyDataset": "polykeras.utils.py_dataset",
    "Sequence": "polykeras.utils.py_dataset",
    "array_to_img": "polykeras.utils.images",
    "clear_session": "polykeras.naming",
    "custom_object_scope": "polykeras.registry",
    "deserialize_keras_object": "polykeras.saving",
    "disable_interactive_logging": "polykeras.config",
    "enable_interactive_logging": "polykeras.config",
    "get_custom_objects": "polykeras.registry",
    "get_registered_name": "polykeras.registry",
    "get_registered_object": "polykeras.saving",
    "is_interactive_logging_enabled": "polykeras.config",
    "is_keras_tensor": "polykeras.symbolic",
    "plot_model": "polykeras.visualization",
    "register_keras_serializable": "polykeras.registry",
    "serialize_keras_object": "polykeras.saving",
    "set_random_seed": "polykeras.random",
    "standardize_dtype": "polykeras.dtypes",
    "get_file": "polykeras.utils.files",
    "image_dataset_from_directory": "polykeras.utils.image_dataset",
    "img_to_array": "polykeras.utils.images",
    "load_img": "polykeras.utils.images",
    "model_to_dot": "polykeras.visualization",
    "normalize": "polykeras.utils.numerical",
    "pack_x_y_sample_weight": "polykeras.utils.packing",
    "pad_sequences": "polykeras.utils.sequences",
    "save_img": "polykeras.utils.images",
    "split_dataset": "polykeras.utils.splitting",
    "text_dataset_from_directory": "polykeras.utils.text_dataset",
    "timeseries_dataset_from_array": "polykeras.utils.timeseries_dataset",
    "to_categorical": "polykeras.utils.numerical",
    "unpack_x_y_sample_weight": "polykeras.utils.packing",
}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605 (the table is the list)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
