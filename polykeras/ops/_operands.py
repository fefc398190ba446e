"""What ops accept besides native tensors: variables and traced stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras.errors import GradientError
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from polykeras.backend import Backend, Tensor
    from polykeras.ops._declare import Op

__all__ = ["Operand", "Traced"]


class Operand:
    """Anything with tensor operators that is not a native tensor.

    Subclasses give `shape` and `dtype` and say, in `operand`, which value ops use.
    """

    __slots__ = ()
    # NumPy's own operators must defer to ours: ndarray + operand -> __radd__.
    __array_ufunc__ = None
    __hash__ = object.__hash__

    shape: Any
    dtype: Any

    def operand(self) -> Tensor:
        """Return the value that takes part in an op."""
        return self

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def T(self) -> Tensor:  # noqa: N802 the name that every array library uses
        """The tensor with its axes reversed."""
        return REGISTRY["transpose"](self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A tensor without axes has no length.")
        length: int = self.shape[0]
        return length

    def __iter__(self) -> Iterator[Tensor]:
        return (REGISTRY["get_item"](self, i) for i in range(len(self)))

    def __getitem__(self, key: Any) -> Tensor:
        return REGISTRY["get_item"](self, key)

    def __neg__(self) -> Tensor:
        return REGISTRY["negative"](self)

    def __pos__(self) -> Tensor:
        return self.operand()

    def __abs__(self) -> Tensor:
        return REGISTRY["abs"](self)

    def __invert__(self) -> Tensor:
        return REGISTRY["logical_not" if self.dtype == "bool" else "bitwise_not"](self)

    def __round__(self, decimals: int = 0) -> Tensor:
        return REGISTRY["round"](self, decimals)

    def __add__(self, other: Any) -> Tensor:
        return REGISTRY["add"](self, other)

    def __radd__(self, other: Any) -> Tensor:
        return REGISTRY["add"](other, self)

    def __sub__(self, other: Any) -> Tensor:
        return REGISTRY["subtract"](self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return REGISTRY["subtract"](other, self)

    def __mul__(self, other: Any) -> Tensor:
        return REGISTRY["multiply"](self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return REGISTRY["multiply"](other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return REGISTRY["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return REGISTRY["divide"](other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return REGISTRY["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return REGISTRY["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Tensor:
        return REGISTRY["mod"](self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return REGISTRY["mod"](other, self)

    def __pow__(self, other: Any) -> Tensor:
        return REGISTRY["power"](self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return REGISTRY["power"](other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return REGISTRY["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return REGISTRY["matmul"](other, self)

    def __and__(self, other: Any) -> Tensor:
        return REGISTRY["bitwise_and"](self, other)

    def __rand__(self, other: Any) -> Tensor:
        return REGISTRY["bitwise_and"](other, self)

    def __or__(self, other: Any) -> Tensor:
        return REGISTRY["bitwise_or"](self, other)

    def __ror__(self, other: Any) -> Tensor:
        return REGISTRY["bitwise_or"](other, self)

    def __xor__(self, other: Any) -> Tensor:
        return REGISTRY["bitwise_xor"](self, other)

    def __rxor__(self, other: Any) -> Tensor:
        return REGISTRY["bitwise_xor"](other, self)

    def __lshift__(self, other: Any) -> Tensor:
        return REGISTRY["left_shift"](self, other)

    def __rshift__(self, other: Any) -> Tensor:
        return REGISTRY["right_shift"](self, other)

    def __lt__(self, other: Any) -> Tensor:
        return REGISTRY["less"](self, other)

    def __le__(self, other: Any) -> Tensor:
        return REGISTRY["less_equal"](self, other)

    def __gt__(self, other: Any) -> Tensor:
        return REGISTRY["greater"](self, other)

    def __ge__(self, other: Any) -> Tensor:
        return REGISTRY["greater_equal"](self, other)

    def __eq__(self, other: object) -> Tensor:
        return REGISTRY["equal"](self, other)

    def __ne__(self, other: object) -> Tensor:
        return REGISTRY["not_equal"](self, other)


class Traced(Operand):
    """A stand-in for a tensor inside a traced function.

    An op with traced arguments is handed to `interpret` of the one with the
    highest `level`, instead of to a kernel.
    """

    __slots__ = ()
    level: int

    def interpret(self, op: Op, engine: Backend, args: list[Any]) -> Any:
        """Run, record or evaluate `op` on arguments of which `self` is one.

        Args:
            op: The op called.
            engine: The active backend.
            args: The op's arguments by position, defaults filled in.
        """
        raise NotImplementedError

    def custom_gradient(self, f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Call a function that brings its own derivative.

        Args:
            f: Takes `args`, returns ``(outputs, pullback)``.
            args: Arguments of which `self` is one.
        """
        raise GradientError(
            "A function with a custom gradient was called on a tensor of a model under "
            "construction. Call it inside a layer's call() or in layers.Lambda."
        )
