"""Write the exchange cases with Keras or polykeras, and what they predict.

    KERAS_BACKEND=torch PEER/bin/python tests/peer/make_files.py keras \\
        tests/saving/data/keras_files.zip

PEER is an environment with Keras 3.15.1. Names after the file are the cases to write;
without any, all that need no TensorFlow. A name that ends in ``.h5`` gives a file of
Keras' older form. The zip holds one ``.keras`` or ``.h5`` file for each case, byte for
byte as it was written, and ``CASE.npz`` with the predictions: ``y0``,
``y1``... of the saved model and ``t0``, ``t1``... after some training more.
"""

from __future__ import annotations

import importlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import exchange_cases as cases
import numpy as np


def main(package: str, target: str, *names: str) -> None:
    keras = importlib.import_module(package)
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(target, "w") as out,
    ):
        for name, build in cases.CASES.items():
            old = f"{name}.h5" in names
            if not old and name not in (names or cases.CASES.keys() - cases.TENSORFLOW):
                continue
            keras.utils.clear_session()
            model = build(keras)
            cases.give_weights(model, name)
            if name in cases.TRAINED:
                cases.train(model, name)
            path = Path(folder) / (f"{name}.h5" if old else f"{name}.keras")
            model.save(path)
            answers = {f"y{i}": y for i, y in enumerate(cases.outputs_of(model, name))}
            if name in cases.TRAINED:
                cases.train(model, name)
                answers |= {
                    f"t{i}": y for i, y in enumerate(cases.outputs_of(model, name))
                }
            buffer = io.BytesIO()
            np.savez(buffer, **answers)
            for member, data in (
                (path.name, path.read_bytes()),
                (f"{name}.npz", buffer.getvalue()),
            ):
                info = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
                out.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
            print(name, path.stat().st_size)


if __name__ == "__main__":
    main(*sys.argv[1:])
