"""Two engines in one process: trained in turns, from threads, and moved across.

    python examples/two_engines.py --engines numpy jax

Without ``--engines`` the first two that are installed are taken (with one engine, that
one twice). The two models start with the same weights, so their losses agree to
rounding (single precision: about 1e-6). ``--epochs`` and ``--samples`` shorten the run.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.datasets import digits
from polykeras.errors import BackendError


def build_model():
    """A network on the active backend, compiled; dropout so that seeds matter."""
    model = keras.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2, seed=3),
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


def usable_engines():
    """The names of the backends whose library is installed."""
    found = []
    for name in keras.installed_backends():
        try:
            keras.get_backend(name)
        except BackendError:
            continue
        found.append(name)
    return found


def train(model, x, y, epochs=1):
    """The loss of each epoch; the order of the samples is always the same."""
    return model.fit(x, y, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def largest(first, second):
    """The largest difference of two lists of losses, relative."""
    return float(np.max(np.abs(np.subtract(first, second)) / np.abs(first)))


def main(argv=None):
    """Train in turns, from threads, after a move, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs=2, metavar="NAME")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--samples", type=int, default=1437)
    options = parser.parse_args(argv)
    first, second = options.engines or (usable_engines() * 2)[:2]
    (x, y), (x_test, y_test) = load_data()
    x, y = x[: options.samples], y[: options.samples]

    # As a call, use_backend chooses for the process; as a context, for its block.
    keras.use_backend(first)
    keras.utils.set_random_seed(0)
    one = build_model()
    with keras.use_backend(second):
        keras.utils.set_random_seed(0)
        two = build_model()
    print(f"models on {one.backend.name} and {two.backend.name}")

    losses = [(train(one, x, y), train(two, x, y)) for _ in range(options.epochs)]
    in_turns = largest(*np.transpose(losses)[0])
    print(f"in turns: losses differ by {in_turns:.1e}")

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(train, m, x, y, options.epochs) for m in (one, two)]
        threaded = largest(*(run.result() for run in runs))
    print(f"from two threads: losses differ by {threaded:.1e}")

    # Weights, optimizer slots and the state of the dropout seed go along.
    here, there = one.to_backend(first), one.to_backend(second)
    stayed, copied, moved = (train(m, x, y) for m in (one, here, there))
    print(
        f"moved {first} -> {second}: the next loss differs by "
        f"{largest(stayed, moved):.1e}; copied to {first}: "
        f"{'identical' if stayed == copied else 'DIFFERENT'}"
    )
    _, accuracy = there.evaluate(x_test, y_test, verbose=0)
    print(f"{first}, {second}: test accuracy {accuracy:.4f} (known: 0.98)")
    return max(in_turns, threaded, largest(stayed, moved))


if __name__ == "__main__":
    main()
