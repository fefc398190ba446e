"""Kill a training process again and again while it writes checkpoints.

    python tests/reliability/killing.py --backend torch --kills 200

A process trains with a backup after every batch. It is killed with SIGKILL at a
random moment and started anew, as often as asked, and then left to finish. After every
kill a checkpoint must load, no older than the one after the kill before. At the end all
weights, optimizer slots and the history must equal those of a run that was never
killed, bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import polykeras as keras

BATCHES = 16
# Forked from a process that has imported the libraries: a start takes milliseconds.
CONTEXT = multiprocessing.get_context("forkserver")


def make_model(units: int) -> Any:
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def digest(model: Any, history: dict[str, Any]) -> str:
    found = hashlib.sha256(json.dumps(history, sort_keys=True).encode())
    for v in [*model.weights, *model.optimizer.variables]:
        found.update(np.ascontiguousarray(v.numpy()).tobytes())
    return found.hexdigest()


def train(backend: str, folder: str | None, epochs: int, units: int, out: str) -> None:
    """Train to the end and write the digest of the result."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4 * BATCHES, 8)).astype("float32")
    y = x.sum(-1, keepdims=True)
    with keras.use_backend(backend):
        model = make_model(units)
        callbacks = [
            keras.callbacks.ReduceLROnPlateau("loss", patience=1),
            keras.callbacks.EarlyStopping("loss", patience=10**6),
        ]
        if folder is not None:
            callbacks.append(
                keras.callbacks.BackupAndRestore(
                    folder, save_freq=1, delete_checkpoint=False
                )
            )
        history = model.fit(
            x, y, batch_size=4, epochs=epochs, verbose=0, callbacks=callbacks
        )
        Path(out).write_text(digest(model, history.history))


def progress(folder: Path, units: int) -> tuple[int, int] | None:
    """Load the newest checkpoint and return its epoch and batch."""
    model = make_model(units)
    checkpoint = keras.training.Checkpoint(folder)
    with warnings.catch_warnings():
        # A damaged checkpoint would be passed over with a warning.
        warnings.simplefilter("error")
        if not checkpoint.restore(model):
            return None
    found = model._resumption
    return found.epoch, found.batch


def start(*arguments: Any) -> Any:
    process = CONTEXT.Process(target=train, args=arguments)
    process.start()
    return process


def run(backend: str, kills: int, epochs: int, units: int, seed: int) -> dict[str, Any]:
    """Return how often the process was killed, and while it wrote."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "backup"
        out = str(Path(name) / "digest")
        undisturbed = start(backend, None, epochs, units, out)
        undisturbed.join()
        assert undisturbed.exitcode == 0
        expected = Path(out).read_text()
        Path(out).unlink()
        done: tuple[int, int] = (0, 0)
        while_writing = killed = 0
        for _ in range(kills):
            known = set(folder.iterdir()) if folder.exists() else set()
            process = start(backend, str(folder), epochs, units, out)
            # From the first checkpoint on it does little else than write.
            while process.is_alive():
                time.sleep(0.002)
                if folder.exists() and set(folder.iterdir()) - known:
                    break
            time.sleep(moments.uniform(0.0, 0.05))
            if not process.is_alive():
                break
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += process.exitcode == -signal.SIGKILL
            while_writing += any(folder.glob(".*.partial"))
            found = progress(folder, units)
            assert found is not None or done == (0, 0), "no checkpoint loads"
            assert found is None or found >= done, f"{found} after {done}"
            done = found or done
        last = start(backend, str(folder), epochs, units, out)
        last.join()
        assert last.exitcode == 0
        assert Path(out).read_text() == expected, "the resumed run ends elsewhere"
    return {
        "backend": backend,
        "kills": killed,
        "while_writing": while_writing,
        "last_kill_at": list(done),
        "equal": True,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=0, help="0: enough for the kills")
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    epochs = given.epochs or max(4, given.kills // 2)
    found = run(given.backend, given.kills, epochs, given.units, given.seed)
    print(json.dumps(found))
    return int(found["kills"] != given.kills)


CONTEXT.set_forkserver_preload(["numpy", "polykeras.callbacks", "polykeras.models"])

if __name__ == "__main__":
    sys.exit(main())
