"""How numbers of categories leave a layer: as they are, or as rows of a table."""

from __future__ import annotations

from typing import Any, Final

from polykeras import dtype_policies, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest

__all__ = [
    "ENCODINGS",
    "check_mode",
    "encode",
    "encoded_shape",
    "hashing_dtype",
    "no_sparse",
    "output_dtype",
]

ENCODINGS: Final = ("one_hot", "multi_hot", "count")


def check_mode(layer: str, mode: object, allowed: tuple[str, ...]) -> str:
    """Return an output mode, or say which ones there are.

    Raises:
        ArgumentError: If the mode is not allowed.
    """
    # Keras 2 calls multi_hot "binary" and has dashes in others.
    old = {"binary": "multi_hot", "tf-idf": "tf_idf"}
    mode = old.get(str(mode), mode)
    if mode not in allowed:
        raise ArgumentError(
            f"Unknown output_mode {mode!r} of {layer}. {nearest(mode, allowed)}"
        )
    return str(mode)


def no_sparse(layer: str, sparse: object, name: str = "sparse") -> None:
    """Refuse to return anything but dense tensors.

    Raises:
        ArgumentError: If `sparse` is true.
    """
    if sparse:
        raise ArgumentError(
            f"{layer} returns dense tensors: {name}={sparse!r} is not supported."
        )


def output_dtype(dtype: str, mode: str) -> str:
    """Return the dtype of the outputs of a layer made with a dtype.

    Numbers of categories are int32 unless another integer dtype was asked for;
    tables are floats.
    """
    if mode == "int":
        return dtype if dtypes.is_integer(dtype) else "int32"
    return dtype


def hashing_dtype(layer: str, dtype: Any, mode: str) -> Any:
    """Return the dtype of a layer of hashes, int32 for numbers unless another is given.

    Keras does not read a layer from a file that gives numbers another dtype.

    Raises:
        ArgumentError: If numbers of categories are asked for in a float dtype.
    """
    if mode != "int":
        return dtype
    if dtype is None:
        return "int32"
    policy = dtype_policies.get(dtype)
    if not dtypes.is_integer(policy.compute_dtype):
        raise ArgumentError(
            f"{layer} returns whole numbers with output_mode='int': its dtype is "
            f"'int32' or 'int64', got {policy.name!r}."
        )
    return dtype


def encoded_shape(shape: tuple[Any, ...], mode: str, depth: int) -> tuple[Any, ...]:
    """Return the shape of what `encode` returns for numbers of a shape."""
    if mode == "int":
        return shape
    if mode == "one_hot" and (not shape or shape[-1] != 1):
        return (*shape, depth)
    return (*shape[:-1], depth)


def encode(x: Tensor, mode: str, depth: int, dtype: str, weights: Any = None) -> Tensor:
    """Return the table rows of numbers below `depth`; others count nowhere.

    Args:
        x: Integers. For ``"one_hot"`` of any shape; a last axis of size 1 is
            replaced by the new one. For the others the last axis is that of a sample.
        mode: ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        depth: Size of the last axis of the result.
        dtype: Of the result.
        weights: What each number counts, of the shape of `x`; only for ``"count"``.

    Returns:
        ``(..., depth)``.

    Raises:
        ShapeError: If weights have another shape than the numbers.
    """
    shape = tuple(x.shape)
    if mode == "one_hot":
        if shape and shape[-1] == 1:
            x = ops.squeeze(x, -1)
        return ops.one_hot(x, depth, dtype=dtype)
    if not shape:
        x = ops.expand_dims(x, -1)
    hits = ops.one_hot(x, depth, dtype=dtype)
    if mode == "multi_hot":
        return ops.max(hits, axis=-2, initial=0)
    if weights is not None:
        weights = ops.cast(weights, dtype)
        if tuple(weights.shape) != shape:
            raise ShapeError(
                f"count_weights have the shape {tuple(weights.shape)}, but the numbers "
                f"that they weigh have the shape {shape}."
            )
        hits = ops.multiply(hits, ops.expand_dims(weights, -1))
    return ops.sum(hits, axis=-2)
