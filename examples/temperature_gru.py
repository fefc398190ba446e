"""Tomorrow's lowest temperature from the last two weeks.

    POLYKERAS_BACKEND=jax python examples/temperature_gru.py

Ten years of days in Melbourne, cut into windows. The network is compared with "as
today" and with a linear model. The file ``daily-min-temperatures.csv`` is looked for in
POLYKERAS_DATA_DIR. ``--epochs`` shortens the run.
"""

import argparse
import csv
import os
from pathlib import Path

import numpy as np

import polykeras as keras
from polykeras import layers

DAYS = 14


def load_data():
    """The temperatures in degrees, day by day."""
    path = Path(os.environ["POLYKERAS_DATA_DIR"]) / "daily-min-temperatures.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([float(row[1].strip("?")) for row in rows if len(row) == 2])


def build_model(mean, deviation):
    """A recurrent layer between a change of scale and a temperature."""
    model = keras.Sequential(
        [
            keras.Input((DAYS, 1)),
            layers.Rescaling(1 / deviation, -mean / deviation),
            layers.GRU(16),
            layers.Dense(1),
            layers.Rescaling(deviation, mean),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), loss="mse", metrics=["mae"])
    return model


def linear_error(days, cut):
    """The mean error of the best linear model of the same windows."""
    windows = np.lib.stride_tricks.sliding_window_view(days[:-1], DAYS)
    table = np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
    seen = cut - DAYS
    weights, *_ = np.linalg.lstsq(table[:seen], days[DAYS:][:seen], rcond=None)
    return np.abs(table[cut:] @ weights - days[DAYS:][cut:]).mean()


def main(argv=None):
    """Train on the first eight years, report the error in the last two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    days = load_data()
    cut = len(days) * 8 // 10
    train, test = (
        keras.utils.timeseries_dataset_from_array(
            days[:-1, None].astype("float32"),
            days[DAYS:],
            sequence_length=DAYS,
            batch_size=32,
            shuffle=start == 0,
            seed=0,
            start_index=start,
            end_index=stop,
        )
        for start, stop in ((0, cut), (cut, len(days) - 1))
    )
    model = build_model(days[:cut].mean(), days[:cut].std())
    model.fit(train, epochs=options.epochs, verbose=2)
    _, error = model.evaluate(test, verbose=0)
    as_today = np.abs(np.diff(days[cut + DAYS - 1 :])).mean()
    print(
        f"{keras.backend.backend()}: mean error {error:.2f} degrees "
        f"(as today: {as_today:.2f}, linear model: {linear_error(days, cut):.2f})"
    )
    return error


if __name__ == "__main__":
    main()
