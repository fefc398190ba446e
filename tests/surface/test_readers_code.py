"""What the code of books and guides does with Keras, sentence by sentence."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import Input, Model, Sequential, layers, ops
from tests.surface._readers import X, Y, line, values

# -- first layers, activations, dtypes ---------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: layers.Flatten(input_shape=[4, 3], **k),
        lambda **k: layers.Conv1D(2, 2, input_shape=(4, 3), **k),
        lambda **k: layers.LSTM(2, input_shape=[None, 3], **k),
        lambda **k: layers.Normalization(input_shape=[4, 3], **k),
        lambda **k: layers.Dense(2, input_dim=3, **k),
        lambda **k: layers.Dense(2, batch_input_shape=(2, 3), **k),
        lambda **k: layers.SimpleRNN(1, batch_input_shape=[1, None, 3], **k),
        lambda **k: layers.Embedding(9, 2, input_length=4, **k),
        lambda **k: layers.Dropout(0.2, input_shape=(3,), **k),
        lambda **k: layers.InputLayer(input_shape=[3], **k),
        lambda **k: layers.Bidirectional(layers.GRU(2), input_shape=(4, 3), **k),
        lambda **k: layers.TimeDistributed(layers.Dense(2), input_shape=(4, 3), **k),
        lambda **k: layers.Rescaling(1 / 255, input_shape=[4, 4, 3], **k),
        lambda **k: layers.Reshape([6], input_shape=[2, 3], **k),
    ],
)
def test_any_first_layer_takes_an_input_shape(make):
    model = Sequential([make(name="first")])
    layer = model._layers[0]
    known = getattr(layer, "batch_shape", None)
    assert layer.name == "first" or isinstance(known, tuple)


def test_layers_as_activations():
    slope = layers.LeakyReLU(alpha=0.5)
    assert slope.negative_slope == 0.5
    layer = layers.Dense(2, activation=slope, kernel_initializer="ones")
    np.testing.assert_allclose(values(layer(-np.ones((1, 3)))), [[-1.5, -1.5]])
    with_weights = Sequential([Input((3,)), layers.Dense(2, activation=layers.PReLU())])
    assert with_weights.count_params() == 3 * 2 + 2 + 2


@pytest.mark.parametrize(
    ("given", "dtype"),
    [("int", "int32"), (int, "int32"), ("float", "float32"), ("bool", "bool")],
)
def test_python_names_of_dtypes(given, dtype):
    assert Input((2,), dtype=given).dtype == dtype


# -- fit, metrics, History ---------------------------------------------------------


def test_history(backend):
    model = line(metrics=["acc"])
    history = model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    assert history.epoch == [0, 1]
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 1}
    assert list(history.history) == ["loss", "acc", "val_loss", "val_acc"]
    assert model.history is history
    assert all(type(v) is float for vs in history.history.values() for v in vs)


@pytest.mark.parametrize(
    "name",
    ["acc", "accuracy", "mae", "mean_absolute_error", "RootMeanSquaredError", "mse"],
)
def test_keys_follow_the_metric_string(name):
    history = line(metrics=[name]).fit(X, Y, verbose=0).history
    assert list(history) == ["loss", name]


@pytest.mark.parametrize(
    "metrics",
    [
        [["mae"], ["mae", "mse"]],
        (["mae"], ["mae", "mse"]),
        {"a": "mae", "b": ["mae", "mse"]},
        {"a": ("mae",), "b": ("mae", "mse")},
    ],
)
def test_metrics_of_several_outputs(metrics):
    x = Input((3,))
    heads = [layers.Dense(1, name=name)(x) for name in "ab"]
    model = Model(x, heads)
    model.compile("sgd", "mse", metrics=metrics, weighted_metrics=[["mae"], []])
    history = model.fit(X, [Y, Y], verbose=0).history
    assert list(history) == [
        "loss",
        "a_loss",
        "b_loss",
        "a_mae",
        "b_mae",
        "b_mse",
        "a_weighted_mae",
    ]


@pytest.mark.parametrize("takes_training", [True, False])
def test_no_loss_but_compute_loss(backend, takes_training):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    class Present(Own):
        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            return ops.mean(ops.square(y_pred - y))

    class Older(Own):
        def compute_loss(self, x, y, y_pred, sample_weight):
            return ops.mean(ops.square(y_pred - y))

    model = (Present if takes_training else Older)()
    model.compile("sgd")
    first, last = model.fit(X, Y[:, None], epochs=2, verbose=0).history["loss"]
    assert last < first
    assert model.evaluate(X, Y[:, None], verbose=0) < last


# -- the learning rate -------------------------------------------------------------


def test_learning_rate_is_a_variable_that_callbacks_assign(backend):
    seen = []

    class Raise(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rate = self.model.optimizer.learning_rate
            seen.append(float(rate.numpy()))
            self.model.optimizer.learning_rate = seen[-1] * 2

    model = line(optimizer=keras.optimizers.SGD(0.125))
    model.fit(X, Y, batch_size=2, verbose=0, callbacks=[Raise()])
    assert seen == [0.125, 0.25, 0.5, 1.0]
    model.optimizer.learning_rate.assign(0.5)
    assert model.optimizer.learning_rate.numpy() == 0.5


def test_assigned_rates_are_used_by_the_next_step(backend):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0

    model = line(optimizer=keras.optimizers.SGD(0.1))
    model.fit(X, Y, verbose=0)
    before = model.get_weights()
    model.fit(X, Y, verbose=0, callbacks=[Stop()])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_reduce_on_plateau_logs_the_rate():
    reduce = keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=9)
    model = line(optimizer=keras.optimizers.SGD(0.125))
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[reduce]).history
    assert history["learning_rate"] == [0.125, 0.125, 0.0625]


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "Nadam", "Adagrad"])
def test_old_spellings_of_the_rate(name):
    with pytest.warns(DeprecationWarning, match="old spelling"):
        optimizer = getattr(keras.optimizers, name)(lr=0.25)
    assert float(optimizer.learning_rate) == 0.25
    with pytest.warns(DeprecationWarning, match="old spelling"):
        optimizer.lr = 0.5
    with pytest.warns(DeprecationWarning, match="old spelling"):
        assert float(optimizer.lr) == 0.5


# -- symbolic tensors and layer surgery --------------------------------------------


def test_operators_of_symbolic_tensors(backend):
    x = Input((4,))
    outputs = [
        (x * 2 + 1 - x / 4) ** 2,
        -x + abs(x),
        1 / (x + 3) - (2 - x),
        x[:, 1:3],
        x @ np.ones((4, 2), "float32"),
        ops.cast((x > 0) & ~(x >= 1) | (x < -1), "float32"),
        x // 2 + x % 2,
    ]
    assert (x.shape, x.dtype, x.ndim) == ((None, 4), "float32", 2)
    a = np.array([[-2.0, -0.5, 0.5, 2.0]], "float32")
    expected = [
        (a * 2 + 1 - a / 4) ** 2,
        -a + abs(a),
        1 / (a + 3) - (2 - a),
        a[:, 1:3],
        a @ np.ones((4, 2), "float32"),
        ((a > 0) & ~(a >= 1) | (a < -1)).astype("float32"),
        a // 2 + a % 2,
    ]
    for found, wanted in zip(Model(x, outputs)(a), expected, strict=True):
        np.testing.assert_allclose(values(found), wanted, rtol=1e-6)


def test_layer_surgery(backend):
    model = Sequential(
        [Input((3,)), layers.Dense(4, activation="relu", name="h"), layers.Dense(1)]
    )
    hidden = model.get_layer("h")
    assert hidden is model.get_layer(index=0)
    assert hidden.output.shape == (None, 4)
    assert hidden.input.shape == (None, 3)
    parts = [
        Model(model.input, hidden.output),
        Model(model.inputs, hidden.output),
        Model(inputs=hidden.input, outputs=hidden.output),
        Sequential(model.layers[:-1]),
    ]
    expected = values(hidden(X))
    for part in parts:
        np.testing.assert_array_equal(values(part(X)), expected)
    both = Model(model.input, [x.output for x in model.layers])
    assert [y.shape for y in both(X)] == [(8, 4), (8, 1)]

    head = Sequential([*model.layers[:-1], layers.Dense(2, name="new")])
    head.layers[0].trainable = False
    head.compile("sgd", "mse")
    head(X)
    assert [v.path.split("/")[-2] for v in head.trainable_weights] == ["new", "new"]
    before = hidden.get_weights()
    head.fit(X, X[:, :2], verbose=0)
    for a, b in zip(before, hidden.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    head.layers[0].trainable = True
    head.compile("sgd", "mse")
    head.fit(X, X[:, :2], verbose=0)
    assert not np.array_equal(before[0], hidden.get_weights()[0])


def test_overridden_metrics_train_step_and_build(backend):
    class Linear(layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, batch_input_shape):
            self.kernel = self.add_weight(
                name="kernel",
                shape=[batch_input_shape[-1], self.units],
                initializer="he_normal",
            )
            super().build(batch_input_shape)

        def call(self, inputs):
            return inputs @ self.kernel

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.mean_loss = keras.metrics.Mean(name="mean_loss")
            self.linear = Linear(1)

        def call(self, inputs):
            return self.linear(inputs)

        @property
        def metrics(self):
            return [self.mean_loss]

        def train_step(self, data):
            x, y = data
            loss, grads = keras.value_and_grad(
                lambda: ops.mean(ops.square(self(x, training=True) - y)),
                self.trainable_variables,
            )()
            pairs = zip(grads, self.trainable_variables, strict=True)
            self.optimizer.apply_gradients(pairs)
            self.mean_loss.update_state(loss)
            return {m.name: m.result() for m in self.metrics}

    model = Own()
    model.compile("sgd")
    history = model.fit(X, Y[:, None], epochs=3, verbose=0).history
    assert list(history) == ["mean_loss"]
    assert history["mean_loss"][2] < history["mean_loss"][0]
    assert repr(Linear(3, name="l")) == "<Linear name=l, built=False>"


@pytest.mark.parametrize("compiled", [{}, {"loss": "mse", "metrics": ["mae"]}])
def test_a_model_reports_the_metrics_that_it_lists(backend, compiled):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_initializer="ones")
            self.total = keras.metrics.Mean(name="total_loss")

        def call(self, inputs):
            return self.dense(inputs)

        @property
        def metrics(self):
            return [self.total]

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            loss = ops.mean(ops.square(y - y_pred))
            self.total.update_state(loss)
            return loss

    model = Own()
    model.compile("sgd", **compiled)
    y = Y[:, None] + 1
    first = float(np.mean(np.square(model.predict(X, verbose=0) - y)))
    history = model.fit(X, y, epochs=2, validation_data=(X, y), verbose=0).history
    # Nothing that is not reset is reported: a second epoch would not start anew.
    assert list(history) == ["total_loss", "val_total_loss"]
    assert history["total_loss"][0] == pytest.approx(first, rel=1e-5)
    assert history["total_loss"][1] == pytest.approx(
        history["val_total_loss"][0], rel=1e-5
    )
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    assert list(logs) == model.metrics_names == ["total_loss"]


# -- pure functions ----------------------------------------------------------------


def test_stateless_calls_take_variables_or_values(backend):
    model = Sequential([Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    before = model.get_weights()
    results = []
    for given in (lambda vs: vs, lambda vs: [v.value for v in vs]):
        trained = given(model.trainable_variables)
        outputs, others = model.stateless_call(
            trained, given(model.non_trainable_variables), X, training=True
        )
        grads = [ops.ones_like(v) for v in trained]
        trained, slots = optimizer.stateless_apply(
            given(optimizer.variables), grads, trained
        )
        results.append([values(x) for x in (outputs, *others, *trained, *slots)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

    mean = keras.metrics.Mean()
    state = mean.stateless_update_state(mean.variables, ops.array([1.0, 2.0]))
    assert float(mean.stateless_result(state)) == 1.5
    assert float(mean.result()) == 0.0


def test_optimizer_apply_with_and_without_variables(backend):
    v = keras.Variable(np.ones(2, "float32"))
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.apply([ops.ones(2)], [v])
    optimizer.apply([ops.ones(2)])
    np.testing.assert_array_equal(v.numpy(), [0.0, 0.0])


# -- values for the eye ------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
def test_tensors_format_and_convert(backend):
    mean = keras.metrics.Mean()
    mean.update_state([1, 2])
    assert f"{mean.result():.2f}" == "1.50"
    model = line()
    assert np.asarray(model(X, training=True)).shape == (8, 1)
    shown = []

    def loss():
        value = keras.losses.MeanSquaredError()(Y[:, None], model(X, training=True))
        if backend.name != "jax":  # its tracers have no value
            shown.append((float(value), f"{value:.3f}"))
        return value

    value, _ = keras.value_and_grad(loss, model.trainable_variables)()
    shown.append((float(value), f"{value:.3f}"))
    assert all(text == f"{number:.3f}" for number, text in shown)


def test_anything_has_a_representation():
    class Own(Model):
        def call(self, x):
            return x

    class Schedule(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self):
            self.rate = 0.1

        def __call__(self, step):
            return self.rate

    class Twice(keras.Operation):
        def call(self, x):
            return x * 2

    x = Input((2,), name="x")
    objects = {
        Sequential([layers.Dense(2)], name="m"): "<Sequential name=m, built=False>",
        Own(name="own"): "<Own name=own, built=False>",
        keras.optimizers.Adam(0.5, name="a"): "<Adam name='a', learning_rate=0.5>",
        Schedule(): "<Schedule rate=0.1>",
        keras.optimizers.SGD(Schedule(), name="s"): (
            "<SGD name='s', learning_rate=<Schedule rate=0.1>>"
        ),
        keras.regularizers.L2(0.5): "<L2 l2=0.5>",
        keras.constraints.MaxNorm(1.0): "<MaxNorm max_value=1.0, axis=0>",
        keras.initializers.Zeros(): "<Zeros>",
        keras.metrics.Mean(name="mean"): "<Mean name=mean>",
        keras.callbacks.TerminateOnNaN(): "<TerminateOnNaN raise_error=False>",
        keras.callbacks.LearningRateScheduler(Schedule()): (
            "<LearningRateScheduler verbose=0>"
        ),
    }
    for obj, text in objects.items():
        assert repr(obj) == text
    for obj in (
        keras.losses.Huber(),
        keras.random.SeedGenerator(1),
        keras.Function(x, x * 2),
        Twice(),
        keras.InputSpec(ndim=2),
        keras.DTypePolicy("float32"),
        keras.callbacks.CallbackList(),
        layers.LSTMCell(2),
        keras.Variable(1.0),
        x,
    ):
        assert type(obj).__name__ in repr(obj)


@pytest.mark.parametrize("subclassed", [False, True])
def test_summary_before_build(subclassed, capsys):
    class Own(Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own() if subclassed else Sequential([layers.Dense(2)])
    model.summary(line_length=80)
    lines = capsys.readouterr().out.splitlines()
    assert "unbuilt" in "".join(lines)
    assert max(map(len, lines)) <= 80
