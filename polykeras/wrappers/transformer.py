"""`SKLearnTransformer`: a model's outputs as features."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import TransformerMixin

from polykeras.wrappers._estimator import ModelEstimator

__all__ = ["SKLearnTransformer"]


class SKLearnTransformer(TransformerMixin, ModelEstimator):  # type: ignore[misc]
    """A model whose outputs are features for what follows in a pipeline.

    Args:
        model: A compiled model, of which a copy is fitted, or a function
            ``model(X, y, **model_kwargs)`` that returns a compiled model.
        warm_start: Whether `fit` goes on with the model fitted before.
        model_kwargs: Passed to the function.
        fit_kwargs: Passed to ``model.fit``.
    """

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Fit a model whose targets are those of the samples."""
        return super().fit(X, y, **kwargs)

    def _encoded(self, y: Any, reset: bool) -> Any:
        return np.asarray(y, "float32").reshape(len(y), -1)

    def transform(self, X: Any) -> Any:
        """Return the model's outputs for samples."""
        return self._outputs(X)
