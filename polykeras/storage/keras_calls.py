"""What Keras writes about calls in a graph beyond what the user said."""

from __future__ import annotations

import inspect
from typing import Any, Final

from polykeras.registry import get_registered_object

__all__ = ["WRITER", "drop_default_training"]

# The key of an architecture under which polykeras says its version.
WRITER: Final = "polykeras_version"


# Keras' layers by the default of ``training`` in their calls, where it is no None.
_DEFAULTS: Final = {
    False: frozenset(
        [
            "AdditiveAttention",
            "AlphaDropout",
            "Attention",
            "ConvLSTM1D",
            "ConvLSTM2D",
            "ConvLSTM3D",
            "Dropout",
            "GRU",
            "GRUCell",
            "GaussianDropout",
            "GaussianNoise",
            "LSTM",
            "LSTMCell",
            "RNN",
            "SimpleRNN",
            "SimpleRNNCell",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
            "SpectralNormalization",
            "StackedRNNCells",
        ]
    ),
    True: frozenset(
        [
            "AugMix",
            "AutoContrast",
            "CenterCrop",
            "CutMix",
            "Equalization",
            "MixUp",
            "RandAugment",
            "RandomBrightness",
            "RandomColorDegeneration",
            "RandomColorJitter",
            "RandomContrast",
            "RandomCrop",
            "RandomElasticTransform",
            "RandomErasing",
            "RandomFlip",
            "RandomGaussianBlur",
            "RandomGrayscale",
            "RandomHue",
            "RandomInvert",
            "RandomPerspective",
            "RandomPosterization",
            "RandomRotation",
            "RandomSaturation",
            "RandomSharpness",
            "RandomShear",
            "RandomTranslation",
            "RandomZoom",
            "Resizing",
            "Solarization",
        ]
    ),
}


def drop_default_training(config: Any) -> None:
    """Remove arguments ``training`` that repeat the default of a layer's `call`.

    Keras stores the default with every call, ``False`` for `Dropout`, and lets the mode
    of the whole model override it. Here what stands in a call holds, so a loaded model
    would never drop anything.

    Args:
        config: The data of a model that Keras wrote; changed in place.
    """
    stack = [config]
    while stack:
        data = stack.pop()
        if isinstance(data, list):
            stack.extend(data)
        elif isinstance(data, dict):
            stack.extend(data.values())
            calls = data.get("inbound_nodes")
            if isinstance(calls, list) and isinstance(data.get("class_name"), str):
                _clean(data, calls)


def _clean(data: dict[str, Any], calls: list[Any]) -> None:
    default = _default(data)
    if default is None:
        return
    for call in calls:
        kwargs = call.get("kwargs") if isinstance(call, dict) else None
        if isinstance(kwargs, dict) and kwargs.get("training") is default:
            del kwargs["training"]


def _default(data: dict[str, Any]) -> bool | None:
    """Return the default of ``training`` in the class that the data name."""
    registered = data.get("registered_name")
    own = get_registered_object(registered) if isinstance(registered, str) else None
    if own is None:
        for default, names in _DEFAULTS.items():
            if data["class_name"] in names:
                return default
        own = get_registered_object(data["class_name"])
    call = getattr(own, "call", None)
    if call is None:
        return None
    parameter = inspect.signature(call).parameters.get("training")
    found = None if parameter is None else parameter.default
    return found if isinstance(found, bool) else None
