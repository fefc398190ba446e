"""Incomes from a census: numbers and words through preprocessing layers.

    POLYKERAS_BACKEND=torch python examples/adult_income.py

UCI Adult: who earns more than 50,000 dollars a year? Three out of four do not.
Published networks reach about 0.85. The files ``adult-train.csv.gz`` and
``adult-test.csv.gz`` are looked for in POLYKERAS_DATA_DIR. ``--epochs`` and
``--samples`` shorten the run.
"""

import argparse
import csv
import gzip
import os
from pathlib import Path

import numpy as np

import polykeras as keras
from polykeras import layers

NUMBERS = {"age": 0, "education": 4, "gain": 10, "loss": 11, "hours": 12}
WORDS = {
    "work": 1,
    "marital": 5,
    "occupation": 6,
    "relationship": 7,
    "sex": 9,
    "country": 13,
}


def load_data(name, samples):
    """Columns by name, as a data frame gives them, and whether the income is high."""
    path = Path(os.environ["POLYKERAS_DATA_DIR"]) / name
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if len(row) > 14]
    rows = [row for row in rows if row[0].isdigit()][:samples]
    columns = {
        name: np.log1p(np.array([[float(row[i])] for row in rows], "float32"))
        for name, i in NUMBERS.items()
    }
    columns |= {name: np.array([[row[i]] for row in rows]) for name, i in WORDS.items()}
    return columns, np.array([row[14].startswith(">") for row in rows], "float32")


def encoder(columns):
    """A functional model from columns to one table, made once before training."""
    inputs, parts = [], []
    for name, column in columns.items():
        if name in NUMBERS:
            x = keras.Input((1,), name=name)
            layer = layers.Normalization()
        else:
            x = keras.Input((1,), dtype="string", name=name)
            layer = layers.StringLookup(output_mode="one_hot")
        layer.adapt(column)
        inputs.append(x)
        parts.append(layer(x))
    return keras.Model(inputs, layers.concatenate(parts))


def build_model():
    """One hidden layer that drops half of its units in training."""
    model = keras.Sequential(
        [
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def main(argv=None):
    """Encode, train and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, default=40000)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    train, y = load_data("adult-train.csv.gz", options.samples)
    test, y_test = load_data("adult-test.csv.gz", options.samples)
    encode = encoder(train)
    table = encode.predict(train, batch_size=4096, verbose=0)
    test_table = encode.predict(test, batch_size=4096, verbose=0)
    model = build_model()
    model.fit(table, y, epochs=options.epochs, batch_size=64, verbose=2)
    _, accuracy = model.evaluate(test_table, y_test, batch_size=512, verbose=0)
    print(f"{keras.backend.backend()}: test accuracy {accuracy:.4f} (known: 0.85)")
    return accuracy


if __name__ == "__main__":
    main()
