"""Training procedures of one's own, written once for all backends."""

from __future__ import annotations

from typing import Any

import numpy as np

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend
from tests.training._models import X


class Duel(keras.Model):
    """A GAN with a gradient penalty: two optimizers, a gradient in a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        self.critic = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(4, activation="tanh"),
                keras.layers.Dense(1),
            ]
        )
        self.critic_optimizer = keras.optimizers.Adam(0.01)
        self.generator_optimizer = keras.optimizers.SGD(0.01)
        self.gap = keras.metrics.Mean(name="gap")
        self.seeds = keras.random.SeedGenerator(1)

    def critic_loss(self, real: Any, noise: Any) -> Any:
        fake = self.generator(noise)
        middle = 0.5 * (real + fake)
        slope = keras.grad(lambda x: ops.sum(self.critic(x)))(middle)
        penalty = ops.mean((ops.norm(slope, axis=-1) - 1.0) ** 2)
        return ops.mean(self.critic(fake)) - ops.mean(self.critic(real)) + penalty

    def train_step(self, data: Any) -> dict[str, Any]:
        real = data[0] if isinstance(data, tuple) else data
        noise = keras.random.normal((real.shape[0], 2), seed=self.seeds)
        variables = self.critic.trainable_variables
        loss, grads = keras.value_and_grad(self.critic_loss, variables)(real, noise)
        self.critic_optimizer.apply(grads, variables)
        variables = self.generator.trainable_variables
        other, grads = keras.value_and_grad(
            lambda z: -ops.mean(self.critic(self.generator(z))), variables
        )(noise)
        self.generator_optimizer.apply(grads, variables)
        self.gap.update_state(loss)
        return {"gap": self.gap.result(), "generator": other}


def run() -> tuple[dict[str, list[float]], list[np.ndarray], Duel]:
    keras.utils.set_random_seed(2)
    model = Duel()
    model.compile()
    history = model.fit(X, batch_size=8, epochs=2, verbose=0).history
    return history, model.get_weights(), model


def test_one_step_serves_all_backends(backend: Backend) -> None:
    history, weights, model = run()
    assert list(history) == ["gap", "generator"]
    assert int(model.critic_optimizer.iterations.numpy()) == 6
    assert int(model.generator_optimizer.iterations.numpy()) == 6
    with keras.use_backend("numpy"):
        expected_history, expected, _ = run()
    for name, values in expected_history.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-3, atol=1e-5)
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_overriding_test_and_predict_steps(backend: Backend) -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def test_step(self, data: Any) -> dict[str, Any]:
            return {"seven": ops.convert_to_tensor(7.0)}

        def predict_step(self, data: Any) -> Any:
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            return {"twice": 2 * self(x)}

    model = Own()
    model.compile("sgd", "mse")
    assert model.evaluate(X, X[:, :1], verbose=0) == 7.0
    np.testing.assert_allclose(
        model.predict(X, verbose=0)["twice"],
        2 * np.asarray(keras.ops.convert_to_numpy(model(X))),
        rtol=1e-6,
    )
