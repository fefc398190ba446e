"""A variational autoencoder: digits from two numbers, one step for all engines.

    POLYKERAS_BACKEND=numpy python examples/vae_digits.py

An encoder gives a normal distribution for each image, a decoder draws from it and
paints. The loss is the bound of Kingma and Welling (2013), in nats an image, and is
compared with what painting the mean image costs. ``--epochs`` shortens the run.
"""

import argparse

import numpy as np

import polykeras as keras
from polykeras import layers, ops
from polykeras.datasets import digits


class Vae(keras.Model):
    """Encoder, sampling and decoder, trained on the bound."""

    def __init__(self):
        """Make both networks."""
        super().__init__()
        self.encoder = keras.Sequential(
            [layers.Dense(64, activation="relu"), layers.Dense(4)]
        )
        self.decoder = keras.Sequential(
            [layers.Dense(64, activation="relu"), layers.Dense(64)]
        )
        self.bound = keras.metrics.Mean(name="bound")

    @property
    def metrics(self):
        """The mean of the bound, so that it starts anew in each epoch."""
        return [self.bound]

    def call(self, x):
        """Return painted images (as logits) and the distributions' parameters."""
        mean, log_variance = ops.split(self.encoder(x), 2, axis=-1)
        noise = keras.random.normal(ops.shape(mean))
        place = mean + ops.exp(0.5 * log_variance) * noise
        return self.decoder(place), mean, log_variance

    def compute_bound(self, x):
        """The cost of painting plus the distance to a standard normal, in nats."""
        painted, mean, log_variance = self(x)
        cost = ops.binary_crossentropy(x, painted, from_logits=True)
        cost = ops.sum(cost, axis=-1)
        distance = ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0
        return ops.mean(cost + 0.5 * ops.sum(distance, axis=-1))

    def train_step(self, data):
        """Descend the bound."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        differentiate = keras.value_and_grad(
            lambda: self.compute_bound(x), self.trainable_variables
        )
        bound, grads = differentiate()
        self.optimizer.apply(grads, self.trainable_variables)
        self.bound.update_state(bound)
        return {"bound": self.bound.result()}

    def test_step(self, data):
        """Measure the bound."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.bound.update_state(self.compute_bound(x))
        return {"bound": self.bound.result()}


def picture(image):
    """An image in letters."""
    shades = " .:+#@"
    return "\n".join("".join(shades[int(5 * v)] for v in row) for row in image)


def main(argv=None):
    """Train, report and paint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    (x, _), (x_test, _) = digits.load_data()
    x, x_test = (a.reshape(len(a), 64).astype("float32") / 16 for a in (x, x_test))
    model = Vae()
    model.compile(keras.optimizers.Adam(0.003))
    model.fit(x, epochs=options.epochs, batch_size=32, verbose=0)
    bound = model.evaluate(x_test, batch_size=360, verbose=0)
    place = np.array([[1.0, -1.0]], "float32")
    painted = ops.convert_to_numpy(ops.sigmoid(model.decoder(place)))
    print(picture(painted.reshape(8, 8)))
    p = np.clip(x.mean(axis=0), 1e-6, 1 - 1e-6)
    mean_image = -(x_test * np.log(p) + (1 - x_test) * np.log(1 - p)).sum(axis=1).mean()
    print(
        f"{keras.backend.backend()}: bound {bound:.2f} nats "
        f"(the mean image costs {mean_image:.2f})"
    )
    return bound


if __name__ == "__main__":
    main()
