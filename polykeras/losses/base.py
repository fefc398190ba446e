"""`Loss`: the base class, and the wrapper that makes one of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from polykeras import config, dtypes, naming, ops, tree
from polykeras.arguments import CheckedArguments
from polykeras.losses.alignment import as_dtype
from polykeras.losses.reduction import check_reduction, mask_weight, reduce_losses
from polykeras.registry import (
    deserialize_keras_object,
    public,
    serialize_keras_object,
)

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["Loss", "LossFunctionWrapper"]


@public
class Loss(CheckedArguments):
    """The base class of losses.

    A subclass gives `call`, which returns one loss for each sample.

    Args:
        name: The loss's name.
        reduction: What becomes of the losses of a batch:
            ``"sum_over_batch_size"`` or ``"mean"`` divides their sum by their
            number, ``"mean_with_sample_weight"`` by the sum of the weights;
            ``"sum"``; ``"none"`` or None keeps them.
        dtype: The dtype of the computation; None means floatx.

    Raises:
        ArgumentError: If the reduction is unknown.

    >>> import polykeras as keras
    >>> class Gap(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)
    >>> float(Gap()(keras.ops.array([[1.0]]), keras.ops.array([[3.0]])))
    2.0
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        check_reduction(reduction)
        self.name = name or naming.auto_name(type(self))
        self.reduction = reduction
        self._dtype_argument = dtype
        named = getattr(dtype, "compute_dtype", dtype)
        self._dtype = dtypes.standardize_dtype(named or config.floatx())

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss of a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weights of the leading axes of the losses.

        Returns:
            A scalar, or with ``reduction="none"`` one loss for each sample.

        Raises:
            ShapeError: If shapes do not fit.
        """
        y_pred = tree.map_leaves(self._as_input, y_pred)
        y_true = tree.map_leaves(self._as_label, y_true)
        losses = self.call(y_true, y_pred)
        mask = self.counted(y_true, losses)
        if mask is not None:
            mean = self.reduction in ("mean", "sum_over_batch_size")
            sample_weight = mask_weight(mask, sample_weight, self._dtype, mean)
        return reduce_losses(losses, sample_weight, self.reduction, self._dtype)

    def _as_input(self, x: Any) -> Tensor:
        return as_dtype(x, self._dtype)

    def _as_label(self, x: Any) -> Tensor:
        # Class numbers stay integers: 16-bit floats cannot hold many of them.
        x = ops.convert_to_tensor(x)
        if dtypes.is_float(ops.dtype(x)):
            return self._as_input(x)
        return x

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return one loss for each sample; subclasses override this.

        Args:
            y_true: Labels.
            y_pred: Predictions.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override call(y_true, y_pred)."
        )

    def counted(self, y_true: Any, losses: Tensor) -> Tensor | None:
        """Return which losses count, where the loss itself leaves some out."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"name": self.name, "reduction": self.reduction}
        if self._dtype_argument is not None:
            config["dtype"] = self._dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a loss from what `get_config` returned."""
        return cls(**config)


@public
class LossFunctionWrapper(Loss):
    """A loss out of a function of labels and predictions.

    Args:
        fn: Returns one loss for each sample.
        reduction: As for `Loss`.
        name: The loss's name; None takes the function's.
        dtype: As for `Loss`.
        kwargs: Passed to `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        name = name or getattr(fn, "__name__", None)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return what the function returns."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        own = {} if type(self) is not LossFunctionWrapper else {"fn": self.fn}
        options = {k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}
        return {**super().get_config(), **serialize_keras_object(own), **options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a loss from what `get_config` returned."""
        return cls(**{k: deserialize_keras_object(v) for k, v in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}({self._fn_kwargs})>"
