"""A: building models."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as pk
from polykeras import layers, models, ops
from polykeras.errors import ShapeError
from tests.acceptance._support import real, values

pytestmark = pytest.mark.usefixtures("backend")


def book_model():
    model = models.Sequential()
    model.add(layers.Dense(32, activation="relu", input_shape=(784,)))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def images(count=4, size=784):
    return np.random.default_rng(0).uniform(size=(count, size)).astype("float32")


def falls(model, x, y, loss="mse", epochs=3, optimizer=None):
    model.compile(optimizer or pk.optimizers.Adam(0.01), loss)
    losses = model.fit(x, y, epochs=epochs, verbose=0).history["loss"]
    return losses[-1] < losses[0]


def test_A01():
    assert len(book_model().layers) == 2


def test_A02():
    shapes = [w.shape for w in book_model().get_weights()]
    assert shapes == [(784, 32), (32,), (32, 10), (10,)]


def test_A03():
    assert book_model().layers[1].kernel.shape == (32, 10)


def test_A04():
    model = book_model()
    for count in (1, 7, 128):
        assert model.predict(images(count), verbose=0).shape == (count, 10)


def test_A05():
    with pytest.raises(ValueError, match=r"\(None, 784\).*\(4, 783\)"):
        book_model()(images(4, 783))


def test_A06(capsys):
    model = pk.Sequential([layers.Dense(32, activation="relu"), layers.Dense(32)])
    model.summary()
    assert "unbuilt" in capsys.readouterr().out
    assert not model.built
    assert model(images(2, 5)).shape == (2, 32)
    fresh = pk.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
    fresh.compile("sgd", "mse")
    fresh.fit(images(4, 5), np.zeros((4, 2)), verbose=0)
    assert fresh.layers[0].kernel.shape == (5, 4)


def functional():
    inputs = layers.Input(shape=(784,))
    x = layers.Dense(32, activation="relu")(inputs)
    outputs = layers.Dense(10, activation="softmax")(x)
    return models.Model(inputs=inputs, outputs=outputs)


def test_A07():
    adam = pk.optimizers.Adam(0.001)
    assert falls(functional(), images(8), np.eye(10)[np.arange(8)], optimizer=adam)
    assert layers.Input((3,)).shape == pk.Input((3,)).shape


def test_A08():
    a, b = book_model(), functional()
    b.set_weights(a.get_weights())
    np.testing.assert_allclose(
        a.predict(images(), verbose=0), b.predict(images(), verbose=0), atol=1e-6
    )


def test_A09():
    class Own(pk.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(8, activation="relu")
            self.head = layers.Dense(1)

        def call(self, x):
            return self.head(self.hidden(x))

    model = Own()
    x = images(16, 3)
    assert falls(model, x, x.sum(axis=1))
    assert model.evaluate(x, x.sum(axis=1), verbose=0) > 0
    assert model.predict(x, verbose=0).shape == (16, 1)


def test_A10():
    class SumAndProduct(layers.Layer):
        def call(self, inputs):
            a, b = inputs
            return a + b, a * b

    a, b = pk.Input((2,)), pk.Input((2,))
    model = pk.Model([a, b], SumAndProduct()([a, b]))
    total, product = model([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])])
    np.testing.assert_array_equal(values(total), [[4.0, 6.0]])
    np.testing.assert_array_equal(values(product), [[3.0, 8.0]])


def test_A11():
    assert layers.Flatten().weights == []
    model = pk.Sequential([pk.Input((3,)), layers.Dense(2)])
    before = model.get_weights()
    assert len(before) == 2
    model.compile("sgd", "mse")
    model.train_on_batch(images(4, 3), np.ones((4, 2)))
    for a, b in zip(before, model.get_weights(), strict=True):
        assert not np.array_equal(a, b)


@pytest.mark.parametrize(
    ("shape", "layer", "output"),
    [
        ((5,), lambda: layers.Dense(3), (3,)),
        ((6, 2), lambda: layers.LSTM(3), (3,)),
        ((6, 2), lambda: layers.Conv1D(3, 2), (5, 3)),
        ((6, 6, 1), lambda: layers.Conv2D(3, 3), (4, 4, 3)),
    ],
)
def test_A12(shape, layer, output):
    x = np.random.default_rng(0).normal(size=(16, *shape)).astype("float32")
    model = pk.Sequential([pk.Input(shape), layer()])
    assert model.output_shape == (None, *output)
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    assert falls(model, x, x.reshape(16, -1).mean(axis=1), epochs=2)


def test_A13():
    calls = []

    class Counted(layers.Layer):
        def call(self, x):
            calls.append(1)
            return x + 1.0

    x = pk.Input((2,))
    shared = Counted()(x)
    left, right = shared * 2.0, shared * 3.0
    joined = layers.Concatenate()([left, layers.Add()([left, right])])
    model = pk.Model(x, joined)
    calls.clear()
    found = values(model(np.zeros((1, 2))))
    np.testing.assert_array_equal(found, [[2.0, 2.0, 5.0, 5.0]])
    assert len(calls) == 1


def test_A14():
    x = pk.Input((4,))
    merged = layers.concatenate([layers.Dense(3)(x), layers.Dense(2)(x)])
    model = pk.Model(x, layers.Dense(1)(merged))
    data = images(16, 4)
    assert falls(model, data, data.sum(axis=1))


def test_A15():
    x = pk.Input((4,))
    model = pk.Model(x, [layers.Dense(1)(x), layers.Dense(3)(x)])
    outputs = model.predict(images(5, 4), verbose=0)
    assert isinstance(outputs, list)
    assert [y.shape for y in outputs] == [(5, 1), (5, 3)]


def test_A16():
    x = pk.Input((8, 8, 2))
    a = layers.Conv2D(2, 1, activation="relu", strides=2)(x)
    b = layers.Conv2D(2, 1, activation="relu")(x)
    b = layers.Conv2D(3, 3, activation="relu", strides=2, padding="same")(b)
    c = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    c = layers.Conv2D(4, 3, activation="relu", padding="same")(c)
    d = layers.Conv2D(2, 1, activation="relu")(x)
    d = layers.Conv2D(5, 3, activation="relu", padding="same")(d)
    d = layers.Conv2D(5, 3, activation="relu", strides=2, padding="same")(d)
    block = layers.concatenate([a, b, c, d])
    assert block.shape == (None, 4, 4, 2 + 3 + 4 + 5)
    head = layers.Dense(1)(layers.GlobalAveragePooling2D()(block))
    data = np.random.default_rng(0).uniform(size=(8, 8, 8, 2)).astype("float32")
    assert falls(pk.Model(x, head), data, data.mean(axis=(1, 2, 3)))


def test_A17():
    a, b = pk.Input((2,), name="a"), pk.Input((3,), name="b")
    model = pk.Model([a, b], layers.Dense(1)(layers.concatenate([a, b])))
    model.compile("sgd", "mse")
    start = model.get_weights()
    x, z, y = images(8, 2), images(8, 3), np.ones((8, 1))
    losses = set()
    for data in ([x, z], (x, z), {"b": z, "a": x}):
        model.set_weights(start)
        losses.add(model.fit(data, y, shuffle=False, verbose=0).history["loss"][0])
    assert len(losses) == 1


def test_A18():
    a, b = pk.Input((4, 3)), pk.Input((4, 3))
    shared = layers.LSTM(2)
    model = pk.Model([a, b], layers.subtract([shared(a), shared(b)]))
    assert len(model.trainable_weights) == 3
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")

    def gradient(first, second):
        def loss():
            return ops.sum(shared(first)) - ops.sum(shared(second))

        return [values(g) for g in pk.grad(loss, shared.trainable_variables)()]

    def single(first):
        fn = pk.grad(lambda: ops.sum(shared(first)), shared.trainable_variables)
        return [values(g) for g in fn()]

    both = gradient(x, 2 * x)
    for g, ga, gb in zip(both, single(x), single(2 * x), strict=True):
        np.testing.assert_allclose(g, ga - gb, atol=1e-5)


def test_A19():
    inner = pk.Sequential([pk.Input((4,)), layers.Dense(3, activation="relu")])
    a, b = pk.Input((4,)), pk.Input((4,))
    siamese = pk.Model([a, b], layers.Dense(1)(layers.subtract([inner(a), inner(b)])))
    assert siamese.count_params() == inner.count_params() + 4
    x = images(8, 4)
    assert falls(siamese, [x, x[::-1].copy()], x[:, 0] - x[::-1, 0])


@pytest.mark.parametrize("kind", ["conv to lstm", "conv over time"])
def test_A20(kind):
    rng = np.random.default_rng(0)
    if kind == "conv to lstm":
        x = rng.normal(size=(8, 10, 2)).astype("float32")
        model = pk.Sequential([layers.Conv1D(4, 3), layers.LSTM(4), layers.Dense(1)])
    else:
        x = rng.normal(size=(8, 3, 6, 6, 1)).astype("float32")
        model = pk.Sequential(
            [
                layers.TimeDistributed(layers.Conv2D(2, 3)),
                layers.TimeDistributed(layers.Flatten()),
                layers.LSTM(4),
                layers.Dense(1),
            ]
        )
    assert falls(model, x, x.reshape(8, -1).mean(axis=1))


def test_A21():
    """A GAN with a frozen critic inside, and a cell that reads and writes memory."""
    critic = pk.Sequential([pk.Input((2,)), layers.Dense(4, "relu"), layers.Dense(1)])
    critic.compile("adam", "mse")
    generator = pk.Sequential([pk.Input((3,)), layers.Dense(2)])
    critic.trainable = False
    noise = pk.Input((3,))
    gan = pk.Model(noise, critic(generator(noise)))
    gan.compile("adam", "mse")
    frozen, moving = critic.get_weights(), generator.get_weights()
    gan.train_on_batch(images(8, 3), np.ones((8, 1)))
    for a, b in zip(frozen, critic.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(moving[0], generator.get_weights()[0])

    class Memory(layers.Layer):
        slots, width = 4, 3

        def __init__(self):
            super().__init__()
            self.state_size = [self.slots * self.width]
            self.key, self.value = layers.Dense(self.slots), layers.Dense(self.width)

        def call(self, inputs, states):
            memory = ops.reshape(states[0], (-1, self.slots, self.width))
            where = ops.expand_dims(ops.softmax(self.key(inputs)), -1)
            memory = memory + where * ops.expand_dims(self.value(inputs), 1)
            read = ops.sum(memory * where, axis=1)
            return read, [ops.reshape(memory, (-1, self.slots * self.width))]

    model = pk.Sequential([pk.Input((5, 2)), layers.RNN(Memory()), layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(16, 5, 2)).astype("float32")
    assert falls(model, x, x[:, 0, 0])


def test_A22():
    """The shape of the net; its figures are row F01."""
    model = pk.Sequential(
        [
            layers.Dense(512, activation="relu", input_shape=(28 * 28,)),
            layers.Dense(10, activation="softmax"),
        ]
    )
    assert model.count_params() == 784 * 512 + 512 + 512 * 10 + 10
    x, y = images(64), np.eye(10)[np.arange(64) % 10]
    adam = pk.optimizers.Adam(0.0001)
    assert falls(model, x, y, "categorical_crossentropy", optimizer=adam)


def test_A23():
    x = np.ones((200, 50), "float32")
    layer = layers.Dropout(0.5, seed=1)
    dropped = values(layer(x, training=True))
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert abs(dropped.mean() - 1.0) < 0.05
    np.testing.assert_array_equal(values(layer(x)), x)


def test_A24():
    layer = layers.Dense(1, activation="linear", input_shape=(1,))
    model = pk.Sequential([layer])
    model.set_weights([np.array([[2.0]]), np.array([1.0])])
    np.testing.assert_array_equal(values(model(np.array([[3.0]]))), [[7.0]])


def test_A25():
    layer = layers.BatchNormalization(momentum=0.5)
    x = np.array([[1.0], [3.0]], "float32")
    trained = values(layer(x, training=True))
    np.testing.assert_allclose(trained, [[-1.0], [1.0]], atol=1e-3)
    moving = {v.name: v.numpy() for v in layer.non_trainable_weights}
    np.testing.assert_allclose(moving["moving_mean"], [1.0])
    assert not np.array_equal(values(layer(x, training=False)), trained)
    assert [v.name for v in layer.trainable_weights] == ["gamma", "beta"]


def test_A26():
    x = pk.Input((3,))
    dense = layers.Dense(3)
    model = pk.Model(x, [layers.add([dense(x), x]), dense(x) + x])
    first, second = (values(y) for y in model(images(2, 3)))
    np.testing.assert_array_equal(first, second)


def test_A27():
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 3)).astype("float32")
    separable = layers.SeparableConv2D(8, 3, use_bias=False)
    found = values(separable(x))
    depth, point = separable.get_weights()
    depthwise = layers.DepthwiseConv2D(3, use_bias=False)
    depthwise(x)
    depthwise.set_weights([depth])
    ordinary = layers.Conv2D(8, 1, use_bias=False)
    middle = depthwise(x)
    ordinary(middle)
    ordinary.set_weights([point])
    np.testing.assert_allclose(found, values(ordinary(middle)), atol=1e-5)
    full = layers.Conv2D(8, 3, use_bias=False)
    full(x)
    assert separable.count_params() < full.count_params()


def test_A28(tmp_path, capsys):
    inputs = x = pk.Input((4,))
    for _ in range(1000):
        x = layers.add([x, layers.Dense(4, kernel_initializer="zeros")(x)])
    model = pk.Model(inputs, x)
    model.summary(line_length=80)
    assert "dense" in capsys.readouterr().out
    model.compile("sgd", "mse", run_eagerly=True)
    data = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(values(model(data)), data)
    model.save(tmp_path / "deep.keras")
    before = model.get_weights()
    model.train_on_batch(data, 2 * data)
    assert not np.array_equal(before[0], model.get_weights()[0])


def test_A29():
    from polykeras.datasets import mnist

    real("mnist.npz")
    (x, y), (xt, yt) = mnist.load_data()
    x, y, xt, yt = x[:10000], y[:10000], xt[:1000], yt[:1000]
    x, xt = (a.reshape(len(a), -1).astype("float32") / 255 for a in (x, xt))

    def accuracy(activation, initializer, epochs):
        pk.utils.set_random_seed(0)
        hidden = [
            layers.Dense(64, activation=activation, kernel_initializer=initializer)
            for _ in range(12)
        ]
        model = pk.Sequential([pk.Input((784,)), *hidden, layers.Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["acc"])
        model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)
        return model.evaluate(xt, yt, verbose=0)[1]

    assert accuracy("relu", "he_normal", 5) > 0.9
    assert accuracy("sigmoid", pk.initializers.RandomNormal(stddev=0.01), 1) < 0.3


def test_A30():
    x = images(4, 6)
    model = pk.Sequential(
        [pk.Input((6,)), layers.Dense(5, "relu"), layers.Dense(3, "softmax")]
    )
    w1, b1, w2, b2 = model.get_weights()
    hidden = ops.maximum(ops.add(ops.matmul(x, w1), b1), 0.0)
    e = ops.exp(ops.add(ops.matmul(hidden, w2), b2))
    p = ops.divide(e, ops.sum(e, axis=1, keepdims=True))
    np.testing.assert_allclose(values(p), values(model(x)), atol=1e-6)


def test_A31():
    model = pk.Sequential(
        [pk.Input((4,))] + [layers.Dense(4, activation="relu") for _ in range(100)]
    )
    model.compile("sgd", "mse")
    loss = model.train_on_batch(images(4, 4), np.ones((4, 4)))
    assert np.isfinite(loss)
    assert len(model.layers) == 100


def test_A32():
    """Only the first layer is told a size; the others find theirs."""
    model = pk.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(10, 10, 1)),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(6, activation="relu"),
            layers.Dense(2),
        ]
    )
    assert [w.shape for w in model.get_weights()][2:] == [(64, 6), (6,), (6, 2), (2,)]
    with pytest.raises(ShapeError):
        model(np.ones((1, 10, 10, 2)))
