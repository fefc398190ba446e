"""Write the models and dumps of the worked example in docs/compare.md, with Keras 3.

    KERAS_BACKEND=torch python make_keras_dumps.py models
    KERAS_BACKEND=torch python make_keras_dumps.py dump
    KERAS_BACKEND=jax python make_keras_dumps.py dump

It imports Keras, not polykeras, and shows what another program has to write for
`polykeras compare diff`. The models are small versions of those in keras-team/keras
issues 18452 (average pooling with "same" padding), 20804 (a dilated convolution) and
jax-ml/jax issue 15768 (bicubic interpolation).
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

HERE = Path(__file__).parent
STACKS = {
    "pooling": (
        (10, 10, 3),
        [
            layers.Conv2D(4, 3, name="conv"),
            layers.AveragePooling2D(3, strides=2, padding="same", name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="top"),
        ],
    ),
    "dilated": (
        (16, 16, 24),
        [layers.Conv2D(8, (4, 7), padding="same", dilation_rate=(3, 2), name="conv")],
    ),
    "upsampling": (
        (6, 6, 3),
        [
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.UpSampling2D(2, interpolation="bicubic", name="up"),
            layers.Conv2D(2, 3, activation="relu", name="head"),
        ],
    ),
}


def make_models():
    keras.utils.set_random_seed(0)
    for name, (shape, stack) in STACKS.items():
        model = keras.Sequential([keras.Input(shape), *stack], name=name)
        model.save(HERE / f"{name}.keras")
        x = np.random.default_rng(0).random((2, *shape)).astype("float32")
        np.savez(HERE / f"{name}.npz", x=x)


def dump(name):
    model = keras.saving.load_model(HERE / f"{name}.keras")
    x = np.load(HERE / f"{name}.npz")["x"]
    entries, arrays = [], []
    for layer in model.layers:
        x = keras.ops.convert_to_numpy(layer(x))
        entries.append(
            {
                "kind": "layer",
                "name": f"{name}/{layer.name}",
                "cls": type(layer).__name__,
                "mode": "inference",
                "dtype": str(x.dtype),
                "array": len(arrays),
            }
        )
        arrays.append(x)
    engine = f"keras-{keras.backend.backend()}"
    meta = {
        "schema": 1,
        "engine": engine,
        "model": name,
        "environment": {
            "keras": keras.version(),
            "weights": len(model.get_weights()),
        },
        "entries": entries,
    }
    with zipfile.ZipFile(HERE / f"{name}-{engine}.pkd", "w") as archive:
        archive.writestr("meta.json", json.dumps(meta, indent=1))
        for number, array in enumerate(arrays):
            stream = io.BytesIO()
            np.save(stream, array)
            archive.writestr(f"{number}.npy", stream.getvalue())


if __name__ == "__main__":
    if sys.argv[1] == "models":
        make_models()
    else:
        for chosen in STACKS:
            dump(chosen)
