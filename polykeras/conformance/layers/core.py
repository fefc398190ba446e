"""Cases of the core layers."""

from __future__ import annotations

from typing import Any, Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

_DENSE: Final = [
    LayerCase("Dense", {"units": 4}, (2, 3), (2, 4), weights=2, keeps_mask=True),
    LayerCase(
        "Dense",
        {"units": 4, "activation": "tanh", "kernel_regularizer": "l2"},
        (2, 5, 3),
        (2, 5, 4),
        weights=2,
        unknown=(None, None, 3),
        unknown_output=(None, None, 4),
    ),
    LayerCase("Dense", {"units": 1, "use_bias": False}, (2, 3), (2, 1), weights=1),
]


def _case(
    equation: str, output: Any, shape: Any, result: Any, **more: Any
) -> LayerCase:
    args = {"equation": equation, "output_shape": output}
    bias = more.pop("bias", None)
    if bias:
        args["bias_axes"] = bias
    return LayerCase("EinsumDense", args, shape, result, 2 if bias else 1, **more)


_EINSUM_DENSE: Final = [
    _case("ab,bc->ac", 4, (2, 3), (2, 4), bias="c"),
    _case(
        "abc,cd->abd",
        (None, 6),
        (2, 5, 3),
        (2, 5, 6),
        unknown=(None, None, 3),
        unknown_output=(None, None, 6),
    ),
    _case("abc,cde->abde", (5, 2, 4), (2, 5, 3), (2, 5, 2, 4), bias="de"),
    _case("abc,bcd->ad", 4, (2, 5, 3), (2, 4), bias="d"),
    _case("...x,xy->...y", 4, (2, 5, 3), (2, 5, 4), bias="y"),
    _case("ab...,bc->ac...", 4, (2, 3, 5), (2, 4, 5), bias="c"),
]

_EMBEDDING: Final = [
    LayerCase(
        "Embedding",
        {"input_dim": 7, "output_dim": 3},
        (2, 5),
        (2, 5, 3),
        weights=1,
        integers=7,
        unknown=(None, None),
        unknown_output=(None, None, 3),
    ),
    LayerCase(
        "Embedding",
        {"input_dim": 4, "output_dim": 2, "mask_zero": True},
        (3, 2, 2),
        (3, 2, 2, 2),
        weights=1,
        integers=4,
    ),
]

_MASKING: Final = [
    LayerCase("Masking", {"mask_value": 9.0}, (2, 5, 3), (2, 5, 3)),
    LayerCase("Identity", {}, (2, 3), (2, 3), keeps_mask=True),
]

CASES: Final = (*_DENSE, *_EINSUM_DENSE, *_EMBEDDING, *_MASKING)
