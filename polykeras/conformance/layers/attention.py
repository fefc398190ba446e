"""Cases of the attention layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

SHAPES = [(2, 3, 4), (2, 5, 4)]
OUTPUT = (2, 3, 4)
CASES: Final = [
    LayerCase("Attention", {}, SHAPES, OUTPUT, terms=64),
    LayerCase(
        "Attention",
        {"use_scale": True, "score_mode": "concat", "dropout": 0.5, "seed": 1},
        SHAPES,
        OUTPUT,
        weights=2,
        random_training=True,
        terms=64,
    ),
    LayerCase(
        "AdditiveAttention",
        {},
        [*SHAPES, (2, 5, 4)],
        OUTPUT,
        weights=1,
        call={"use_causal_mask": True},
        terms=64,
    ),
    LayerCase(
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "value_dim": 2},
        [(2, 3, 4), (2, 5, 4)],
        OUTPUT,
        weights=8,
        spread=True,
        terms=128,
    ),
    LayerCase(
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        [(2, 3, 4), (2, 5, 4)],
        OUTPUT,
        weights=8,
        spread=True,
        call={"use_causal_mask": True},
        terms=128,
    ),
]
