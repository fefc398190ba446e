"""`SKLearnRegressor`: a model as a regressor of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from polykeras.wrappers._estimator import ModelEstimator

__all__ = ["SKLearnRegressor"]


class SKLearnRegressor(RegressorMixin, ModelEstimator):  # type: ignore[misc]
    """A model that predicts numbers, for pipelines and searches of scikit-learn.

    Args:
        model: A compiled model, of which a copy is fitted, or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled model.
        warm_start: Whether `fit` goes on with the model fitted before.
        model_kwargs: Passed to the function.
        fit_kwargs: Passed to ``model.fit``.

    Attributes:
        model_: The fitted model.
        history_: The `History` of the last `fit`.

    >>> import numpy as np
    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.Adam(0.5), "mse")
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> regressor = SKLearnRegressor(model, fit_kwargs={"epochs": 200})
    >>> regressor.fit(X, 2 * X[:, 0] + 1).predict(X).round(1).tolist()
    [1.0, 3.0, 5.0, 7.0]
    """

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        checked: tuple[Any, Any] = validate_data(
            self, X, y, multi_output=True, y_numeric=True, reset=reset
        )
        return checked

    def _encoded(self, y: Any, reset: bool) -> Any:
        self._column = np.ndim(y) == 1
        return np.asarray(y, "float32").reshape(len(y), -1)

    def predict(self, X: Any) -> Any:
        """Return the model's outputs, ``(n,)`` where the targets were."""
        # The rest of scikit-learn computes in 64 bits.
        outputs = self._outputs(X).astype("float64")
        return outputs.reshape(len(outputs)) if self._column else outputs

    def __sklearn_tags__(self) -> Any:
        """Say what scikit-learn may expect of the estimator."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags
