"""Conversion of arguments to the dtype that the promotion table gives them."""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import ml_dtypes
import numpy as np

from polykeras import config, dtypes
from polykeras.errors import ArgumentError, DTypeError
from polykeras.ops._operands import Traced
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from polykeras.backend import Backend

__all__ = ["CONVERTERS", "cast", "dtype_of", "promote", "with_number"]


def dtype_of(engine: Backend, x: Any) -> str:
    """Return the canonical dtype name of a tensor or its stand-in."""
    return x.dtype if isinstance(x, Traced) else engine.dtype_name(x)


def cast(engine: Backend, x: Any, dtype: str) -> Any:
    """Return `x` as another dtype."""
    if isinstance(x, Traced):
        return REGISTRY["cast"](x, dtype)
    return engine.kernels["cast"](x, dtype)


def _number(engine: Backend, value: Any, dtype: str) -> Any:
    """Return a Python number as a tensor without axes.

    Args:
        engine: The active backend.
        value: The number.
        dtype: That of the tensor. Floats that it does not hold become the largest or
            infinite.

    Raises:
        ArgumentError: If it is a dtype of integers, which does not hold the number, or
            no float is as large.
    """
    if not isinstance(value, complex):
        low, high = _range(dtype)
        if not low <= value <= high:
            value = _rounded(value, dtype)
    return engine.scalar(value, dtype)


def with_number(engine: Backend, x1: Any, x2: Any) -> tuple[Any, Any] | None:
    """Return a tensor of floats and a number of its dtype; None for anything else."""
    tensor = engine.tensor_type
    if type(x1) is tensor:
        if x1.dtype in engine.inexact:
            return x1, _number(engine, x2, engine.dtype_name(x1))
    elif type(x2) is tensor and x2.dtype in engine.inexact:
        return _number(engine, x1, engine.dtype_name(x2)), x2
    return None


@cache
def _range(dtype: str) -> tuple[float, float]:
    if dtypes.is_inexact(dtype):
        info: Any = ml_dtypes.finfo(dtypes.as_numpy_dtype(dtype))  # type: ignore[no-untyped-call]
        return float(info.min), float(info.max)
    if dtype == "bool":
        return 0, 1
    found = np.iinfo(dtypes.as_numpy_dtype(dtype))
    return int(found.min), int(found.max)


def _rounded(value: float, dtype: str) -> float:
    """Return a number that is beyond the range of a dtype as one of it."""
    wide = None
    if dtypes.is_inexact(dtype):
        with contextlib.suppress(OverflowError):
            wide = float(value)
    if wide is None:
        raise ArgumentError(
            f"The number {reprlib.repr(value)} does not fit into {dtype}, the dtype of "
            "the tensor beside it. Cast the tensor to a wider dtype first."
        )
    with np.errstate(all="ignore"):
        return float(np.real(np.asarray(wide).astype(dtypes.as_numpy_dtype(dtype))))


def promote(
    engine: Backend, args: list[Any], positions: Iterable[int], *, inexact: bool
) -> None:
    """Bring arguments to one dtype, in place; mostly they have one already.

    Args:
        engine: The active backend.
        args: All arguments of an op.
        positions: Which of them count; those that are None are left.
        inexact: Whether integers become floats.
    """
    common: str | None = None
    for i in positions:
        x = args[i]
        if isinstance(x, Traced):
            name = x.dtype
        elif x is None:
            continue
        elif engine.is_tensor(x):
            name = engine.dtype_name(x)
        else:
            break
        if common is None:
            common = name
        elif name != common:
            break
    else:
        if common is None or not inexact or dtypes.is_inexact(common):
            return
    _promote_unlike(engine, args, positions, inexact)


def _promote_unlike(
    engine: Backend, args: list[Any], positions: Iterable[int], inexact: bool
) -> None:
    names: dict[int, str] = {}
    scalars: list[int] = []
    for i in positions:
        x = args[i]
        if x is None:
            continue
        name = dtypes.weak_dtype(x)
        if name is not None:
            scalars.append(i)
        else:
            if not isinstance(x, Traced) and not engine.is_tensor(x):
                x = args[i] = engine.convert_to_tensor(x)
            name = dtype_of(engine, x)
        names[i] = name
    if not names:
        return
    floatx = config.floatx()
    target = dtypes.result_type(*names.values(), floatx=floatx)
    if inexact:
        target = dtypes.to_inexact(target, floatx)
    for i, name in names.items():
        if i in scalars:
            args[i] = _number(engine, args[i], target)
        elif name != target:
            args[i] = cast(engine, args[i], target)


def _to_tensor(op: str, engine: Backend, x: Any) -> Any:
    if isinstance(x, Traced) or engine.is_tensor(x):
        return x
    return engine.convert_to_tensor(x)


def _to_boolean(op: str, engine: Backend, x: Any) -> Any:
    x = _to_tensor(op, engine, x)
    return x if dtype_of(engine, x) == "bool" else cast(engine, x, "bool")


def _to_integer(op: str, engine: Backend, x: Any) -> Any:
    x = _to_tensor(op, engine, x)
    name = dtype_of(engine, x)
    if not dtypes.is_integer(name):
        raise DTypeError(
            f"polykeras.ops.{op} expected integers, got dtype {name} with shape "
            f"{tuple(x.shape)}. Convert with ops.cast(x, 'int32')."
        )
    return x


Converter = Callable[[str, "Backend", Any], Any]

# By kind of parameter: what makes a tensor of an argument of the op of that name.
CONVERTERS: Final[dict[str, Converter]] = {
    "tensor": _to_tensor,
    "boolean": _to_boolean,
    "integer": _to_integer,
}
