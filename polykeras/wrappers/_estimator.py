"""What the estimators share: a model that is made, fitted and copied."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from polykeras.errors import ArgumentError, StateError
from polykeras.models import Model, clone_model

__all__ = ["ModelEstimator"]


class ModelEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator around a model.

    Args:
        model: A compiled model, of which a copy is fitted, or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled model.
        warm_start: Whether `fit` goes on with the model fitted before.
        model_kwargs: Passed to the function.
        fit_kwargs: Passed to ``model.fit``.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Remember the arguments, unchanged as scikit-learn wants it."""
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def _encoded(self, y: Any, reset: bool) -> Any:
        """Return targets as the model learns them."""
        return y

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        """Return data as arrays, checked as scikit-learn does."""
        checked: tuple[Any, Any] = validate_data(
            self, X, y, multi_output=True, y_numeric=False, reset=reset
        )
        return checked

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Fit a model.

        Args:
            X: Samples ``(n, features)``.
            y: Targets ``(n,)`` or ``(n, outputs)``.
            kwargs: Passed to ``model.fit``, over `fit_kwargs`.

        Returns:
            The estimator.
        """
        X, y = self._checked(X, y, reset=True)
        y = self._encoded(y, reset=True)
        if not (self.warm_start and hasattr(self, "model_")):
            self.model_ = self._made(X, y)
        settings = {"verbose": 0, **(self.fit_kwargs or {}), **kwargs}
        self.history_ = self.model_.fit(X, y, **settings)
        return self

    def _made(self, X: Any, y: Any) -> Any:
        if isinstance(self.model, Model):
            return _copied(self.model)
        if not callable(self.model):
            raise ArgumentError(
                "model must be a compiled Model or a function of (X, y) that returns "
                f"one, got {self.model!r}."
            )
        made = self.model(X, y, **(self.model_kwargs or {}))
        if not isinstance(made, Model) or not made.compiled:
            raise ArgumentError(
                f"The function model must return a compiled Model, got {made!r}."
            )
        return made

    def _outputs(self, X: Any) -> Any:
        """Return the model's outputs for samples."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False)
        return np.asarray(self.model_.predict(X, verbose=0))

    def __sklearn_tags__(self) -> Any:
        """Say what scikit-learn may expect of the estimator."""
        tags = super().__sklearn_tags__()
        # Unseeded models draw other weights each time.
        tags.non_deterministic = True
        return tags


def _copied(model: Model) -> Any:
    if not model.compiled:
        raise StateError(
            f"The model {model.name!r} is not compiled. Call model.compile(optimizer, "
            "loss) before it becomes an estimator."
        )
    config = model.get_compile_config()
    new = clone_model(model)
    new.compile_from_config(copy.deepcopy(config))
    if model.built and new.built:
        new.set_weights(model.get_weights())
    return new
