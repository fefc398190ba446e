"""Recurrent layers, their cells and wrappers, and attention."""

from __future__ import annotations

from typing import Any

from tests.peer._case import Case, Prepared, bools, floats, given, pattern
from tests.peer._layer import give_weights, layer, make

__all__ = ["CASES"]

X = floats(2, 3, 2)
MASK = given([[1, 1, 0], [1, 0, 1]], "bool")
H = floats(2, 2)
# Products and sums of some ten numbers, three times one after another.
STEPS = 96

RECURRENT = [
    layer(cls, {"units": 2, **config}, X, call=call, roundings=STEPS)
    for cls, states, own in (
        ("SimpleRNN", [H], {"activation": "relu"}),
        ("GRU", [H], {"reset_after": False}),
        ("LSTM", [H, H], {"unit_forget_bias": False}),
    )
    for config, call in (
        ({}, None),
        ({"return_sequences": True, "return_state": True}, None),
        ({"go_backwards": True, "use_bias": False}, None),
        ({"return_sequences": True}, {"mask": MASK}),
        ({"return_state": True}, {"mask": MASK, "initial_state": states}),
        ({"unroll": True, "return_sequences": True}, None),
        ({"dropout": 0.3, "recurrent_dropout": 0.3}, {"training": False}),
        (own, None),
        ({"recurrent_activation": "hard_sigmoid", "activation": "tanh"}, None)
        if cls != "SimpleRNN"
        else ({"activation": "linear", "return_sequences": True}, None),
    )
]
CELLS = [
    layer(f"{cls}Cell", {"units": 2, **config}, floats(2, 3), states, roundings=STEPS)
    for cls, states, configs in (
        ("SimpleRNN", [H], ({}, {"activation": "relu", "use_bias": False})),
        ("GRU", [H], ({}, {"reset_after": False, "use_bias": False})),
        ("LSTM", [H, H], ({}, {"recurrent_activation": "hard_sigmoid"})),
    )
    for config in configs
] + [
    layer(
        "StackedRNNCells",
        {"cells": [make("LSTMCell", units=2), make("GRUCell", units=3)]},
        floats(2, 3),
        [[H, H], [floats(2, 3)]],
        roundings=STEPS,
    ),
    layer(
        "StackedRNNCells",
        {"cells": [make("SimpleRNNCell", units=2), make("SimpleRNNCell", units=2)]},
        floats(2, 3),
        [[H], [H]],
        roundings=STEPS,
    ),
]
WRAPPERS = [
    layer("RNN", {"cell": make("GRUCell", units=2)}, X, roundings=STEPS),
    layer(
        "RNN",
        {
            "cell": [make("LSTMCell", units=2), make("SimpleRNNCell", units=3)],
            "return_sequences": True,
            "return_state": True,
        },
        X,
        roundings=STEPS,
    ),
    layer(
        "RNN",
        {
            "cell": make("SimpleRNNCell", units=2),
            "return_sequences": True,
            "zero_output_for_mask": True,
        },
        X,
        call={"mask": MASK},
        roundings=STEPS,
    ),
    *(
        layer(
            "Bidirectional",
            {"layer": make("LSTM", units=2, return_sequences=True), "merge_mode": mode},
            X,
            roundings=STEPS,
        )
        for mode in ("concat", "sum", "mul", "ave", None)
    ),
    layer(
        "Bidirectional",
        {
            "layer": make("GRU", units=2, return_state=True),
            "backward_layer": make(
                "GRU", units=3, go_backwards=True, return_state=True
            ),
        },
        X,
        call={"mask": MASK},
        roundings=STEPS,
    ),
    layer("TimeDistributed", {"layer": make("Dense", units=2)}, X),
    layer(
        "TimeDistributed",
        {"layer": make("Conv2D", filters=2, kernel_size=2)},
        floats(1, 2, 3, 3, 2),
    ),
]
CONVOLUTIONAL = [
    layer("ConvLSTM1D", {"filters": 2, "kernel_size": 3}, floats(2, 3, 5, 2)),
    layer(
        "ConvLSTM1D",
        {"filters": 2, "kernel_size": 2, "strides": 2, "return_sequences": True},
        floats(2, 3, 6, 2),
    ),
    layer(
        "ConvLSTM2D",
        {
            "filters": 2,
            "kernel_size": 3,
            "padding": "same",
            "return_sequences": True,
            "return_state": True,
        },
        floats(1, 3, 3, 4, 2),
    ),
    layer(
        "ConvLSTM2D",
        {
            "filters": 2,
            "kernel_size": (2, 3),
            "dilation_rate": (2, 1),
            "go_backwards": True,
            "recurrent_activation": "hard_sigmoid",
            "use_bias": False,
        },
        floats(1, 2, 4, 4, 2),
    ),
    layer("ConvLSTM3D", {"filters": 1, "kernel_size": 2}, floats(1, 2, 3, 2, 3, 2)),
    layer(
        "ConvLSTM3D",
        {
            "filters": 1,
            "kernel_size": (1, 2, 1),
            "padding": "same",
            "return_sequences": True,
        },
        floats(1, 2, 2, 2, 2, 2),
    ),
]
Q, V = floats(2, 3, 4), floats(2, 5, 4)
QUERY_MASK, VALUE_MASK = bools(2, 3), bools(2, 5)
KEY_MASK = given([[1, 1, 1, 1, 0], [1, 0, 1, 1, 1]], "bool")
ATTENTION = [
    layer("Attention", {}, [Q, V]),
    layer("Attention", {"use_scale": True}, [Q, V, V]),
    layer("Attention", {"score_mode": "concat"}, [Q, V]),
    layer("Attention", {}, [Q, V], call={"mask": [QUERY_MASK, VALUE_MASK]}),
    layer(
        "Attention",
        {"use_scale": True},
        [Q, Q],
        call={"use_causal_mask": True, "return_attention_scores": True},
    ),
    layer("AdditiveAttention", {}, [Q, V]),
    layer("AdditiveAttention", {"use_scale": False}, [Q, V, V]),
    layer(
        "AdditiveAttention",
        {},
        [Q, V],
        call={"mask": [QUERY_MASK, VALUE_MASK], "return_attention_scores": True},
    ),
    layer("AdditiveAttention", {}, [Q, Q], call={"use_causal_mask": True}),
    *(
        layer(
            "MultiHeadAttention", {"num_heads": 2, "key_dim": 4, **config}, *x, call=c
        )
        for config, x, c in (
            ({}, (Q, V), None),
            ({"use_bias": False}, (Q, V, V), {"return_attention_scores": True}),
            ({"output_shape": 2}, (Q, Q), {"use_causal_mask": True}),
            ({}, (Q, V), {"attention_mask": bools(2, 3, 5)}),
            ({}, (Q, V, V), {"value_mask": VALUE_MASK, "key_mask": KEY_MASK}),
            ({"attention_axes": (1,)}, (floats(1, 3, 2, 4), floats(1, 3, 2, 4)), None),
            ({"dropout": 0.3}, (Q, V), {"training": False}),
        )
    ),
    # Keras on JAX refuses other sizes of values than of keys.
    layer(
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 4, "value_dim": 2},
        Q,
        V,
        engine="tensorflow",
    ),
    *(
        layer(
            "GroupQueryAttention",
            {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2, **config},
            *x,
            call=c,
        )
        for config, x, c in (
            ({}, (Q, V), None),
            ({"use_bias": False}, (Q, Q), {"use_causal_mask": True}),
            ({}, (Q, V, V), {"return_attention_scores": True}),
            ({}, (Q, V), {"attention_mask": bools(2, 3, 5)}),
        )
    ),
]


def _stateful(keras: Any, case: Case) -> Prepared:
    """Call twice, then reset: the states go on, and start again."""
    made = getattr(keras.layers, case.name.partition(".")[2])(2, stateful=True)

    def call(*tensors: Any) -> Any:
        made(tensors[0])
        give_weights(made)
        made.reset_state()
        found = [made(tensors[0]), made(tensors[0])]
        made.reset_state()
        return [*found, made(tensors[0])]

    return Prepared(call)


def _custom_cell(keras: Any, case: Case) -> Prepared:
    """Ask with a cell that is a layer with `state_size` and a call of two arguments."""

    class Leaky(keras.layers.Layer):
        state_size = 2
        output_size = 2

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], 2), name="kernel")
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            new = 0.7 * states[0] + keras.ops.matmul(inputs, self.kernel)
            return keras.ops.tanh(new), [new]

    made = keras.layers.RNN(Leaky(), return_sequences=True, return_state=True)
    made.build((2, 3, 2))
    made.set_weights([0.6 * pattern((2, 2), 0.5)])
    return Prepared(made, made.trainable_variables)


def _embedded(keras: Any, case: Case) -> Prepared:
    """Follow the mask of an embedding through two recurrent layers and a mean."""
    layers = keras.layers
    parts = [
        layers.Embedding(5, 3, mask_zero=True),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        layers.GRU(2, return_sequences=True),
        layers.GlobalAveragePooling1D(),
    ]

    def call(words: Any) -> Any:
        for part in parts:
            words = part(words)
        return words

    call(keras.ops.zeros((2, 4), "int32"))
    for part in parts:
        give_weights(part)
    return Prepared(call, [v for part in parts for v in part.trainable_variables])


OWN = [
    *(
        Case(f"layers.{cls}", (X,), {}, _stateful, label=" stateful", gradient=False)
        for cls in ("SimpleRNN", "GRU", "LSTM")
    ),
    Case("layers.RNN", (X,), {}, _custom_cell, label=" of an own cell"),
    Case(
        "layers.Embedding",
        (given([[1, 2, 4, 0], [3, 0, 0, 0]], "int32"),),
        {},
        _embedded,
        label=" and recurrent layers",
        roundings=STEPS,
    ),
]
CASES = [*RECURRENT, *CELLS, *WRAPPERS, *CONVOLUTIONAL, *ATTENTION, *OWN]
