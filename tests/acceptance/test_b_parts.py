"""B: activations, losses, optimizers, metrics."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as pk
from polykeras import activations, layers, losses, ops, optimizers
from tests.acceptance._support import blobs, values

pytestmark = pytest.mark.usefixtures("backend")

Z = np.array([-3.0, -0.5, 0.0, 0.5, 3.0], "float32")


def slope(fn, x):
    return values(pk.grad(lambda v: ops.sum(fn(v)))(ops.convert_to_tensor(x)))


def dense(units=1, activation=None, size=2):
    return pk.Sequential([pk.Input((size,)), layers.Dense(units, activation)])


def test_B01():
    np.testing.assert_array_equal(
        values(activations.get("relu")(Z)), [0.0, 0.0, 0.0, 0.5, 3.0]
    )
    e = np.exp(Z - Z.max())
    np.testing.assert_allclose(
        values(activations.get("softmax")(Z[None]))[0], e / e.sum(), rtol=1e-6
    )


def test_B02():
    for name, fn, derivative in (
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y)),
        ("tanh", np.tanh, lambda y: 1 - y**2),
    ):
        op = activations.get(name)
        np.testing.assert_allclose(values(op(Z)), fn(Z), rtol=1e-6)
        np.testing.assert_allclose(slope(op, Z), derivative(fn(Z)), atol=1e-6)
    wide = np.array([-1000.0, -20.0, 0.0, 20.0, 1000.0], "float32")
    found = values(activations.softplus(wide))
    np.testing.assert_allclose(found, [0, 0, np.log(2), 20, 1000], atol=1e-6)
    assert np.abs(values(activations.tanh(wide))).max() <= 1.0


def test_B03():
    np.testing.assert_array_equal(slope(activations.relu, Z), [0, 0, 0, 1, 1])
    model = pk.Sequential(
        [pk.Input((2,)), layers.Dense(3, "relu", kernel_initializer="zeros")]
    )
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(np.ones((4, 2)), np.ones((4, 3))))


def test_B04():
    np.testing.assert_array_equal(slope(ops.sign, Z), np.zeros(5))

    def step(z):
        return ops.multiply(ops.cast(ops.greater_equal(z, 0), "float32"), 1.0)

    np.testing.assert_array_equal(values(step(Z)), [0, 0, 1, 1, 1])
    np.testing.assert_array_equal(slope(lambda z: step(z) + 0.0 * z, Z), np.zeros(5))


def test_B05():
    model = dense(3, "softmax")
    model.set_weights([np.array([[1000.0, -1000, 0], [0, 1, 2]]), np.zeros(3)])
    rows = model.predict(np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 0.0]]), verbose=0)
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-5)
    assert ((rows >= 0) & (rows <= 1)).all()


def test_B06():
    y, p = np.array([[1.0], [0.0]]), np.array([[0.8], [0.3]])
    wanted = -(np.log(0.8) + np.log(0.7)) / 2
    loss = losses.get("binary_crossentropy")
    assert float(ops.mean(loss(y, p))) == pytest.approx(wanted, rel=1e-6)
    logits = np.log(p / (1 - p))
    from_logits = losses.BinaryCrossentropy(from_logits=True)
    assert float(from_logits(y, logits)) == pytest.approx(wanted, rel=1e-5)
    assert np.isfinite(float(ops.mean(loss(y, 1 - y))))


def test_B07():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    one_hot, numbers = np.array([[1.0, 0, 0], [0, 0, 1.0]]), np.array([0, 2])
    wanted = -(np.log(0.7) + np.log(0.6)) / 2
    plain = float(losses.CategoricalCrossentropy()(one_hot, p))
    sparse = float(losses.SparseCategoricalCrossentropy()(numbers, p))
    assert plain == pytest.approx(wanted, rel=1e-6)
    assert sparse == pytest.approx(plain, rel=1e-6)


def test_B08():
    a, b = (losses.get(name) for name in ("mse", "mean_squared_error"))
    y, p = Z[None], Z[None] + 2.0
    np.testing.assert_array_equal(values(a(y, p)), values(b(y, p)))
    np.testing.assert_allclose(values(a(y, p)), [4.0])


def test_B09():
    y, p = np.zeros((1, 4)), np.array([[1.0, -1.0, 2.0, -100.0]])
    for name in ("mae", "mean_absolute_error"):
        assert float(ops.mean(losses.get(name)(y, p))) == pytest.approx(26.0)


def test_B10():
    huber = losses.Huber(delta=1.0, reduction=None)
    errors = np.array([[0.5], [1.0], [3.0]], "float32")
    found = values(huber(np.zeros((3, 1)), errors))
    np.testing.assert_allclose(found, [0.125, 0.5, 2.5], rtol=1e-6)
    slopes = slope(lambda p: huber(np.zeros((3, 1), "float32"), p), errors)
    np.testing.assert_allclose(slopes[:, 0], [0.5, 1.0, 1.0], rtol=1e-6)


def test_B11():
    """Two steps, one label: it may stand in either step or in both."""
    p = np.array([[[0.6, 0.4], [0.3, 0.7]]])  # class 1 is the label, class 0 the blank
    logits = np.log(p).astype("float32")
    wanted = -np.log(0.4 * 0.3 + 0.6 * 0.7 + 0.4 * 0.7)
    ctc = losses.CTC()
    assert float(ctc(np.array([[1]]), logits)) == pytest.approx(wanted, rel=1e-5)
    grad = pk.grad(lambda x: ctc(np.array([[1]]), x))(ops.convert_to_tensor(logits))
    assert np.isfinite(values(grad)).all()
    model = pk.Sequential([pk.Input((6, 3)), layers.Dense(4)])
    model.compile(optimizers.Adam(0.05), ctc)
    x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
    history = model.fit(x, np.array([[1, 2]] * 4), epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_B12():
    y, p = np.array([[0.0, 1.0, 0.0]]), np.array([[0.2, 0.5, 0.3]])
    found = float(losses.CategoricalCrossentropy()(y, p))
    assert found == pytest.approx(-np.sum(y * np.log(p)), rel=1e-6)


def test_B13():
    def my_custom_loss(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred))

    class MyLoss(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    x, y = blobs(32)
    found = set()
    for loss in (my_custom_loss, MyLoss(), "mae"):
        pk.utils.set_random_seed(1)
        model = dense()
        model.compile("sgd", loss)
        model.fit(x, y, shuffle=False, verbose=0)
        found.add(round(model.evaluate(x, y, verbose=0), 5))
    assert len(found) == 1


def test_B14():
    def my_custom_metric_1(y_true, y_pred):
        return ops.mean(y_pred)

    class MyCustomMetric2(pk.metrics.Metric):
        def __init__(self, name="my_custom_metric_2", **kwargs):
            super().__init__(name=name, **kwargs)
            self.count = self.add_weight(shape=(), initializer="zeros", name="count")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign(self.count + ops.cast(ops.shape(y_true)[0], "float32"))

        def result(self):
            return self.count

    x, y = blobs(32)
    model = dense()
    model.compile("sgd", "mse", metrics=[my_custom_metric_1, MyCustomMetric2()])
    history = model.fit(x, y, verbose=0).history
    assert set(history) == {"loss", "my_custom_metric_1", "my_custom_metric_2"}
    assert history["my_custom_metric_2"] == [32.0]


def test_B15():
    def rounded(y_true, y_pred):
        best = ops.cast(ops.argmax(ops.round(y_pred), axis=-1), "float32")
        return ops.cast(ops.equal(best, ops.argmax(y_true, axis=-1)), "float32")

    x, y = blobs(32)
    model = dense(2, "softmax")
    model.compile("sgd", "categorical_crossentropy", metrics=[rounded])
    history = model.fit(x, np.concatenate([1 - y, y], 1), verbose=0).history
    assert 0 <= history["rounded"][0] <= 1


def test_B16():
    x, y = blobs(40)
    one_hot = np.concatenate([1 - y, y], axis=1)
    w = np.array([[-1.0], [1.0]])
    for units, targets, loss in (
        (1, y, "binary_crossentropy"),
        (2, one_hot, "categorical_crossentropy"),
        (2, y[:, 0], "sparse_categorical_crossentropy"),
    ):
        model = dense(units, "sigmoid" if units == 1 else "softmax")
        kernel = -w if units == 1 else np.concatenate([w, -w], axis=1)
        model.set_weights([kernel, np.zeros(units)])
        model.compile(optimizers.SGD(0.0), loss, metrics=["accuracy"])
        history = model.fit(x, targets, verbose=0).history
        expected = np.mean((x @ -w > 0) == (y > 0.5))
        assert history["accuracy"] == [pytest.approx(expected)]


def test_B17():
    x, y = blobs(32)
    model = dense(1, "sigmoid")
    model.compile("sgd", "mse", metrics=[pk.metrics.BinaryAccuracy()])
    assert "binary_accuracy" in model.fit(x, y, verbose=0).history


def test_B18():
    model = dense()
    model.compile("rmsprop", "mse")
    assert type(model.optimizer) is optimizers.RMSprop
    ours, fresh = model.optimizer.get_config(), optimizers.RMSprop().get_config()
    assert {**ours, "name": ""} == {**fresh, "name": ""}


def test_B19():
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        optimizer = optimizers.RMSprop(lr=0.001)
    assert float(optimizer.learning_rate) == pytest.approx(0.001)


def test_B20():
    optimizer = optimizers.RMSprop(learning_rate=0.0001)
    v = pk.Variable(1.0)
    optimizer.apply([ops.ones(())], [v])
    # The mean of squares is 0.1 after a step, so the step is rate / sqrt(0.1).
    assert float(v) == pytest.approx(1 - 0.0001 / np.sqrt(0.1 + 1e-7), rel=1e-6)


def test_B21():
    model = dense(size=1)
    model.set_weights([np.array([[1.0]]), np.array([0.0])])
    model.compile(optimizer="sgd", loss="mse")
    model.train_on_batch(np.array([[2.0]]), np.array([[5.0]]))
    gradient = 2 * (2.0 - 5.0)
    kernel, bias = model.get_weights()
    assert kernel.item() == pytest.approx(1 - 0.01 * gradient * 2)
    assert bias.item() == pytest.approx(-0.01 * gradient)


def test_B22():
    gradients = [1.0, -0.5, 2.0]

    def rmsprop():
        w, s = 1.0, 0.0
        for g in gradients:
            s = 0.9 * s + 0.1 * g * g
            w -= 0.1 * g / np.sqrt(s + 1e-7)
        return w

    def adam():
        w, m, s = 1.0, 0.0, 0.0
        for t, g in enumerate(gradients, 1):
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            w -= rate * m / (np.sqrt(s) + 1e-7)
        return w

    for optimizer, expected in (
        (optimizers.RMSprop(0.1), rmsprop()),
        (optimizers.Adam(0.1), adam()),
    ):
        v = pk.Variable(1.0)
        for g in gradients:
            optimizer.apply([ops.convert_to_tensor(np.float32(g))], [v])
        assert float(v) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (300 + 200)),
        ("glorot_normal", 2 / (300 + 200)),
        ("he_normal", 2 / 300),
        ("he_uniform", 2 / 300),
        ("lecun_normal", 1 / 300),
        ("lecun_uniform", 1 / 300),
    ],
)
def test_B23(name, variance):
    pk.utils.set_random_seed(0)
    layer = layers.Dense(200, kernel_initializer=name)
    layer.build((None, 300))
    assert layer.get_weights()[0].var() == pytest.approx(variance, rel=0.05)


def test_B24():
    x, y = blobs(8)
    model = pk.Sequential(
        [pk.Input((2,)), layers.Dense(1, kernel_regularizer=pk.regularizers.L2(0.1))]
    )
    kernel = np.array([[1.0], [2.0]])
    model.set_weights([kernel, np.zeros(1)])
    model.compile("sgd", "mse")
    plain = np.mean((x @ kernel - y) ** 2)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(plain + 0.5, rel=1e-5)
    v = pk.Variable(2.0)
    optimizers.SGD(0.1, weight_decay=0.5).apply([ops.zeros(())], [v])
    assert float(v) == pytest.approx(2.0 - 0.1 * 0.5 * 2.0)


def test_B25():
    x = np.linspace(1, 10, 200)

    def last_loss(rate):
        pk.utils.set_random_seed(0)
        model = dense(size=1)
        model.compile(optimizers.SGD(rate), "mse")
        return model.fit(x, 2 * x + 1, epochs=20, verbose=0).history["loss"][-1]

    with np.errstate(all="ignore"):
        diverged = last_loss(0.1)
    assert not diverged < 1e3
    assert last_loss(0.01) < 0.2


def several_outputs(loss, weights=None):
    x = pk.Input((2,), name="x")
    heads = [layers.Dense(1, name=name, kernel_initializer="ones")(x) for name in "ab"]
    model = pk.Model(x, heads)
    model.compile("sgd", loss, loss_weights=weights)
    data, target = np.array([[1.0, 2.0]]), [np.array([[1.0]]), np.array([[6.0]])]
    return model.evaluate(data, target, verbose=0, return_dict=True)


def test_B26():
    assert several_outputs(["mse", "mae"])["loss"] == pytest.approx(4.0 + 3.0)
    mean = several_outputs(["mse", "mae"], [0.5, 0.5])["loss"]
    assert mean == pytest.approx(3.5)


def test_B27():
    for loss in (["mse", "mae"], {"b": "mae", "a": "mse"}):
        found = several_outputs(loss)
        assert found["a_loss"] == pytest.approx(4.0)
        assert found["b_loss"] == pytest.approx(3.0)


def test_B28():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(128, 4)).astype("float32")
    target = x @ rng.normal(size=(4, 2)) + np.array([1.0, -1.0])
    model = dense(2, size=4)
    model.compile(optimizers.Adam(0.05), "mse")
    model.fit(x, target, epochs=60, verbose=0)
    assert model.evaluate(x, target, verbose=0) < 1e-2


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [("relu", 0, np.inf), ("softplus", 0, np.inf), ("sigmoid", 0, 1), ("tanh", -1, 1)],
)
def test_B29(activation, low, high):
    x, y = blobs(64)
    model = dense(1, activation)
    model.compile(optimizers.Adam(0.05), "mse")
    losses_ = model.fit(x, y, epochs=4, verbose=0).history["loss"]
    assert losses_[-1] < losses_[0]
    found = model.predict(x * 100, verbose=0)
    assert found.min() >= low
    assert found.max() <= high


def test_B30():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 16, "float32")
    model = dense(2, "sigmoid")
    model.compile(optimizers.Adam(0.2), "binary_crossentropy")
    model.fit(x, x, epochs=40, verbose=0)
    found = model.predict(x[:4], verbose=0)
    np.testing.assert_array_equal(found.round(), x[:4])
    assert found[3].sum() > 1.5


def test_B31():
    one_hot = pk.utils.to_categorical([0, 2, 1], 4)
    np.testing.assert_array_equal(one_hot, np.eye(4)[[0, 2, 1]])
