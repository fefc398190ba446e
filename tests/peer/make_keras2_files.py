"""Write ``.h5`` models with Keras 2, and what they predict.

    PEER/bin/python tests/peer/make_keras2_files.py tests/saving/data/keras2_files.zip

PEER is an environment with tf_keras, the last version of Keras 2.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import exchange_cases as cases
import numpy as np


def stack(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Conv2D(3, 3, activation="relu", input_shape=(8, 8, 2), name="c"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.DepthwiseConv2D(2),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.0),
            layers.Dense(4, activation="sigmoid"),
        ]
    )
    # Adam would turn the rounding of the gradients before BatchNormalization, which
    # are zero, into whole steps.
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(2)],
    )
    return model


def graph(keras: Any) -> Any:
    layers = keras.layers
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    h = layers.Add()([shared(a), shared(shared(b))])
    inner = keras.Sequential([layers.Dense(3, input_shape=(4,))], name="inner")
    x = layers.Input((4,))
    block = keras.Model(x, layers.PReLU()(layers.Dense(4)(x)), name="block")
    y = layers.Concatenate()([block(h), inner(h)])
    outputs = [inner(h), block(b), layers.Dense(1, name="last")(y)]
    model = keras.Model([a, b], outputs)
    model.compile(
        keras.optimizers.Adam(0.01, amsgrad=True),
        ["mse", keras.losses.Huber(0.5), "mae"],
        loss_weights=[1.0, 0.5, 2.0],
    )
    return model


def sequences(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((6,), dtype="int32")
    y = layers.Embedding(5, 4)(x)
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(y)
    z = layers.MultiHeadAttention(2, 3)(y, y)
    z = layers.LayerNormalization()(z)
    z = layers.TimeDistributed(layers.Dense(2))(z)
    model = keras.Model(x, layers.GRU(3)(z))
    old = keras.optimizers.legacy.RMSprop(0.01, momentum=0.5, decay=0.1)
    model.compile(old, "mse")
    return model


MODELS = {"stack": stack, "graph": graph, "sequences": sequences}


def main(target: str) -> None:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tf_keras as keras

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w") as out:
        for name, build in MODELS.items():
            model = build(keras)
            cases.give_weights(model, name)
            cases.train(model, name)
            path = Path(folder) / f"{name}.h5"
            model.save(path)
            answers = {f"y{i}": y for i, y in enumerate(cases.outputs_of(model, name))}
            cases.train(model, name)
            trained = cases.outputs_of(model, name)
            answers |= {f"t{i}": y for i, y in enumerate(trained)}
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
    main(sys.argv[1])
