"""What `polykeras.compare` costs beside running the model plainly.

Plain runs are what somebody without the tool would have to run to see two engines
beside a reference in 64 bits: on each of the three, eagerly and from the same weights,
the outputs for inference and one training step, that is forward, loss, gradients and
update. Copying the model does not count. ``ratio`` is the comparison beside all three,
``ratio_engines`` beside the two engines without the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._measure import interleaved

__all__ = ["TARGET", "run"]

TARGET = 5.0
REFERENCE = "numpy:float64"
BATCH = 32
PAIRS = (("numpy", "torch"), ("numpy", "jax"), ("torch", "jax"))


def run(rounds: int = 3) -> list[dict[str, Any]]:
    """Return one row for each two engines: CPU seconds of both sides and the ratio."""
    from polykeras.backend import installed_backends

    installed = installed_backends()
    return [
        {"model": name, **_measure(*make(), pair, rounds)}
        for name, make in CASES.items()
        for pair in PAIRS
        if all(engine in installed for engine in pair)
    ]


def _dense() -> tuple[Any, Any, Any]:
    """Return a stack of 50 small layers, a batch and its targets."""
    import polykeras as keras
    from polykeras import layers

    keras.utils.set_random_seed(0)
    stack: list[Any] = []
    for _ in range(16):
        stack.append(layers.Dense(256))
        stack.append(layers.LayerNormalization())
        stack.append(layers.Activation("relu"))
    stack += [layers.Dense(64), layers.Dense(10)]
    assert len(stack) == 50
    with keras.use_backend("numpy"):
        model = keras.Sequential([keras.Input((256,)), *stack])
        model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(BATCH, 256)).astype("float32")
    return model, x, np.zeros((BATCH, 10), "float32")


def _convolutional() -> tuple[Any, Any, Any]:
    """Return a convolutional classifier of 50 layers, a batch and its targets."""
    import polykeras as keras
    from polykeras import layers

    keras.utils.set_random_seed(0)
    stack: list[Any] = []
    for filters in (32, 64, 128):
        for _ in range(4):
            stack.append(layers.Conv2D(filters, 3, padding="same", use_bias=False))
            stack.append(layers.BatchNormalization())
            stack.append(layers.Activation("relu"))
        stack.append(layers.MaxPooling2D(2))
    stack.append(layers.Flatten())
    for units in (256, 128):
        stack.append(layers.Dense(units))
        stack.append(layers.LayerNormalization())
        stack.append(layers.Activation("gelu"))
        stack.append(layers.Dropout(0.2))
    stack += [layers.Dense(10), layers.Softmax()]
    assert len(stack) == 50
    with keras.use_backend("numpy"):
        model = keras.Sequential([keras.Input((32, 32, 3)), *stack])
        model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, 32, 32, 3)).astype("float32")
    return model, x, rng.integers(0, 10, BATCH).astype("int32")


CASES = {"convolutional": _convolutional, "dense": _dense}


def _measure(
    model: Any, x: Any, y: Any, pair: tuple[str, ...], rounds: int
) -> dict[str, Any]:
    import polykeras as keras

    plain = {name: _plain(model, x, y, name) for name in (REFERENCE, *pair)}

    def compared() -> None:
        report = keras.compare(model, x, y, backends=pair, steps=1)
        assert report.consistent, str(report)

    times = interleaved({"compared": compared, **plain}, rounds=rounds)
    both = sum(times[name].cpu for name in pair)
    reference, compared_s = times[REFERENCE].cpu, times["compared"].cpu
    return {
        "engines": " and ".join(pair),
        "engines_s": both,
        "reference_s": reference,
        "compared_s": compared_s,
        "ratio": compared_s / (both + reference),
        "ratio_engines": compared_s / both,
        "target": TARGET,
    }


def _plain(model: Any, x: Any, y: Any, name: str) -> Callable[[], None]:
    from polykeras.compare import engine_named

    engine = engine_named(name)
    copy = model.to_backend(engine)
    copy.run_eagerly = True

    def plain() -> None:
        copy(x, training=False)
        copy.train_on_batch(x, y)
        engine.synchronize()

    return plain


if __name__ == "__main__":
    from benchmarks._measure import single_thread

    single_thread()
    for row in run():
        print(row)
