"""Compare every example model on every installed backend; rows for `compare.md`.

``python docs/generate.py compare`` calls it. ``python docs/compare_examples.py NAME``
prints the report of one example.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

import polykeras as keras
from polykeras.backend import installed_backends, use_backend
from polykeras.compare import Report

EXAMPLES = Path(__file__).parents[1] / "examples"
STEPS = 20
BATCH = 8


def floats(*shape: int, low: float = -1.0) -> Any:
    return np.random.default_rng(0).uniform(low, 1, (BATCH, *shape)).astype("float32")


def integers(below: int, *shape: int) -> Any:
    return np.random.default_rng(1).integers(0, below, (BATCH, *shape)).astype("int32")


def built(module: Any, *args: Any, **kwargs: Any) -> Any:
    return module.build_model(*args, **kwargs)


def vae(module: Any) -> Any:
    model = module.Vae()
    model.compile("adam")
    return model


# Example: how its model is made, inputs and targets; None for those drawn to fit.
CASES: dict[str, tuple[Any, Any, Any]] = {
    "adult_income": (built, floats(40), integers(2, 1)),
    "boston_housing_kfold": (built, None, None),
    "california_wide_and_deep": (
        lambda m: m.build_model(floats(5), floats(6)),
        None,
        None,
    ),
    "fashion_mnist_mlp": (built, None, None),
    "gan_gradient_penalty": (built, floats(64, low=0.0), None),
    "imdb_lstm": (lambda m: m.build_model(200), integers(200, 12), integers(2, 1)),
    "linear_regression": (built, None, None),
    "mnist_convnet_functional": (built, None, None),
    "mnist_mlp": (lambda m: m.build_model(dropout=True), None, None),
    "online_training": (built, None, None),
    "overfitting_study": (
        lambda m: m.build_model(penalty=0.002, dropout=0.5),
        floats(50, low=0.0),
        integers(2, 1),
    ),
    "reuters_topics": (built, floats(50, low=0.0), np.eye(46, dtype="float32")[:BATCH]),
    "shakespeare_text": (
        lambda m: m.build_model("transformer", 40, 12, 16),
        None,
        integers(40, 12),
    ),
    "subclassed_model": (built, floats(64, low=0.0), integers(10)),
    "temperature_gru": (lambda m: m.build_model(11.0, 4.0), None, None),
    "two_engines": (built, None, None),
    "vae_digits": (vae, floats(64, low=0.0), None),
}


def report(name: str, dtype: str) -> Report:
    """Compare one example in a dtype."""
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))
    make, x, y = CASES[name]
    keras.utils.set_random_seed(0)
    with use_backend("numpy"):
        model = make(importlib.import_module(name))
    engines = [
        name if dtype == "float32" else f"{name}:{dtype}"
        for name in installed_backends()
    ]
    return keras.compare(model, x, y, backends=engines, steps=STEPS, batch_size=BATCH)


def row(name: str, dtype: str) -> str:
    """Return a row of the table."""
    found = report(name, dtype)
    largest = max(item.excess for item in found.items)
    apart = max(track.distances[-1] for track in found.trajectory)
    return f"| {name} | {dtype} | {found.worst} | {largest:.2g} | {apart:.1e} |"


HEAD = (
    "| example | dtype | worst verdict | largest error, in bounds | weights apart |\n"
    "| --- | --- | --- | ---: | ---: |\n"
)


def table() -> str:
    """Return the table of all examples."""
    rows = [row(name, dtype) for name in CASES for dtype in ("float32", "float64")]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    for dtype in sys.argv[2:] or ["float32", "float64"]:
        print(report(sys.argv[1], dtype), flush=True)
