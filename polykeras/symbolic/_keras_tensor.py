"""`KerasTensor`: a tensor of a model that is being described, not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import dtypes, tree
from polykeras.errors import ArgumentError
from polykeras.naming import unique_name
from polykeras.ops._operands import Traced

if TYPE_CHECKING:
    from polykeras.backend import Backend
    from polykeras.ops._declare import Op
    from polykeras.symbolic._node import Node

__all__ = ["KerasTensor", "any_symbolic", "is_keras_tensor"]


class KerasTensor(Traced):
    """A shape, a dtype, and where the tensor comes from.

    Args:
        shape: Sizes of the axes; None where unknown.
        dtype: Canonical name.
        sparse: Kept for Keras' signature; must be False.
        ragged: Kept likewise.
        record_history: Kept likewise.
        name: A name for summaries.

    >>> import polykeras as keras
    >>> x = keras.Input((4,))
    >>> (x * 2 + 1).shape
    (None, 4)
    """

    __slots__ = ("__weakref__", "dtype", "index", "name", "node", "shape")
    level = 1 << 30

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember shape and dtype."""
        self.shape = tuple(shape)
        self.dtype = dtypes.standardize_dtype(dtype)
        self.name = name or unique_name("keras_tensor")
        self.node: Node | None = None
        self.index = 0

    def interpret(self, op: Op, engine: Backend, args: list[Any]) -> Any:
        """Record the call of `op` as a node of the graph."""
        if engine.host is not engine:
            raise self.from_outside()
        from polykeras.symbolic._node import call_symbolically

        return call_symbolically(op, tuple(args), {})

    def from_outside(self) -> ArgumentError:
        """Return the error for use in a function that is not given the tensor."""
        return ArgumentError(
            f"A function inside the graph computes with {self!r} from outside, so the "
            "graph would not know that it depends on it. Pass the tensor as an "
            "argument, or do the whole computation in the `call` of a layer."
        )

    @property
    def sparse(self) -> bool:
        """False: tensors here are dense."""
        return False

    def reshape(self, newshape: Any) -> Any:
        """Return the tensor with another shape."""
        from polykeras.ops._registry import REGISTRY

        return REGISTRY["reshape"](self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """Return the tensor without axes of size 1."""
        from polykeras.ops._registry import REGISTRY

        return REGISTRY["squeeze"](self, axis)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def _no_value(self, use: str) -> TypeError:
        return TypeError(
            f"{use} needs values, but {self!r} only describes a tensor of a model "
            "under construction. Use polykeras.ops or a layer (a Lambda or one of "
            "your own), or call the finished model on data."
        )

    def __bool__(self) -> bool:
        raise self._no_value("bool()")

    def __int__(self) -> int:
        raise self._no_value("int()")

    def __index__(self) -> int:
        raise self._no_value("An index")

    def __float__(self) -> float:
        raise self._no_value("float()")

    def __len__(self) -> int:
        if self.shape and self.shape[0] is None:
            raise self._no_value("len()")
        return super().__len__()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise self._no_value("Conversion to NumPy")


def is_keras_tensor(x: object) -> bool:
    """Return whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


def any_symbolic(structure: Any) -> bool:
    """Return whether any leaf of a structure is a symbolic tensor."""
    return any(isinstance(x, KerasTensor) for x in tree.flatten_leaves(structure)[0])
