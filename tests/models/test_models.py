"""Models as objects: structure, surgery, weights, copies."""

import copy
import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError, ShapeError, StateError

X = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)


def values(x):
    return ops.convert_to_numpy(x)


def stack(name=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, activation="tanh", name="a"),
            layers.Dense(2, name="b"),
        ],
        name=name,
    )


def shared_and_nested():
    """Two inputs in a dict, a shared layer, a nested model, ops, two outputs."""
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(3, name="shared")
    inner_in = keras.Input((3,))
    inner = keras.Model(inner_in, layers.Dense(3)(inner_in) * 2, name="inner")
    a, b = inner(shared(left)), shared(right)
    joined = ops.concatenate([a, b], axis=-1)
    outputs = {"sum": a + b, "head": [layers.Dense(1, name="head")(joined)]}
    return keras.Model({"left": left, "right": right}, outputs, name="whole")


# -- configs ---------------------------------------------------------------------


@pytest.mark.parametrize("make", [stack, shared_and_nested])
def test_config_rebuilds_the_same_graph(backend, make):
    model = make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    back = keras.saving.deserialize_keras_object(config)
    assert type(back) is type(model)
    assert back.name == model.name
    assert [x.name for x in back.layers] == [x.name for x in model.layers]
    assert [v.shape for v in back.weights] == [v.shape for v in model.weights]
    back.set_weights(model.get_weights())
    x = {"left": X, "right": X[::-1].copy()} if make is shared_and_nested else X
    expected, found = model(x), back(x)
    assert (
        keras.tree.flatten_with_path(found)[0][0]
        == (keras.tree.flatten_with_path(expected)[0][0])
    )
    for a, b in zip(
        keras.tree.flatten(expected), keras.tree.flatten(found), strict=True
    ):
        np.testing.assert_array_equal(values(a), values(b))
    assert keras.saving.serialize_keras_object(back) == (
        keras.saving.serialize_keras_object(model)
    )


def test_shared_layer_counts_once(backend):
    model = shared_and_nested()
    assert [x.name for x in model.layers].count("shared") == 1
    assert len(model.get_layer("shared").trainable_variables) == 2
    assert model.count_params() == (4 * 3 + 3) + (3 * 3 + 3) + (6 + 1)


def test_inputs_by_dict_list_and_name(backend):
    model = shared_and_nested()
    by_dict = model({"right": X, "left": X * 2})
    by_list = model([X * 2, X])
    np.testing.assert_array_equal(values(by_dict["sum"]), values(by_list["sum"]))
    with pytest.raises(ArgumentError, match=r"needs the inputs \['left', 'right'\]"):
        model({"left": X, "rigth": X})
    with pytest.raises(ShapeError, match="2 inputs"):
        model([X])
    with pytest.raises(ShapeError, match="'left' to have the shape"):
        model({"left": X[:, :3], "right": X})


# -- structure -------------------------------------------------------------------


def test_get_layer():
    model = stack("m")
    assert model.get_layer("a") is model.layers[0]
    assert model.get_layer(index=-1) is model.layers[1]
    with pytest.raises(ArgumentError, match="no layer 'c'"):
        model.get_layer("c")
    with pytest.raises(ArgumentError, match="has 2 layers; there is no layer 5"):
        model.get_layer(index=5)


def test_layer_surgery_shares_weights(backend):
    model = stack()
    front = keras.Model(model.input, model.layers[0].output)
    assert front.output_shape == (None, 3)
    back = keras.Model(model.layers[0].output, model.output)
    assert back.input_shape == (None, 3)
    assert back.layers[-1] is model.layers[1]
    assert model.layers[0] not in back.layers
    np.testing.assert_array_equal(values(back(front(X))), values(model(X)))
    rebuilt = keras.Model.from_config(back.get_config())
    assert rebuilt.input_shape == (None, 3)
    front.layers[-1].bias.assign([1, 1, 1])
    assert values(model.layers[0].bias).tolist() == [1, 1, 1]


def test_sequential_add_and_pop(backend):
    model = keras.Sequential()
    with pytest.raises(StateError, match="no layers"):
        model.build((None, 4))
    model.add(keras.Input((4,)))
    model.add(layers.Dense(3, name="a"))
    model.add(layers.Dense(2, name="b"))
    assert model.output_shape == (None, 2)
    assert model(X).shape == (6, 2)
    kept = model.layers[0].get_weights()[0]
    assert model.pop().name == "b"
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(model.get_weights()[0], kept)
    model.add(layers.Dense(5, name="c"))
    assert model(X).shape == (6, 5)
    for wrong, words in [
        (layers.Dense(1, name="a"), "already has a layer named 'a'"),
        (lambda x: x, "Sequential takes layers"),
        (keras.Input((3,)), "Put the Input first"),
    ]:
        with pytest.raises(ArgumentError, match=words):
            model.add(wrong)
    assert [x.name for x in model.layers] == ["a", "c"]


def test_sequential_that_learns_its_input_shape(backend):
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    with pytest.raises(AttributeError, match="not built"):
        _ = model.output_shape
    assert model(X).shape == (6, 2)
    assert model.input_shape == (None, 4)


class Subclassed(keras.Model):
    def __init__(self, units=3, **kwargs):
        inputs = keras.Input((4,))
        hidden = layers.Dense(units, name="hidden")
        super().__init__(inputs, layers.Dense(1)(hidden(inputs)), **kwargs)
        self.hidden = hidden

    def twice(self, x):
        return 2 * self(x)


def test_subclass_may_describe_itself_by_tensors(backend):
    model = Subclassed(5, name="mine")
    assert isinstance(model, Subclassed)
    assert model.name == "mine"
    assert model.hidden.units == 5
    assert [x.name for x in model.layers][1] == "hidden"
    assert len(model.trainable_variables) == 4
    np.testing.assert_array_equal(values(model.twice(X)), 2 * values(model(X)))


def test_two_layers_of_one_name():
    x = keras.Input((4,))
    y = layers.Dense(3, name="d")(layers.Dense(3, name="d")(x))
    with pytest.raises(ArgumentError, match="two layers named 'd'"):
        keras.Model(x, y, name="m")


# -- weights ---------------------------------------------------------------------


def test_trainable_reaches_what_is_inside(backend):
    model = stack()
    model.layers[0].trainable = False
    assert len(model.trainable_variables) == 2
    assert len(model.non_trainable_variables) == 2
    model.trainable = False
    assert model.trainable_variables == []
    model.trainable = True
    assert len(model.trainable_variables) == 4


def test_frozen_weights_do_not_train(backend):
    model = stack()
    model.layers[0].trainable = False
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((6, 2), "float32"), epochs=1, verbose=0)
    after = model.get_weights()
    for i in (0, 1):
        np.testing.assert_array_equal(before[i], after[i])
    assert any((before[i] != after[i]).any() for i in (2, 3))


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w[:-1],
        lambda w: [*w, w[0]],
        lambda w: [*w[:-1], w[-1][:1]],
        lambda w: [w[0].T, *w[1:]],
    ],
    ids=["too few", "too many", "last shape", "first shape"],
)
def test_wrong_weights_change_nothing(backend, change):
    model = stack()
    before = model.get_weights()
    wrong = change([w + 1 for w in before])
    with pytest.raises(ValueError, match=r"shape|weights|arrays"):
        model.set_weights(wrong)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_stateless_call(backend):
    layer = layers.Dense(2)
    with pytest.raises(StateError, match="must be built"):
        layer.stateless_call([], [], X)
    layer.build((None, 4))
    doubled = [ops.multiply(v, 2) for v in layer.trainable_variables]
    out, others = layer.stateless_call(doubled, [], X)
    np.testing.assert_array_equal(values(out), 2 * values(layer(X)))
    assert others == []


# -- copies ----------------------------------------------------------------------


@pytest.mark.parametrize("make", [stack, shared_and_nested, Subclassed])
def test_deep_copy_is_independent(backend, make):
    model = make()
    other = copy.deepcopy(model)
    x = {"left": X, "right": X} if make is shared_and_nested else X
    expected = [values(y) for y in keras.tree.flatten(model(x))]
    for v in model.weights:
        v.assign(ops.zeros(v.shape))
    found = [values(y) for y in keras.tree.flatten(other(x))]
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not {id(v) for v in model.weights} & {id(v) for v in other.weights}
    assert type(other) is type(model)


def residual(blocks):
    x = y = keras.Input((2,))
    for _ in range(blocks):
        y = y + layers.Dense(2, kernel_initializer="zeros")(y)
    return keras.Model(x, y)


def test_very_deep_models_need_no_recursion():
    with keras.use_backend("numpy"):
        model = residual(1000)
        x = np.ones((1, 2), "float32")
        assert values(model(x)).tolist() == [[1, 1]]
        other = copy.deepcopy(model)
        assert values(other(x)).tolist() == [[1, 1]]
        assert len(other.layers) == 1001
        back = keras.Model.from_config(model.get_config())
        assert len(back.layers) == 1001


def test_building_grows_linearly():
    from polykeras.symbolic import _node

    counts = []
    infer = _node.infer

    def counted(*args):
        counts[-1] += 1
        return infer(*args)

    with pytest.MonkeyPatch.context() as patch, keras.use_backend("numpy"):
        patch.setattr(_node, "infer", counted)
        for blocks in (10, 20):
            counts.append(0)
            residual(blocks)
    assert counts[1] == 2 * counts[0]
