"""A functional convnet with an inception block, a shared layer and two outputs.

    POLYKERAS_BACKEND=torch python examples/mnist_convnet_functional.py

It tells the digit and, from the same features, whether it is odd. Convnets of this
size reach a test accuracy of 0.99 on MNIST (LeNet-5: 0.9905). ``--data digits`` takes
the 8x8 images that come with the package. ``--epochs`` and ``--samples`` shorten the
run.

Reference: LeCun et al. (1998), Gradient-based learning applied to document
recognition; Szegedy et al. (2015), Going deeper with convolutions.
"""

import argparse

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.datasets import digits, mnist


def convolve(x, filters, size, strides=1):
    """Convolution, batch normalization, relu."""
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    # The default, 0.99, needs hundreds of steps to forget the initial statistics.
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation("relu")(x)


def inception(x):
    """Four views of the same pixels, side by side."""
    narrow = convolve(x, 8, 1)
    wide = convolve(convolve(x, 8, 1), 16, 3)
    wider = convolve(convolve(convolve(x, 4, 1), 8, 3), 8, 3)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    return layers.Concatenate()([narrow, wide, wider, convolve(pooled, 8, 1)])


def build_model(size=28):
    """The network for square grey images, compiled with a loss for each output."""
    image = layers.Input((size, size, 1), name="image")
    x = convolve(image, 16, 5 if size > 8 else 3, strides=2 if size > 8 else 1)
    x = inception(x)
    x = layers.MaxPooling2D(2)(x)
    x = convolve(x, 32, 3)
    # One layer looks at the mean and at the maximum of every channel.
    summarize = layers.Dense(32, activation="relu", name="summarize")
    mean = summarize(layers.GlobalAveragePooling2D()(x))
    peak = summarize(layers.GlobalMaxPooling2D()(x))
    x = layers.Concatenate()([mean, peak, layers.Flatten()(x)])
    x = layers.Dropout(0.3)(x)
    outputs = {
        "digit": layers.Dense(10, activation="softmax", name="digit")(x),
        "odd": layers.Dense(1, activation="sigmoid", name="odd")(x),
    }
    model = keras.Model(image, outputs)
    model.compile(
        optimizer="adam",
        loss={"digit": "sparse_categorical_crossentropy", "odd": "binary_crossentropy"},
        loss_weights={"digit": 1.0, "odd": 0.5},
        metrics={"digit": ["accuracy"], "odd": ["accuracy"]},
    )
    return model


def load_data(name):
    """Images from 0 to 1 with a channel axis; both targets in a dict."""
    source, top = {"mnist": (mnist, 255), "digits": (digits, 16)}[name]
    parts = []
    for images, labels in source.load_data():
        x = images[..., np.newaxis].astype("float32") / top
        odd = (labels % 2)[:, np.newaxis].astype("float32")
        parts.append((x, {"digit": labels.astype("int32"), "odd": odd}))
    return parts


def main(argv=None):
    """Train and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["mnist", "digits"], default="mnist")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--samples", type=int, default=60000)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = load_data(options.data)
    model = build_model(x.shape[1])
    model.fit(
        x[: options.samples],
        {name: target[: options.samples] for name, target in y.items()},
        epochs=options.epochs,
        batch_size=64,
        verbose=2,
    )
    results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    digit, odd = results["digit_accuracy"], results["odd_accuracy"]
    print(
        f"{keras.backend.backend()}: test accuracy {digit:.4f} (LeNet-5 on MNIST: "
        f"0.9905), odd or even {odd:.4f}"
    )
    return digit


if __name__ == "__main__":
    main()
