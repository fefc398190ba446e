"""The models of the race, written once against the API that Keras and polykeras share.

Each is a description whose `build` takes the module to build with, ``polykeras`` or
``keras``, so both run this very file. Native contenders read the same description.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

__all__ = [
    "Architecture",
    "Convolutional",
    "Perceptron",
    "Recurrent",
    "Shape",
    "Shapes",
    "Transformer",
]

Shape = tuple[int, ...]
# Name of a layer to the shapes of its weights, in the order of `layer.get_weights()`.
Shapes = dict[str, list[Shape]]


class Architecture(Protocol):
    """A model's description."""

    @property
    def sample(self) -> Shape:
        """Shape of one sample."""

    @property
    def vocabulary(self) -> int:
        """Samples are integers below this; 0 means floats."""

    @property
    def classes(self) -> int:
        """Numbers in an output."""

    @property
    def image(self) -> bool:
        """Whether convolutions do the work."""

    def build(self, keras: Any) -> Any:
        """Return an uncompiled model.

        Args:
            keras: The module, ``polykeras`` or ``keras``.
        """

    def shapes(self) -> Shapes:
        """Return the shapes of the weights of every layer that has some."""


@dataclass(frozen=True)
class Perceptron:
    """Dense layers.

    Args:
        sizes: Features of the input and of each layer's output.
    """

    sizes: tuple[int, ...]
    vocabulary: ClassVar[int] = 0
    image: ClassVar[bool] = False

    @property
    def sample(self) -> Shape:
        return self.sizes[:1]

    @property
    def classes(self) -> int:
        return self.sizes[-1]

    def build(self, keras: Any) -> Any:
        layers = [keras.Input(self.sample)]
        for i, units in enumerate(self.sizes[1:]):
            last = i == len(self.sizes) - 2
            activation = None if last else "relu"
            layers.append(
                keras.layers.Dense(units, activation=activation, name=f"dense{i}")
            )
        return keras.Sequential(layers)

    def shapes(self) -> Shapes:
        pairs = itertools.pairwise(self.sizes)
        return {f"dense{i}": [(m, n), (n,)] for i, (m, n) in enumerate(pairs)}


@dataclass(frozen=True)
class Convolutional:
    """Two convolutions for small images.

    Args:
        classes: Of images.
    """

    classes: int = 10
    vocabulary: ClassVar[int] = 0
    image: ClassVar[bool] = True

    @property
    def sample(self) -> Shape:
        return (28, 28, 1)

    def build(self, keras: Any) -> Any:
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input(self.sample),
                layers.Conv2D(32, 3, activation="relu", name="conv0"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu", name="conv1"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(self.classes, name="dense"),
            ]
        )

    def shapes(self) -> Shapes:
        return {
            "conv0": [(3, 3, 1, 32), (32,)],
            "conv1": [(3, 3, 32, 64), (64,)],
            "dense": [(1600, self.classes), (self.classes,)],
        }


@dataclass(frozen=True, kw_only=True)
class _OverWords:
    """A model over embedded words.

    Args:
        length: Words in a sample.
        vocabulary: Different words.
        width: Features of a word.
        classes: Of samples.
    """

    length: int
    vocabulary: int
    width: int
    classes: int = 10
    image: ClassVar[bool] = False

    @property
    def sample(self) -> Shape:
        return (self.length,)


@dataclass(frozen=True, kw_only=True)
class Recurrent(_OverWords):
    """An LSTM.

    Args:
        units: Of the LSTM.
    """

    units: int

    def build(self, keras: Any) -> Any:
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input(self.sample, dtype="int32"),
                layers.Embedding(self.vocabulary, self.width, name="embedding"),
                layers.LSTM(self.units, name="lstm"),
                layers.Dense(self.classes, name="dense"),
            ]
        )

    def shapes(self) -> Shapes:
        gates = 4 * self.units
        return {
            "embedding": [(self.vocabulary, self.width)],
            "lstm": [(self.width, gates), (self.units, gates), (gates,)],
            "dense": [(self.units, self.classes), (self.classes,)],
        }


@dataclass(frozen=True, kw_only=True)
class Transformer(_OverWords):
    """Blocks of attention and two dense layers, each with a shortcut.

    Between the dense layers there are four times the features of a word.

    Args:
        layers: Blocks.
        heads: Of each attention.
    """

    layers: int
    heads: int

    def build(self, keras: Any) -> Any:
        layers, width = keras.layers, self.width
        inputs = keras.Input(self.sample, dtype="int32")
        x = layers.Embedding(self.vocabulary, width, name="embedding")(inputs)
        for i in range(self.layers):
            attention = layers.MultiHeadAttention(
                self.heads, width // self.heads, name=f"attention{i}"
            )
            norm = layers.LayerNormalization(epsilon=1e-6, name=f"norm{i}a")
            x = norm(layers.Add()([x, attention(x, x)]))
            y = layers.Dense(4 * width, activation="relu", name=f"dense{i}a")(x)
            y = layers.Dense(width, name=f"dense{i}b")(y)
            norm = layers.LayerNormalization(epsilon=1e-6, name=f"norm{i}b")
            x = norm(layers.Add()([x, y]))
        x = layers.GlobalAveragePooling1D()(x)
        return keras.Model(inputs, layers.Dense(self.classes, name="dense")(x))

    def shapes(self) -> Shapes:
        width, heads = self.width, self.heads
        depth = width // heads
        projection = [(width, heads, depth), (heads, depth)]
        found: Shapes = {"embedding": [(self.vocabulary, width)]}
        for i in range(self.layers):
            found[f"attention{i}"] = [*projection * 3, (heads, depth, width), (width,)]
            found[f"norm{i}a"] = [(width,)] * 2
            found[f"dense{i}a"] = [(width, 4 * width), (4 * width,)]
            found[f"dense{i}b"] = [(4 * width, width), (width,)]
            found[f"norm{i}b"] = [(width,)] * 2
        return found | {"dense": [(width, self.classes), (self.classes,)]}
