"""Lists of a layer's parts follow every change, and are walked for once."""

import pytest

import polykeras as keras
from polykeras import layers
from polykeras.layers import _tracking


class Stack(layers.Layer):
    """Owns layers in a list and in a dict inside a tuple."""

    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(1)]
        self.named = (1, {"a": layers.Dense(1)})
        for layer in (*self.blocks, self.named[1]["a"]):
            layer.build((None, 1))


def built() -> layers.Dense:
    """Return a layer with two variables."""
    layer = layers.Dense(1)
    layer.build((None, 1))
    return layer


def freeze_layer(stack):
    stack.blocks[0].trainable = False


def freeze_variable(stack):
    stack.blocks[0].bias.trainable = False


def append(stack):
    stack.blocks.append(built())


def exchange(stack):
    stack.blocks[0] = built()


def add_to_the_dict(stack):
    stack.named[1]["b"] = built()


def assign(stack):
    stack.more = built()


def delete(stack):
    del stack.blocks


def add_weight(stack):
    stack.add_weight((1,), name="own")


@pytest.mark.parametrize(
    ("change", "trained", "weights"),
    [
        (freeze_layer, 2, 4),
        (freeze_variable, 3, 4),
        (append, 6, 6),
        (exchange, 4, 4),
        (add_to_the_dict, 6, 6),
        (assign, 6, 6),
        (delete, 2, 2),
        (add_weight, 5, 5),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_lists_follow_a_change_anywhere_below(change, trained, weights):
    stack = Stack()
    model = keras.Sequential([stack])
    before = {id(v) for v in model.weights}
    assert (len(model.trainable_variables), len(model.weights)) == (4, 4)
    change(stack)
    assert (len(model.trainable_variables), len(model.weights)) == (trained, weights)
    if change is exchange:
        assert {id(v) for v in model.weights} != before


def test_states_that_a_build_makes_are_listed():
    layer = layers.LSTM(2, stateful=True)
    before = layer.variables
    layer.build((3, 4, 5))
    # Kernel, recurrent kernel, bias and two states.
    assert len(layer.variables) == len(before) + 5


def test_a_list_belongs_to_who_asked():
    layer = built()
    layer.weights.clear()
    layer.trainable_variables.append(None)
    assert len(layer.weights) == len(layer.trainable_variables) == 2


def test_an_unchanged_model_is_walked_once(monkeypatch):
    walks = []
    walk = _tracking.with_inner_layers
    monkeypatch.setattr(
        _tracking, "with_inner_layers", lambda x: walks.append(x) or walk(x)
    )
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = keras.ops.ones((4, 1))
    model.fit(x, x, epochs=2, verbose=0)
    model.fit(x, x, verbose=0)
    walks.clear()
    model.fit(x, x, epochs=3, verbose=0)
    assert walks == []
