"""The smallest model: one weight and one bias learn y = 2x + 1.

    POLYKERAS_BACKEND=numpy python examples/linear_regression.py

The exact answers for 12 and 14 are 25 and 29. ``--epochs`` and ``--samples`` shorten
the run.
"""

import argparse

import numpy as np

import polykeras as keras
from polykeras import layers


def build_model():
    """One dense unit, compiled."""
    model = keras.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model


def main(argv=None):
    """Train, and predict beyond the data."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--samples", type=int, default=1000)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    x = np.linspace(1, 10, options.samples)
    y = 2 * x + 1
    model = build_model()
    model.fit(x, y, epochs=options.epochs, verbose=0)

    kernel, bias = (float(w.squeeze()) for w in model.get_weights())
    at_12, at_14 = model.predict(np.array([12.0, 14.0]), verbose=0).squeeze()
    print(
        f"{keras.backend.backend()}: y = {kernel:.3f} x + {bias:.3f} (exact: 2, 1), "
        f"12 -> {at_12:.2f} (25), 14 -> {at_14:.2f} (29)"
    )
    return kernel, bias


if __name__ == "__main__":
    main()
