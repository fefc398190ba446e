"""News wires are sorted into 46 topics.

    POLYKERAS_BACKEND=torch python examples/reuters_topics.py

The network of Chollet's book: multi-hot words, 64-64-46. The book reaches about 0.79 on
the test set after nine epochs. ``--epochs``, ``--samples`` and ``--words`` shorten the
run.
"""

import argparse

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.datasets import reuters

TOPICS = 46


def multi_hot(sequences, words):
    """One row a text, with 1 for each word in it."""
    rows = np.zeros((len(sequences), words), "float32")
    for row, sequence in zip(rows, sequences, strict=True):
        row[sequence] = 1.0
    return rows


def build_model():
    """Two hidden layers, wide enough not to lose topics, and a probability for each."""
    model = keras.Sequential(
        [
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(TOPICS, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model


def main(argv=None):
    """Train, watching held-out wires, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--samples", type=int, default=8982)
    parser.add_argument("--words", type=int, default=10000)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = reuters.load_data(num_words=options.words)
    x, y = multi_hot(x[: options.samples], options.words), y[: options.samples]
    held_out = len(x) // 9
    model = build_model()
    model.fit(
        x[held_out:],
        keras.utils.to_categorical(y[held_out:], TOPICS),
        epochs=options.epochs,
        batch_size=512 if options.samples > 2000 else 32,
        validation_data=(
            x[:held_out],
            keras.utils.to_categorical(y[:held_out], TOPICS),
        ),
        verbose=2,
    )
    _, accuracy = model.evaluate(
        multi_hot(x_test, options.words),
        keras.utils.to_categorical(y_test, TOPICS),
        batch_size=512,
        verbose=0,
    )
    print(f"{keras.backend.backend()}: test accuracy {accuracy:.4f} (book: about 0.79)")
    return accuracy


if __name__ == "__main__":
    main()
