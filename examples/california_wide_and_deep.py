"""House prices from a deep and a wide path: functional graph, two inputs.

    POLYKERAS_BACKEND=numpy python examples/california_wide_and_deep.py

Géron's Wide & Deep network: some features pass by the hidden layers. The book's error
on the test set is 0.6 (root of the mean square, in 100,000 dollars). ``--epochs`` and
``--samples`` shorten the run.
"""

import argparse

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.datasets import california_housing


def build_model(wide, deep):
    """A functional model whose layers have normalization that knows the data."""
    wide_input = keras.Input((wide.shape[1],), name="wide")
    deep_input = keras.Input((deep.shape[1],), name="deep")
    scale_wide, scale_deep = layers.Normalization(), layers.Normalization()
    scale_wide.adapt(wide)
    scale_deep.adapt(deep)
    x = layers.Dense(30, activation="relu")(scale_deep(deep_input))
    x = layers.Dense(30, activation="relu")(x)
    joined = layers.concatenate([scale_wide(wide_input), x])
    model = keras.Model([wide_input, deep_input], layers.Dense(1)(joined))
    model.compile(
        keras.optimizers.Adam(1e-3),
        loss="mse",
        metrics=[keras.metrics.RootMeanSquaredError()],
    )
    return model


def split(x):
    """The first five features for the wide path, the last six for the deep one."""
    return {"wide": x[:, :5], "deep": x[:, 2:]}


def main(argv=None):
    """Train and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=20640)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(42)
    (x, y), (x_test, y_test) = california_housing.load_data("large")
    x, y = np.log1p(np.abs(x[: options.samples])), y[: options.samples] / 100_000
    train, test = split(x), split(np.log1p(np.abs(x_test)))
    model = build_model(train["wide"], train["deep"])
    model.fit(
        train, y, epochs=options.epochs, validation_split=0.1, verbose=2, batch_size=32
    )
    _, error = model.evaluate(test, y_test / 100_000, batch_size=512, verbose=0)
    print(f"{keras.backend.backend()}: test error {error:.3f} (book: about 0.6)")
    return error


if __name__ == "__main__":
    main()
