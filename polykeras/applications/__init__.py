"""Architectures that books build on, without weights or with those of a local file."""

from polykeras.applications import (
    efficientnet,
    imagenet_utils,
    mobilenet_v2,
    resnet50,
    vgg16,
    vgg19,
    xception,
)
from polykeras.applications.efficientnet import EfficientNetB0
from polykeras.applications.mobilenet_v2 import MobileNetV2
from polykeras.applications.resnet50 import ResNet50
from polykeras.applications.vgg16 import VGG16
from polykeras.applications.vgg19 import VGG19
from polykeras.applications.xception import Xception

__all__ = [
    "VGG16",
    "VGG19",
    "EfficientNetB0",
    "MobileNetV2",
    "ResNet50",
    "Xception",
    "efficientnet",
    "imagenet_utils",
    "mobilenet_v2",
    "resnet50",
    "vgg16",
    "vgg19",
    "xception",
]
