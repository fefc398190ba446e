"""A GAN with gradient penalty: a training step of one's own, nested gradients.

    POLYKERAS_BACKEND=jax python examples/gan_gradient_penalty.py

`train_step` is written once and runs on every backend: the critic's loss holds the
gradient of the critic, and is differentiated again. The penalty drives the norm of
that gradient to 1, which the last line reports. The data are the 8x8 digits that come
with the package. ``--epochs`` and ``--samples`` shorten the run.

Reference: Gulrajani et al. (2017), Improved training of Wasserstein GANs, algorithm 1.
"""

import argparse

import polykeras as keras
from polykeras import layers, ops
from polykeras.datasets import digits

NOISE = 16
PIXELS = 8 * 8


class WassersteinGAN(keras.Model):
    """A generator of images and the critic that judges them."""

    def __init__(self, generator, critic, critic_steps=2, penalty_weight=10.0):
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.critic_steps = critic_steps
        self.penalty_weight = penalty_weight
        self.seeds = keras.random.SeedGenerator(1)
        self.distance = keras.metrics.Mean(name="distance")
        self.norm = keras.metrics.Mean(name="gradient_norm")

    def compile(self, generator_optimizer, critic_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def call(self, noise):
        return self.generator(noise)

    def noise_for(self, images):
        return keras.random.normal((images.shape[0], NOISE), seed=self.seeds)

    def critic_loss(self, images):
        """The estimated distance of the distributions, and the penalty."""
        fakes = self.generator(self.noise_for(images))
        share = keras.random.uniform((images.shape[0], 1), seed=self.seeds)
        mixed = share * images + (1 - share) * fakes
        slope = keras.grad(lambda x: ops.sum(self.critic(x)))(mixed)
        norm = ops.sqrt(ops.sum(slope * slope, axis=1) + 1e-12)
        penalty = ops.mean((norm - 1) ** 2)
        distance = ops.mean(self.critic(images)) - ops.mean(self.critic(fakes))
        return self.penalty_weight * penalty - distance, (distance, ops.mean(norm))

    def generator_loss(self, images):
        return -ops.mean(self.critic(self.generator(self.noise_for(images))))

    def train_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        variables = self.critic.trainable_variables
        learn = keras.value_and_grad(self.critic_loss, variables, has_aux=True)
        for _ in range(self.critic_steps):
            (_, (distance, norm)), grads = learn(images)
            self.critic_optimizer.apply(grads, variables)
        variables = self.generator.trainable_variables
        grads = keras.grad(self.generator_loss, variables)(images)
        self.generator_optimizer.apply(grads, variables)
        self.distance.update_state(distance)
        self.norm.update_state(norm)
        return self.get_metrics_result()


def build_model():
    """Generator and critic with an optimizer each."""
    generator = keras.Sequential(
        [
            layers.Input((NOISE,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(PIXELS, activation="sigmoid"),
        ]
    )
    critic = keras.Sequential(
        [
            layers.Input((PIXELS,)),
            layers.Dense(128, activation="tanh"),
            layers.Dense(128, activation="tanh"),
            layers.Dense(1),
        ]
    )
    model = WassersteinGAN(generator, critic)
    model.compile(
        generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
        critic_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
    )
    return model


def show(images):
    """Print images side by side in characters."""
    shades = " .:-=+*#%@"
    for row in range(8):
        lines = ("".join(shades[int(9.99 * p)] * 2 for p in x[row]) for x in images)
        print("  ".join(lines))


def main(argv=None):
    """Train, draw some digits, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--samples", type=int, default=1437)
    options = parser.parse_args(argv)

    keras.utils.set_random_seed(0)
    (images, _), _ = digits.load_data()
    x = images[: options.samples].reshape(-1, PIXELS).astype("float32") / 16
    model = build_model()
    history = model.fit(x, epochs=options.epochs, batch_size=64, verbose=0).history
    noise = keras.random.normal((4, NOISE), seed=7)
    show(model.predict(noise, verbose=0).reshape(-1, 8, 8))
    norm, first, last = (
        history["gradient_norm"][-1],
        history["distance"][0],
        history["distance"][-1],
    )
    print(
        f"{keras.backend.backend()}: gradient norm {norm:.3f} (theory: 1), distance "
        f"{first:.3f} in the first epoch, {last:.3f} in the last"
    )
    return norm


if __name__ == "__main__":
    main()
