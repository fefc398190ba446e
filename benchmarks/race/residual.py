"""Residual networks, written as the other models of the race."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from benchmarks.race.models import Shape, Shapes

__all__ = ["Block", "Convolution", "Residual", "basic", "bottlenecks"]

# Sizes, filters and strides of the convolutions of a block.
Plan = tuple[tuple[int, int, int], ...]


class Convolution(NamedTuple):
    """A convolution that normalization follows.

    Args:
        name: What follows ``conv`` and ``norm`` in the names of both layers.
        size: Of the square kernel.
        channels: Of the input.
        filters: Channels of the output.
        stride: In both directions.
    """

    name: str
    size: int
    channels: int
    filters: int
    stride: int


class Block(NamedTuple):
    """Convolutions beside a shortcut.

    Args:
        body: One after the other, a rectifier between two.
        shortcut: The convolution of the shortcut; None hands the input on.
    """

    body: tuple[Convolution, ...]
    shortcut: Convolution | None


@dataclass(frozen=True)
class Residual:
    """A residual network.

    Args:
        side: Of the square images.
        stem: Filters of the first convolution.
        plan: Of each block the sizes, filters and strides of its two or three
            convolutions.
        reduces: Whether the stem halves the image twice, by a convolution of 7 by 7 and
            by pooling of 3 by 3, as for ImageNet.
        classes: Of images.
    """

    side: int
    stem: int
    plan: tuple[Plan, ...]
    reduces: bool = False
    classes: int = 10
    vocabulary: ClassVar[int] = 0
    image: ClassVar[bool] = True

    @property
    def sample(self) -> Shape:
        return (self.side, self.side, 3)

    @property
    def first(self) -> Convolution:
        """The convolution of the stem."""
        size, stride = (7, 2) if self.reduces else (3, 1)
        return Convolution("", size, 3, self.stem, stride)

    def blocks(self) -> Iterator[Block]:
        """Give the blocks in their order."""
        channels = self.stem
        for i, plan in enumerate(self.plan):
            entry = channels
            body = []
            stride = 1
            for part, (size, filters, step) in zip("abc", plan, strict=False):
                body.append(Convolution(f"{i}{part}", size, channels, filters, step))
                channels = filters
                stride *= step
            shortcut = None
            if stride > 1 or entry != channels:
                shortcut = Convolution(f"{i}s", 1, entry, channels, stride)
            yield Block(tuple(body), shortcut)

    def build(self, keras: Any) -> Any:
        layers = keras.layers

        def normalized(x: Any, c: Convolution, padding: str = "same") -> Any:
            convolution = layers.Conv2D(
                c.filters,
                c.size,
                strides=c.stride,
                padding=padding,
                use_bias=False,
                name=f"conv{c.name}",
            )
            return layers.BatchNormalization(name=f"norm{c.name}")(convolution(x))

        x = inputs = keras.Input(self.sample)
        if self.reduces:
            # Zeros on all sides, where "same" would put more of them behind.
            x = normalized(layers.ZeroPadding2D(3)(x), self.first, "valid")
            x = layers.ZeroPadding2D(1)(layers.ReLU()(x))
            x = layers.MaxPooling2D(3, 2)(x)
        else:
            x = layers.ReLU()(normalized(x, self.first))
        for block in self.blocks():
            *before, last = block.body
            y = x
            for convolution in before:
                y = layers.ReLU()(normalized(y, convolution))
            y = normalized(y, last)
            if block.shortcut is not None:
                x = normalized(x, block.shortcut)
            x = layers.ReLU()(layers.Add()([x, y]))
        x = layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, layers.Dense(self.classes, name="dense")(x))

    def shapes(self) -> Shapes:
        found: Shapes = {}
        width = self.stem
        for body, shortcut in [Block((self.first,), None), *self.blocks()]:
            for c in (*body, *([shortcut] if shortcut else [])):
                found[f"conv{c.name}"] = [(c.size, c.size, c.channels, c.filters)]
                found[f"norm{c.name}"] = [(c.filters,)] * 4
            width = body[-1].filters
        return found | {"dense": [(width, self.classes), (self.classes,)]}


def basic(filters: int, stride: int) -> Plan:
    """Return a block of two convolutions of 3 by 3, for `Residual`."""
    return (3, filters, stride), (3, filters, 1)


def bottlenecks(depths: Sequence[int], width: int) -> tuple[Plan, ...]:
    """Return blocks of 1 by 1, 3 by 3 and 1 by 1, for `Residual`.

    Args:
        depths: Blocks of each stage. Stages but the first begin with a stride of 2, in
            the first convolution as in the paper.
        width: Filters of 3 by 3 in the first stage; each stage doubles them.

    Reference:
        He et al., 2015, Deep residual learning for image recognition, table 1.
    """
    found = []
    for stage, depth in enumerate(depths):
        filters = width * 2**stage
        for i in range(depth):
            stride = 2 if stage and not i else 1
            found.append(((1, filters, stride), (3, filters, 1), (1, 4 * filters, 1)))
    return tuple(found)
