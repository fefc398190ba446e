"""Load what `make_files` wrote with the other package, and compare the predictions.

KERAS_BACKEND=torch PEER/bin/python tests/peer/check_files.py keras files.zip
"""

from __future__ import annotations

import importlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import exchange_cases as cases
import numpy as np

# Largest relative difference in units of the working precision. Predictions are
# sums of at most 200 products of numbers of one sign; training takes 3 such steps.
ROUNDINGS = {"y": 64, "t": 256}


def load(keras: Any, data: bytes, name: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        model = keras.models.load_model(path)
    if name == "subclassed":
        model._exchange_inputs = [keras.KerasTensor((None, 3))]
    return model


def worst(found: list[np.ndarray], expected: list[np.ndarray], name: str) -> float:
    """Return the largest difference, relative to the largest value, in roundings."""
    assert len(found) == len(expected), f"{len(found)} outputs, not {len(expected)}"
    step = 2.0**-8 if name == "mixed_precision" else 2.0**-23
    largest = 0.0
    for y, z in zip(found, expected, strict=True):
        assert y.shape == z.shape, f"shape {y.shape}, not {z.shape}"
        scale = max(1e-30, float(np.abs(z).max()))
        difference = np.abs(y.astype("float64") - z.astype("float64")).max()
        largest = max(largest, float(difference) / scale / step)
    return largest


def differences(keras: Any, archive: zipfile.ZipFile, name: str) -> dict[str, float]:
    """Return the difference of the loaded model, and of the one trained on."""
    model = load(keras, archive.read(f"{name}.keras"), name)
    answers = np.load(io.BytesIO(archive.read(f"{name}.npz")))
    result = {}
    for kind in "yt" if name in cases.TRAINED else "y":
        if kind == "t":
            cases.train(model, name)
        count = sum(key.startswith(kind) for key in answers.files)
        expected = [answers[f"{kind}{i}"] for i in range(count)]
        result[kind] = worst(cases.outputs_of(model, name), expected, name)
    return result


def main(package: str, source: str) -> int:
    keras = importlib.import_module(package)
    cases.custom_classes(keras)
    failed = 0
    with zipfile.ZipFile(source) as archive:
        names = [n for n in cases.CASES if f"{n}.keras" in archive.namelist()]
        for name in names:
            try:
                found = differences(keras, archive, name)
                bad = any(v > ROUNDINGS[k] for k, v in found.items())
                text = ", ".join(f"{k} {v:.3g}" for k, v in found.items())
            except Exception as error:
                bad, text = True, f"{type(error).__name__}: {error}"[:1000]
            failed += bad
            print(f"{'FAILED' if bad else 'ok':7}{name}: {text}")
    print(f"{len(names) - failed} of {len(names)} cases agree")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
