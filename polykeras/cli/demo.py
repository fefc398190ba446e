"""`polykeras demo`: a digit classifier on every engine that is installed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from polykeras.backend import REFERENCE, use_backend
from polykeras.cli.backends import HINTS, describe

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["demo"]


@dataclass(frozen=True)
class Result:
    """What one engine reached."""

    engine: str
    losses: list[float]
    accuracy: float
    seconds: float
    probabilities: Any


def demo(
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and order.")] = 0,
) -> None:
    """Train a classifier of handwritten digits, on NumPy and every other engine."""
    from rich.console import Console  # only where something is shown

    console = Console()
    console.print(
        "Handwritten digits, 8x8 pixels (UCI, Alpaydin and Kaynak, 1998; CC BY 4.0)."
    )
    usable = [b["name"] for b in describe()["backends"] if b["usable"]]
    engines = sorted(usable, key=lambda name: (name != REFERENCE, name))
    results = []
    for i, engine in enumerate(engines):
        console.print(f"\n[bold]{engine}[/]")
        results.append(_train(engine, epochs, seed, show=i == 0))
    _print_table(console, results)
    missing = [name for name in HINTS if name not in usable]
    if missing:
        console.print("\nAdd an engine and run this again:")
        for name in missing:
            console.print(f"  {HINTS[name]}", markup=False, highlight=False)
    console.print(
        "\nYour own script runs on any of them: POLYKERAS_BACKEND=NAME python train.py"
    )


def _train(engine: str, epochs: int, seed: int, *, show: bool) -> Result:
    import polykeras as keras
    from polykeras import layers
    from polykeras.datasets import digits

    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = (x.astype("float32")[..., None] / 16 for x in (x_train, x_test))
    with use_backend(engine):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential(
            [
                layers.Input((8, 8, 1)),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dropout(0.2),
                layers.Dense(10, activation="softmax"),
            ],
            name="digits",
        )
        if show:
            model.summary()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        start = time.perf_counter()
        history = model.fit(x_train, y_train, batch_size=32, epochs=epochs)
        seconds = time.perf_counter() - start
        _, accuracy = model.evaluate(x_test, y_test, verbose=0)
        probabilities = model.predict(x_test, verbose=0)
    print(f"test accuracy: {accuracy:.4f}")
    return Result(engine, history.history["loss"], accuracy, seconds, probabilities)


def _print_table(console: Console, results: list[Result]) -> None:
    from rich.table import Table

    reference = results[0]
    table = Table(title="the same model, data and seed on each engine")
    table.add_column("")
    for r in results:
        table.add_column(r.engine, justify="right")
    for epoch in range(len(reference.losses)):
        table.add_row(
            f"loss, epoch {epoch + 1}", *(f"{r.losses[epoch]:.6f}" for r in results)
        )
    table.add_row("test accuracy", *(f"{r.accuracy:.4f}" for r in results))
    table.add_row("seconds", *(f"{r.seconds:.1f}" for r in results))
    table.add_row(
        "largest difference of a probability",
        "reference",
        *(
            f"{np.abs(r.probabilities - reference.probabilities).max():.1e}"
            for r in results[1:]
        ),
    )
    console.print()
    console.print(table)
