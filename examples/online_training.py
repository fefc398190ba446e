"""Train, stop, save the weights, and go on with data that came later.

    POLYKERAS_BACKEND=torch python examples/online_training.py

The first part of the digits is learned, the weights go through a file into a new model,
and that model goes on with the rest. Nearest neighbours reach 0.98 on these digits.
``--epochs`` and ``--samples`` shorten the run.

Reference: Alpaydin, Kaynak (1998), Optical Recognition of Handwritten Digits.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.datasets import digits


def build_model():
    """The network, compiled."""
    model = keras.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def load_data():
    """Rows of 64 numbers from 0 to 1, and labels."""
    return [
        (x.reshape(-1, 64).astype("float32") / 16, y.astype("int32"))
        for x, y in digits.load_data()
    ]


def moved(model):
    """A new model with the weights of another, by way of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.weights.h5"
        model.save_weights(path)
        other = build_model()
        other.load_weights(path)
    return other


def main(argv=None):
    """Train in two parts and report after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--samples", type=int, default=1437)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = load_data()
    x, y = x[: options.samples], y[: options.samples]
    early = len(x) // 4
    model = build_model()
    model.fit(x[:early], y[:early], epochs=options.epochs, verbose=0)
    _, before = model.evaluate(x_test, y_test, verbose=0)

    later = moved(model)
    same = np.array_equal(
        model.predict(x_test, verbose=0), later.predict(x_test, verbose=0)
    )
    later.fit(x[early:], y[early:], epochs=options.epochs, verbose=0)
    _, after = later.evaluate(x_test, y_test, verbose=0)
    print(
        f"{keras.backend.backend()}: test accuracy {before:.4f} after {early} images, "
        f"{after:.4f} after all (known: 0.98); predictions "
        f"{'equal' if same else 'DIFFER'} after loading"
    )
    return after


if __name__ == "__main__":
    main()
