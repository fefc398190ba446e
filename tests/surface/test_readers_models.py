"""What the code of books and guides does with Keras: sequences and whole models."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import Input, Model, Sequential, layers, ops
from polykeras.errors import ArgumentError, ShapeError
from tests.surface._readers import X, Y, line, values

# -- recurrent layers --------------------------------------------------------------


def test_recurrent_layers_pass_states_and_masks(backend):
    words = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
    encoded = Input((None,), dtype="int32")
    embedding = layers.Embedding(9, 4, mask_zero=True)
    sequence, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(
        embedding(encoded)
    )
    decoded = layers.LSTM(3, return_sequences=True)(
        embedding(encoded), initial_state=[h, c]
    )
    model = Model(encoded, [sequence, h, decoded])
    outputs, last, _ = (values(y) for y in model(words))
    np.testing.assert_array_equal(last[0], outputs[0, 1])
    np.testing.assert_array_equal(last[1], outputs[1, 2])

    stack = Sequential(
        [
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.GRU(3, return_sequences=True), "sum"),
            layers.LSTM(3),
        ]
    )
    longer = np.concatenate([words, np.zeros((2, 3), int)], axis=1)
    np.testing.assert_allclose(
        values(stack(words)), values(stack(longer)), rtol=0, atol=1e-6
    )


def test_merge_modes_and_recurrent_dropout(backend):
    x = ops.ones((2, 5, 4))
    assert layers.Bidirectional(layers.LSTM(3), merge_mode="sum")(x).shape == (2, 3)
    assert layers.Bidirectional(layers.LSTM(3))(x).shape == (2, 6)
    layer = layers.LSTM(3, dropout=0.5, recurrent_dropout=0.5, seed=1)
    kept = values(layer(x, training=False))
    assert not np.array_equal(kept, values(layer(x, training=True)))
    np.testing.assert_array_equal(kept, values(layer(x)))


# -- shapes ------------------------------------------------------------------------


def test_one_dimensional_data_never_broadcast(backend):
    x = np.arange(6.0)
    model = Sequential([Input((1,)), layers.Dense(1, kernel_initializer="zeros")])

    def own_loss(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))

    for loss in ("mse", keras.losses.MeanSquaredError(), own_loss):
        model.compile("sgd", loss, metrics=["mae", own_loss])
        loss_value, mae, own = model.evaluate(x, x, verbose=0)
        assert loss_value == pytest.approx(np.mean(x**2), rel=1e-6)
        assert mae == pytest.approx(np.mean(x), rel=1e-6)
        assert own == pytest.approx(np.mean(x**2), rel=1e-6)
    column = x[:, None].astype("float32")
    assert float(keras.losses.MeanSquaredError()(x.astype("float32"), column)) == 0.0
    assert model.predict(np.array([1.0, 2.0]), verbose=0).shape == (2, 1)


def test_a_thousand_residual_blocks(backend, tmp_path):
    x = inputs = Input((2,))
    for _ in range(1000):
        x = layers.add([x, layers.Dense(2, kernel_initializer="zeros")(x)])
    model = Model(inputs, x)
    model.compile("sgd", "mse", run_eagerly=True)
    data = np.ones((2, 2), "float32")
    np.testing.assert_array_equal(values(model(data)), data)
    model.train_on_batch(data, data * 2)
    model.save_weights(tmp_path / "deep.weights.h5")
    twin = keras.models.model_from_json(model.to_json())
    twin.load_weights(tmp_path / "deep.weights.h5")
    np.testing.assert_array_equal(values(twin(data)), values(model(data)))


# -- where Keras fails its readers -------------------------------------------------


def test_noisy_labels_above_one(backend):
    loss = keras.losses.BinaryCrossentropy()
    found = float(loss(np.array([[1.05], [0.0]]), np.array([[0.9], [0.1]])))
    wanted = -(1.05 * np.log(0.9) - 0.05 * np.log(0.1) + np.log(0.9)) / 2
    assert found == pytest.approx(wanted, rel=1e-5)


def test_unseeded_random_numbers_in_call(backend):
    class Noise(layers.Layer):
        def call(self, x):
            drawn = keras.random.normal(ops.shape(x))
            return x + drawn

    model = Sequential([Input((3,)), Noise(), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert len(set(losses)) == 3


def test_segmentation_nets_train(backend):
    x = inputs = Input((8, 8, 1))
    down = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    up = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(down)
    masks = layers.Conv2D(3, 3, padding="same", activation="softmax")(
        layers.concatenate([up, layers.UpSampling2D()(down)])
    )
    model = Model(inputs, masks)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")
    targets = (images > 0).astype("uint8")
    losses = model.fit(images, targets, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


# -- wrong arguments ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: layers.Dense(3, activaton="relu"), "Did you mean 'activation'"),
        (lambda: layers.Dense(3, activation="rleu"), "Did you mean 'relu'"),
        (lambda: layers.Dense(-3), "positive number of units, got -3"),
        (lambda: layers.Conv2D(3, 3, padding="smae"), "Did you mean 'same'"),
        (lambda: line(metrics=["acuracy"]), "acuracy"),
        (lambda: line(optimizer="adm"), "Did you mean 'adam'"),
        (lambda: line(loss="msee"), "Did you mean 'mse'"),
        (lambda: layers.Dense(2, kernel_initializer="he"), "Unknown initializer 'he'"),
        (lambda: keras.optimizers.SGD(0.1, momentm=0.9), "Did you mean 'momentum'"),
        (lambda: line().get_layer("desne"), "has no layer 'desne'"),
        (lambda: line().fit(X, Y, verbose="loud"), "0, 1, 2 or 'auto', got 'loud'"),
        (lambda: line().fit(X, Y, epochs=0.5), "epochs must be an integer, got 0.5"),
        (lambda: line().fit(X, Y, class_weight={"a": 1}), "numbers of classes"),
        (lambda: line(steps_per_execution=0), "positive integer, got 0"),
        (
            lambda: line(optimizer=keras.optimizers.Adam(beta_1=2.0)).fit(X, Y),
            "Adam needs beta_1 from 0 to 1, got 2.0",
        ),
        (lambda: keras.metrics.TopKCategoricalAccuracy(k=0), "positive integer, got 0"),
        (lambda: keras.initializers.RandomNormal(stddev=-1.0), "at least 0, got -1.0"),
    ],
)
def test_wrong_arguments_are_answered_with_the_right_ones(wrong, said):
    with pytest.raises(ArgumentError) as caught:
        wrong()
    assert said in str(caught.value)


def test_wrong_shapes_are_answered_with_both(backend):
    with pytest.raises(ShapeError, match=r"\(None, 3\).*\(4, 2\)"):
        line()(np.ones((4, 2)))


# -- whole models ------------------------------------------------------------------


def test_translation_of_words_that_are_int64(backend):
    source = Input((None,), dtype="int64")
    state = layers.Embedding(30, 4, mask_zero=True)(source)
    state = layers.Bidirectional(layers.GRU(3), merge_mode="sum")(state)
    past = Input((None,), dtype="int64")
    x = layers.Embedding(30, 4, mask_zero=True)(past)
    x = layers.GRU(3, return_sequences=True)(x, initial_state=state)
    model = Model([source, past], layers.Dense(30, activation="softmax")(x))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    words = np.arange(24).reshape(4, 6)
    history = model.fit([words, words[:, :-1]], words[:, 1:], verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_own_cells_with_parts(backend):
    class Normalised(layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.state_size = self.output_size = units
            self.cell = layers.SimpleRNNCell(units, activation=None)
            self.norm = layers.LayerNormalization()

        def call(self, inputs, states):
            outputs, _ = self.cell(inputs, states)
            outputs = ops.tanh(self.norm(outputs))
            return outputs, [outputs]

    model = Sequential(
        [
            layers.RNN(Normalised(4), return_sequences=True, input_shape=[None, 3]),
            layers.RNN(Normalised(4)),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    first, last = model.fit(X[:, None], Y, epochs=2, verbose=0).history["loss"]
    assert last < first


def test_a_rate_that_grows_with_every_batch(backend):
    class Growing(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.rates = []

        def on_batch_end(self, batch, logs=None):
            self.rates.append(float(self.model.optimizer.learning_rate.numpy()))
            self.model.optimizer.learning_rate = self.rates[-1] * 2.0

    growing, model = Growing(), line()
    model.fit(X, Y, batch_size=2, callbacks=[growing], verbose=0)
    np.testing.assert_allclose(growing.rates, 0.01 * 2.0 ** np.arange(4), rtol=1e-6)


def test_adversaries_share_a_part_that_one_of_them_trains(backend):
    maker = Sequential([Input((3,)), layers.Dense(4)])
    judge = Sequential([Input((4,)), layers.Dense(1, activation="sigmoid")])
    both = Sequential([maker, judge])
    judge.compile("sgd", "binary_crossentropy")
    judge.trainable = False
    both.compile("sgd", "binary_crossentropy")

    def moved(train, *args):
        before = [*maker.get_weights(), *judge.get_weights()]
        train(*args)
        after = [*maker.get_weights(), *judge.get_weights()]
        changes = [(a != b).any() for a, b in zip(before, after, strict=True)]
        return changes[0], changes[2]

    ones = np.ones((8, 1), "float32")
    # What a model trains is settled by its own compile, whatever came later.
    with pytest.warns(UserWarning, match="trained as it was compiled.*compile()"):
        assert moved(judge.train_on_batch, np.ones((8, 4)), ones) == (False, True)
    assert moved(both.train_on_batch, X, ones) == (True, False)
    with pytest.warns(UserWarning, match="'dense"):
        judge.fit(np.ones((8, 4)), ones, verbose=0)
    assert not judge.trainable
    assert judge.trainable_variables == []
    judge.compile("sgd", "binary_crossentropy")
    assert moved(judge.train_on_batch, np.ones((8, 4)), ones) == (False, False)


def test_layers_that_use_the_kernel_of_another(backend):
    class Transposed(layers.Layer):
        def __init__(self, dense, **kwargs):
            super().__init__(**kwargs)
            self.dense = dense

        def build(self, input_shape):
            self.biases = self.add_weight(
                name="bias", shape=self.dense.input.shape[-1:], initializer="zeros"
            )
            super().build(input_shape)

        def call(self, inputs):
            return inputs @ ops.transpose(self.dense.weights[0]) + self.biases

    inner, outer = layers.Dense(5), layers.Dense(2)
    encoder = Sequential([Input((3,)), inner, outer])
    decoder = Sequential([Transposed(outer), Transposed(inner)])
    model = Sequential([encoder, decoder])
    model.compile("sgd", "mse")
    losses = model.fit(X, X, epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]
    assert len(model.trainable_variables) == 6


def test_steps_are_given_inputs_without_targets_as_they_are(backend):
    seen = []

    class Own(Model):
        def call(self, inputs):
            return inputs

        def train_step(self, data):
            seen.append(data)
            return {}

    model = Own()
    model.compile(run_eagerly=True)
    model.fit(X, batch_size=8, verbose=0)
    model.fit([X, X], batch_size=8, verbose=0)
    model.fit(X, Y, batch_size=8, verbose=0)
    assert tuple(seen[0].shape) == (8, 3)
    assert [len(data) for data in seen[1:]] == [1, 2]
