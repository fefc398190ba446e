"""What `polykeras.compare` costs beside running the model plainly.

`run` measures in one process that has run everything before. Plain runs are what
somebody without the tool would have to run to see two engines beside a reference in 64
bits: on each of the three, eagerly and from the same weights, the outputs for inference
and one training step, that is forward, loss, gradients and update. Copying the model
does not count. ``ratio`` is the comparison beside all three, ``ratio_engines`` beside
the two engines without the reference.

`commands` measures what one waits for at the shell: ``polykeras compare`` beside a
script that builds the model and does the same on one engine, run for each of the two.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks._measure import child_seconds, interleaved

__all__ = ["TARGET", "commands", "run"]

TARGET = 5.0
REFERENCE = "numpy:float64"
PAIRS = (("numpy", "torch"), ("numpy", "jax"), ("torch", "jax"))
MODELS = ("convolutional", "dense")
_SCRIPT = Path(__file__).with_name("_deep_models.py")


def run(rounds: int = 3) -> list[dict[str, Any]]:
    """Return one row for each two engines: CPU seconds of both sides and the ratio."""
    import polykeras as keras
    from benchmarks import _deep_models

    rows = []
    for name in MODELS:
        with keras.use_backend("numpy"):
            model = getattr(_deep_models, name)()
        x, y = _deep_models.data(model)
        rows += [{"model": name, **_measure(model, x, y, p, rounds)} for p in _pairs()]
    return rows


def commands(rounds: int = 3) -> list[dict[str, Any]]:
    """Return one row for each two engines: CPU seconds of whole processes."""
    rows = []
    for name in MODELS:
        for pair in _pairs():
            taken: dict[str, list[float]] = {}
            for _ in range(rounds):
                for what, seconds in _processes(name, pair):
                    taken.setdefault(what, []).append(seconds)
            median = {what: statistics.median(s) for what, s in taken.items()}
            compared = median.pop("compared")
            plain = sum(median.values())
            rows.append(
                {
                    "model": name,
                    "engines": " and ".join(pair),
                    "scripts_s": plain,
                    "compared_s": compared,
                    "ratio": compared / plain,
                    "target": TARGET,
                }
            )
    return rows


def _pairs() -> list[tuple[str, str]]:
    from polykeras.backend import installed_backends

    installed = installed_backends()
    return [pair for pair in PAIRS if all(engine in installed for engine in pair)]


def _processes(name: str, pair: tuple[str, str]) -> Iterator[tuple[str, float]]:
    """Run the scripts and the command once, and give the CPU seconds of each."""
    from benchmarks._deep_models import BATCH

    for engine in pair:
        script = [sys.executable, str(_SCRIPT), name]
        yield engine, child_seconds(script, POLYKERAS_BACKEND=engine)
    command = [sys.executable, "-m", "polykeras.cli", "compare", f"{_SCRIPT}:{name}"]
    command += ["--backends", ",".join(pair), "--batch-size", str(BATCH)]
    yield "compared", child_seconds([*command, "--steps", "1"])


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
    for row in [*run(), *commands()]:
        print(row)
