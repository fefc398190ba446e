"""`VGG19`: 19 layers of small convolutions."""

from __future__ import annotations

from typing import Any

from polykeras.applications import imagenet_utils
from polykeras.applications._vgg import vgg
from polykeras.applications.imagenet_utils import decode_predictions
from polykeras.models import Model

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]


def VGG19(  # noqa: N802 (the architecture's name)
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Model:
    """Return the 19-layer network of the Visual Geometry Group.

    Args:
        include_top: Whether the classifier ends the model.
        weights: None for random weights, or the path of a file.
        input_tensor: A symbolic tensor to build on.
        input_shape: Shape of an image, at least 32 x 32 without the classifier.
        pooling: Without the classifier: None, ``"avg"`` or ``"max"``.
        classes: Classes of the classifier.
        classifier_activation: Of the classifier.
        name: The model's name.

    Raises:
        ArgumentError: If the shape does not fit, or weights would have to be
            downloaded.

    Reference: Simonyan and Zisserman, 2014, "Very Deep Convolutional Networks for
    Large-Scale Image Recognition" (table 1, column E).

    >>> model = VGG19(include_top=False, weights=None, input_shape=(32, 32, 3))
    >>> model.output_shape
    (None, 1, 1, 512)
    """
    return vgg(
        (2, 2, 4, 4, 4),
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as the network wants them; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")
