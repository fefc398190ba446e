"""Cases of the recurrent layers."""

from __future__ import annotations

from typing import Any, Final

from polykeras import layers
from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

SHAPE = (3, 4, 2)
UNKNOWN = (None, None, 2)


def _case(cls: str, output: Any, **args: Any) -> LayerCase:
    sequences = bool(args.get("return_sequences"))
    return LayerCase(
        cls,
        {"units": 3, **args},
        SHAPE,
        output,
        weights=3 if args.get("use_bias", True) else 2,
        unknown=UNKNOWN,
        unknown_output=(None, None, 3) if sequences else (None, 3),
        keeps_mask=sequences,
        random_training=bool(args.get("dropout")),
        terms=64,
    )


def _stack(dtype: Any) -> dict[str, Any]:
    cells = [
        layers.LSTMCell(3, seed=1, dtype=dtype),
        layers.GRUCell(2, seed=2, dtype=dtype),
    ]
    stack = layers.StackedRNNCells(cells, dtype=dtype)
    return {"cell": stack, "return_sequences": True}


def _both_ways(dtype: Any) -> dict[str, Any]:
    return {"layer": layers.LSTM(2, return_sequences=True, seed=1, dtype=dtype)}


_CONV_LSTM: Final = [
    LayerCase(
        "ConvLSTM1D",
        {"filters": 2, "kernel_size": 2},
        (2, 3, 5, 2),
        (2, 4, 2),
        weights=3,
        unknown=(None, None, None, 2),
        unknown_output=(None, None, 2),
        terms=64,
    ),
    LayerCase(
        "ConvLSTM2D",
        {"filters": 2, "kernel_size": 2, "padding": "same", "return_sequences": True},
        (2, 3, 4, 3, 2),
        (2, 3, 4, 3, 2),
        weights=3,
        keeps_mask=True,
        terms=64,
    ),
    LayerCase(
        "ConvLSTM3D",
        {"filters": 1, "kernel_size": 2, "use_bias": False},
        (1, 2, 3, 3, 2, 1),
        (1, 2, 2, 1, 1),
        weights=2,
        terms=64,
    ),
]

CASES: Final = [
    _case("SimpleRNN", (3, 3)),
    _case("LSTM", (3, 4, 3), return_sequences=True, dropout=0.5, seed=3),
    _case("GRU", (3, 4, 3), reset_after=False, return_sequences=True, use_bias=False),
    LayerCase(
        "RNN",
        lambda dtype: {"cell": layers.LSTMCell(2, seed=1, dtype=dtype)},
        SHAPE,
        (3, 2),
        weights=3,
        unknown=UNKNOWN,
        unknown_output=(None, 2),
        keeps_mask=False,
        terms=64,
    ),
    LayerCase(
        "RNN",
        _stack,
        SHAPE,
        (3, 4, 2),
        weights=6,
        unknown=UNKNOWN,
        unknown_output=(None, None, 2),
        keeps_mask=True,
        terms=64,
    ),
    LayerCase(
        "Bidirectional",
        _both_ways,
        SHAPE,
        (3, 4, 4),
        weights=6,
        unknown=UNKNOWN,
        unknown_output=(None, None, 4),
        keeps_mask=True,
        terms=64,
    ),
    LayerCase(
        "TimeDistributed",
        lambda dtype: {"layer": layers.Dense(5, dtype=dtype)},
        SHAPE,
        (3, 4, 5),
        weights=2,
        unknown_output=(None, 4, 5),
        keeps_mask=True,
    ),
    *_CONV_LSTM,
]
