"""The first network of Chollet's book: MNIST digits with two dense layers.

    POLYKERAS_BACKEND=numpy python examples/mnist_mlp.py

The book prints a test accuracy of 0.9789. The network computes in 64 bits, so that the
losses of all backends agree digit by digit; with ``--floatx float32`` it is faster, and
training amplifies roundings until losses agree to some thousandths only. ``--dropout``
puts a Dropout(0.5) in between; the masks are the same bits on every backend.
``--epochs`` and ``--samples`` shorten the run.
"""

import argparse

import polykeras as keras
from polykeras import layers
from polykeras.datasets import mnist
from polykeras.utils import to_categorical


def build_model(dropout=False):
    """The network, compiled."""
    model = keras.Sequential([layers.Input((28 * 28,))])
    model.add(layers.Dense(512, activation="relu"))
    if dropout:
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def load_data():
    """Images as rows of 784 numbers from 0 to 1, labels one-hot."""
    (train_images, train_labels), (test_images, test_labels) = mnist.load_data()
    dtype = keras.config.floatx()
    train_images = train_images.reshape((60000, 28 * 28)).astype(dtype) / 255
    test_images = test_images.reshape((10000, 28 * 28)).astype(dtype) / 255
    train = (train_images, to_categorical(train_labels))
    return train, (test_images, to_categorical(test_labels))


def main(argv=None):
    """Train and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dropout", action="store_true")
    parser.add_argument("--floatx", choices=["float32", "float64"], default="float64")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--samples", type=int, default=60000)
    options = parser.parse_args(argv)

    keras.config.set_floatx(options.floatx)
    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = load_data()
    model = build_model(options.dropout)
    history = model.fit(
        x[: options.samples],
        y[: options.samples],
        epochs=options.epochs,
        batch_size=128,
        verbose=2,
    )
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    losses = " ".join(f"{loss:.12g}" for loss in history.history.get("loss", []))
    print(f"epoch losses: {losses}")
    print(f"{keras.backend.backend()}: test accuracy {accuracy:.4f} (book: 0.9789)")
    return accuracy


if __name__ == "__main__":
    main()
