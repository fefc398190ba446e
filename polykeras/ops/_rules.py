"""Abstract rules that many ops share, and promotion inside compositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polykeras import dtypes
from polykeras.backend import Tensor, active
from polykeras.errors import DTypeError
from polykeras.ops._abstract import Spec
from polykeras.ops._operands import Operand
from polykeras.ops._promotion import promote
from polykeras.ops._shapes import broadcast_shapes

__all__ = ["binary", "boolean", "check_dtype", "counted", "promoted", "unary"]

Rule = Callable[..., Spec]
_KINDS: Final = ("bool", "integer", "float", "complex")


def check_dtype(op: str, dtype: str, refused: str) -> None:
    """Refuse the kinds of dtype named in `refused`.

    Raises:
        DTypeError: If the kind of `dtype` is one of them.
    """
    kind = _KINDS[dtypes.kind_rank(dtype)]
    if kind in refused.split():
        allowed = ", ".join(k for k in _KINDS if k not in refused.split())
        raise DTypeError(
            f"polykeras.ops.{op} is not defined for the dtype {dtype}. It accepts: "
            f"{allowed}. Use ops.cast."
        )


def boolean(dtype: str) -> str:
    """Return the dtype of a truth value."""
    return "bool"


def counted(dtype: str) -> str:
    """Return the dtype, int32 for bool: where truth values are counted."""
    return "int32" if dtype == "bool" else dtype


def unary(
    op: str, *, refused: str = "", result: Callable[[str], str] | None = None
) -> Rule:
    """Return the abstract rule of an elementwise function of one tensor.

    Args:
        op: The name for error messages.
        refused: The kinds of dtype that are an error.
        result: The dtype of the result from that of the input; None keeps it.
    """

    def rule(x: Spec) -> Spec:
        check_dtype(op, x.dtype, refused)
        return Spec(x.shape, result(x.dtype)) if result else x

    return rule


def binary(
    op: str, *, refused: str = "", result: Callable[[str], str] | None = None
) -> Rule:
    """Return the abstract rule of an elementwise function of two tensors.

    Args:
        op: The name for error messages.
        refused: The kinds of dtype that are an error.
        result: The dtype of the result from that of the inputs; None keeps it.
    """

    def rule(x1: Spec, x2: Spec) -> Spec:
        check_dtype(op, x1.dtype, refused)
        shape = broadcast_shapes(op, tuple(x1.shape), tuple(x2.shape))
        return Spec(shape, result(x1.dtype) if result else x1.dtype)

    return rule


def promoted(*values: Any, inexact: bool = False) -> list[Tensor]:
    """Return tensors of one common dtype, as the promotion table says.

    For compositions, whose bodies see what the user passed.

    Args:
        values: Tensors, variables, arrays or numbers; None stays None.
        inexact: Whether integers become floats.
    """
    engine = active()
    args = [x.operand() if isinstance(x, Operand) else x for x in values]
    args = [
        engine.convert_to_tensor(x) if isinstance(x, list | tuple) else x for x in args
    ]
    promote(engine, args, range(len(args)), inexact=inexact)
    return args
