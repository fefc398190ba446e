"""Abstract evaluation: one more implementation of the primitives.

Its tensors are (shape, dtype) pairs and its kernels the ops' abstract rules, so
compositions, layers and user functions have shape inference without a second
definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from polykeras import config, dtypes, tree
from polykeras.backend import (
    Backend,
    KernelTable,
    current_backend,
    engine_scope,
    host_array,
)
from polykeras.errors import OperationNotSupported
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel, Tensor
    from polykeras.ops._declare import Op

__all__ = ["AbstractEngine", "Spec", "evaluate", "spec_of", "specs_like"]


class Spec(Operand):
    """The shape and dtype of a tensor whose values are not known.

    Args:
        shape: One size per axis.
        dtype: Canonical name.
    """

    __slots__ = ("__weakref__", "dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        """Remember shape and dtype."""
        self.shape = tuple(shape)
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"

    def _no_value(self, use: str) -> TypeError:
        return TypeError(
            f"{use} needs the values of a tensor, but only its shape "
            f"{self.shape} and dtype {self.dtype} are known while a model is built "
            "or compiled. Use ops.cond, ops.where or ops.while_loop instead of "
            "Python control flow."
        )

    def __bool__(self) -> bool:
        raise self._no_value("bool()")

    def __int__(self) -> int:
        raise self._no_value("int()")

    def __index__(self) -> int:
        raise self._no_value("An index")

    def __float__(self) -> float:
        raise self._no_value("float()")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise self._no_value("Conversion to NumPy")


class AbstractEngine(Backend):
    """The backend whose tensors are `Spec` objects.

    Args:
        host: The backend that holds variables meanwhile.
    """

    name = "abstract"
    tensor_type = Spec
    inexact = frozenset(dtypes.FLOATS + dtypes.COMPLEX)

    def __init__(self, host: Backend) -> None:
        """Bind the abstract rules."""
        self._host = host
        self.distribution = "polykeras"
        self.kernels = _AbstractTable(self)

    @property
    def host(self) -> Backend:
        """The backend that holds variables meanwhile."""
        return self._host

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return nothing: the table looks the rules up."""
        return {}

    def is_tensor(self, x: object) -> bool:
        """Return whether `x` is a `Spec`."""
        return isinstance(x, Spec)

    def is_concrete(self, x: Tensor) -> bool:
        """Return False: no value exists."""
        return False

    def from_numpy(self, x: Array, dtype: str) -> Spec:
        """Return the spec of an array."""
        return Spec(x.shape, dtype)

    def to_numpy(self, x: Spec) -> Array:
        """Refuse: there are no values."""
        return x.__array__()

    def dtype_name(self, x: Spec) -> str:
        """Return the dtype."""
        name: str = x.dtype
        return name

    def scalar(self, value: complex, dtype: str) -> Spec:
        """Return the spec of a number."""
        return Spec((), dtype)

    def convert_to_tensor(self, x: object, dtype: str | None = None) -> Spec:
        """Return the spec of anything that can become a tensor."""
        spec = spec_of(x, self._host)
        if not isinstance(spec, Spec):
            weak = dtypes.weak_dtype(x)
            if weak is not None:
                spec = Spec((), dtypes.result_type(weak, floatx=config.floatx()))
            else:
                array = host_array(x)
                spec = Spec(array.shape, dtypes.standardize_dtype(array.dtype))
        return Spec(spec.shape, dtype) if dtype else spec


class _AbstractTable(KernelTable):
    """Look up abstract rules; compositions without one run on specs themselves."""

    def __missing__(self, name: str) -> Kernel:
        operation = REGISTRY[name].op  # type: ignore[attr-defined]
        kernel: Kernel | None = operation.abstract_rule
        if kernel is None and operation.has_default:
            kernel = operation.fn
        if kernel is None:
            raise OperationNotSupported(f"The op {name!r} has no abstract rule.")
        self[name] = kernel
        return kernel


def spec_of(x: Any, backend: Backend) -> Any:
    """Return the spec of a tensor, and anything else as it is."""
    if isinstance(x, Spec):
        return x
    if isinstance(x, Operand):
        x = x.operand()
        if isinstance(x, Traced):
            return Spec(tuple(x.shape), x.dtype)
    if isinstance(x, Spec):
        return x
    if backend.is_tensor(x):
        return Spec(tuple(x.shape), backend.dtype_name(x))
    return x


def evaluate(fn: Op | Callable[..., Any], args: list[Any]) -> Any:
    """Return the specs of the results of an op or function.

    Args:
        fn: An `Op`, run on canonical arguments, or a function of tensors.
        args: Arguments with `Spec` in place of tensors.

    Returns:
        What `fn` returns, with `Spec` in place of tensors.
    """
    engine = AbstractEngine(current_backend())
    with engine_scope(engine):
        if callable(fn):
            return fn(*args)
        kernel = engine.kernels[fn.name]
        if kernel is fn.fn:
            return fn.body(args)
        return kernel(*args)


def specs_like(structure: Any) -> Any:
    """Return a structure with every tensor replaced by its spec."""
    host = current_backend()
    return tree.map_leaves(lambda x: spec_of(x, host), structure)
