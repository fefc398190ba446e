"""Models as estimators pass scikit-learn's own checks."""

import builtins
import sys

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError, PolykerasError

pytest.importorskip("sklearn")

from sklearn import model_selection, pipeline, preprocessing
from sklearn.utils.estimator_checks import parametrize_with_checks

from polykeras.wrappers import (
    SKLearnClassifier,
    SKLearnRegressor,
    SKLearnTransformer,
)

# They hold for Keras' wrapper too.
EXPECTED = {
    "check_classifiers_one_label_sample_weights": "a classifier needs two classes",
    "check_sample_weight_equivalence_on_dense_data": "batches weigh by their size",
}


class Make:
    """Make a model; tests are named by what it prints, which holds no address."""

    def __repr__(self):
        return "make"

    def __call__(self, X, y, loss, activation=None, rate=0.001):
        keras.utils.set_random_seed(0)
        outputs = y.shape[1] if y.ndim > 1 else 1
        model = keras.Sequential(
            [keras.Input((X.shape[1],)), layers.Dense(outputs, activation)]
        )
        model.compile(keras.optimizers.Adam(rate), loss)
        return model


make = Make()
CLASSIFIER = SKLearnClassifier(
    make, model_kwargs={"loss": "categorical_crossentropy", "activation": "softmax"}
)
REGRESSOR = SKLearnRegressor(make, model_kwargs={"loss": "mse"})


@parametrize_with_checks(
    [CLASSIFIER, REGRESSOR], expected_failed_checks=lambda estimator: EXPECTED
)
@pytest.mark.filterwarnings("ignore")
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def iris():
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    y = np.arange(90) % 3
    return centres[y] + 0.5 * rng.normal(size=(90, 2)), np.array(["a", "b", "c"])[y]


def test_pipelines_and_searches(backend):
    X, y = iris()
    estimator = pipeline.make_pipeline(
        preprocessing.StandardScaler(),
        SKLearnClassifier(
            make,
            model_kwargs={**CLASSIFIER.model_kwargs, "rate": 0.05},
            fit_kwargs={"epochs": 30},
        ),
    )
    scores = model_selection.cross_val_score(estimator, X, y, cv=2)
    assert scores.min() > 0.8
    estimator.fit(X, y)
    assert estimator.predict(X[:5]).tolist() == y[:5].tolist()
    np.testing.assert_allclose(estimator.predict_proba(X).sum(axis=1), 1.0, rtol=1e-5)


def test_models_are_copied_and_go_on():
    X = np.linspace(0, 1, 20)[:, None]
    y = 2 * X[:, 0] + 1
    model = make(X, y, "mse")
    before = model.get_weights()
    regressor = SKLearnRegressor(model, warm_start=True, fit_kwargs={"epochs": 3})
    first = regressor.fit(X, y).history_.history["loss"]
    second = regressor.fit(X, y).history_.history["loss"]
    assert second[0] < first[-1]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    two = SKLearnRegressor(make, model_kwargs={"loss": "mse"})
    assert two.fit(X, np.stack([y, -y], axis=1)).predict(X).shape == (20, 2)


def test_outputs_as_features():
    X, _ = iris()
    transformer = SKLearnTransformer(make, model_kwargs={"loss": "mse"})
    assert transformer.fit(X, X).transform(X).shape == (90, 2)


def test_wrong_models():
    X, y = iris()
    model = keras.Sequential([layers.Dense(3)])
    with pytest.raises(PolykerasError, match="is not compiled"):
        SKLearnClassifier(model).fit(X, y)
    with pytest.raises(ArgumentError, match="must return a compiled Model, got None"):
        SKLearnClassifier(lambda X, y: None).fit(X, y)
    with pytest.raises(ArgumentError, match="a compiled Model or a function"):
        SKLearnClassifier("net").fit(X, y)


def test_without_the_package(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ModuleNotFoundError(name, name="sklearn")
        return real(name, *args, **kwargs)

    for name in list(sys.modules):
        if name.startswith("polykeras.wrappers"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    import polykeras.wrappers as fresh

    with pytest.raises(ImportError, match=r'pip install "polykeras\[sklearn\]"'):
        _ = fresh.SKLearnClassifier
