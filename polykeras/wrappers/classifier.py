"""`SKLearnClassifier`: a model as a classifier of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from polykeras.errors import ArgumentError
from polykeras.wrappers._estimator import ModelEstimator

__all__ = ["SKLearnClassifier"]


class SKLearnClassifier(ClassifierMixin, ModelEstimator):  # type: ignore[misc]
    """A model that tells classes, for pipelines and searches of scikit-learn.

    Targets become one-hot rows, so the loss is ``"categorical_crossentropy"`` and the
    model has one output a class.

    Args:
        model: A compiled model, of which a copy is fitted, or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled model.
        warm_start: Whether `fit` goes on with the model fitted before.
        model_kwargs: Passed to the function.
        fit_kwargs: Passed to ``model.fit``.

    Attributes:
        model_: The fitted model.
        history_: The `History` of the last `fit`.
        classes_: The classes, in the order of the model's outputs.

    >>> import numpy as np
    >>> import polykeras as keras
    >>> def make(X, y):
    ...     model = keras.Sequential(
    ...         [keras.layers.Dense(y.shape[1], activation="softmax")]
    ...     )
    ...     model.compile(keras.optimizers.Adam(0.5), "categorical_crossentropy")
    ...     return model
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array(["low", "low", "high", "high"])
    >>> classifier = SKLearnClassifier(make, fit_kwargs={"epochs": 50}).fit(X, y)
    >>> classifier.predict(X).tolist()
    ['low', 'low', 'high', 'high']
    """

    def _encoded(self, y: Any, reset: bool) -> Any:
        check_classification_targets(y)
        kind = type_of_target(y, raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            raise ArgumentError(
                "Only binary and multiclass targets are supported. Got a target of "
                f"type {kind!r}. Unknown label type: {kind}"
            )
        column = column_or_1d(y, warn=True).reshape(-1, 1)
        if reset:
            self._encoder = OneHotEncoder(sparse_output=False).fit(column)
            self.classes_ = self._encoder.categories_[0]
            if len(self.classes_) == 1:
                raise ArgumentError(
                    "A classifier needs targets of at least two classes, got 1 class: "
                    f"{self.classes_[0]!r}."
                )
        return self._encoder.transform(column).astype("float32")

    def predict_proba(self, X: Any) -> Any:
        """Return the model's outputs ``(n, classes)``."""
        return self._outputs(X)

    def predict(self, X: Any) -> Any:
        """Return the class with the greatest output for each sample."""
        check_is_fitted(self, "model_")
        return self.classes_[np.argmax(self._outputs(X), axis=-1)]

    def __sklearn_tags__(self) -> Any:
        """Say what scikit-learn may expect of the estimator."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags
