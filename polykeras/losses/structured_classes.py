"""Losses with margins, of regions and of sequences, as classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.losses.base import LossFunctionWrapper
from polykeras.losses.margin import (
    categorical_hinge,
    circle,
    hinge,
    squared_hinge,
)
from polykeras.losses.segmentation import (
    dice,
    tversky,
)
from polykeras.losses.sequence import ctc
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "CTC",
    "CategoricalHinge",
    "Circle",
    "Dice",
    "Hinge",
    "SquaredHinge",
    "Tversky",
]


@public
class Hinge(LossFunctionWrapper):
    """The mean of ``max(1 - y_true * y_pred, 0)``.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> float(Hinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            hinge,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class SquaredHinge(LossFunctionWrapper):
    """The mean of ``max(1 - y_true * y_pred, 0)**2``.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            squared_hinge,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class CategoricalHinge(LossFunctionWrapper):
    """By how much the best wrong class comes within 1 of the right one.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_hinge,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class Circle(LossFunctionWrapper):
    """Pulls embeddings of equal labels together and pushes others apart.

    Means are over the samples with a loss: one alone with its label has none.

    Args:
        gamma: As for the function.
        margin: How much the decision is relaxed.
        remove_diagonal: Whether a sample is not compared with itself.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )

    def counted(self, y_true: Any, losses: Tensor) -> Tensor:
        """Leave out samples without a loss, such as those alone with their label."""
        return ops.greater(losses, 0)


@public
class Dice(LossFunctionWrapper):
    """One minus the Dice overlap of labels and predictions.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        axis: The axis or axes of one value of the loss.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            dice,
            reduction=reduction,
            name=name,
            dtype=dtype,
            axis=axis,
        )


@public
class Tversky(LossFunctionWrapper):
    """One minus the Tversky overlap of labels and predictions.

    Args:
        alpha: As for the function.
        beta: As for the function.
        reduction: As for `Loss`.
        name: The loss's name.
        axis: The axis or axes of one value of the loss.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            tversky,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            beta=beta,
            axis=axis,
        )


@public
class CTC(LossFunctionWrapper):
    """Connectionist temporal classification of unaligned sequences.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            ctc,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )
