"""House prices: a small network, judged by k-fold validation.

    POLYKERAS_BACKEND=numpy python examples/boston_housing_kfold.py

With 404 samples one split says little, so four networks are each validated on another
quarter, and then one is trained on everything. Chollet's book reports a mean absolute
error of about 2.5 (thousand dollars). ``--epochs``, ``--folds`` and ``--samples``
shorten the run.
"""

import argparse

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.datasets import boston_housing


def build_model(features=13):
    """Two hidden layers and a price, compiled."""
    model = keras.Sequential(
        [
            layers.Input((features,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return model


def load_data():
    """Features with mean 0 and deviation 1 over the training part, and prices."""
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    train = ((x_train - mean) / deviation, y_train)
    return train, ((x_test - mean) / deviation, y_test)


def validate(x, y, folds, epochs):
    """The mean absolute error on each fold of a model that never saw it."""
    errors = []
    for held_out in np.array_split(np.arange(len(x)), folds):
        rest = np.setdiff1d(np.arange(len(x)), held_out)
        model = build_model()
        model.fit(x[rest], y[rest], epochs=epochs, batch_size=16, verbose=0)
        _, mae = model.evaluate(x[held_out], y[held_out], verbose=0)
        errors.append(mae)
    return errors


def main(argv=None):
    """Validate, train on everything, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--folds", type=int, choices=range(2, 11), default=4)
    parser.add_argument("--samples", type=int, default=404)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = load_data()
    x, y = x[: options.samples], y[: options.samples]
    errors = validate(x, y, options.folds, options.epochs)
    print("fold errors:", " ".join(f"{error:.3f}" for error in errors))
    model = build_model()
    model.fit(x, y, epochs=options.epochs, batch_size=16, verbose=0)
    _, mae = model.evaluate(x_test, y_test, verbose=0)
    print(
        f"{keras.backend.backend()}: mean absolute error {np.mean(errors):.2f} in "
        f"validation, {mae:.2f} on the test set (book: about 2.5)"
    )
    return mae


if __name__ == "__main__":
    main()
