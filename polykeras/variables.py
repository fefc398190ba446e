"""`Variable`: a tensor with a name, kept between calls; the only mutable thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from polykeras import config, dtypes
from polykeras.allocation import charge
from polykeras.backend import active, current_backend, engine_scope, is_abstract_engine
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.naming import unique_name
from polykeras.ops._abstract import Spec
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._registry import REGISTRY
from polykeras.state import catch_up, current_scope, is_donated

if TYPE_CHECKING:
    from polykeras.backend import Array, Backend, Tensor

__all__ = [
    "Variable",
    "arguments_of",
    "autocast_scope",
    "moving_variables_to",
    "name_scope",
    "tensors_of",
]

_autocast: ContextVar[str | None] = ContextVar("polykeras_autocast", default=None)
_names: ContextVar[tuple[str, ...]] = ContextVar("polykeras_names", default=())
_target: ContextVar[Backend | None] = ContextVar("polykeras_target", default=None)
_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


@contextmanager
def autocast_scope(dtype: str | None) -> Iterator[None]:
    """Read floating-point variables as `dtype` in the block; None turns it off."""
    token = _autocast.set(dtype)
    try:
        yield
    finally:
        _autocast.reset(token)


@contextmanager
def moving_variables_to(backend: Backend) -> Iterator[None]:
    """Let variables that are deep-copied in the block arrive on `backend`."""
    token = _target.set(backend)
    try:
        yield
    finally:
        _target.reset(token)


@contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Put `name` in front of the paths of variables made in the block."""
    token = _names.set((*_names.get(), name))
    try:
        yield
    finally:
        _names.reset(token)


class Variable(Operand):
    """A tensor that keeps its identity while its value changes.

    Args:
        initializer: The first value, or a function of ``(shape, dtype)``.
        shape: Needed with a function.
        dtype: Canonical name; None keeps the value's, or means floatx.
        trainable: Whether optimizers may change it.
        autocast: Whether layers that compute in another float dtype may read it
            in that dtype.
        aggregation: How replicas combine updates: ``"none"``, ``"mean"``, ``"sum"``
            or ``"only_first_replica"``. Stored, for code that distributes.
        synchronization: Stored likewise.
        name: The last part of its path.
        layout: Kept for Keras' signature; must be None.

    Raises:
        ArgumentError: If a function is given without a shape, or a word is unknown.
        ShapeError: If the value has another shape than `shape`.

    >>> import polykeras as keras
    >>> v = keras.Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0])
    <Variable path=v, shape=(2,), dtype=float32, value=[2. 3.]>
    """

    # How often any variable was declared trainable or not.
    switches: ClassVar[int] = 0

    __slots__ = (
        "__weakref__",
        "_constraint",
        "_dtype",
        "_moving",
        "_regularizer",
        "_shape",
        "_trainable",
        "_value",
        "aggregation",
        "autocast",
        "backend",
        "name",
        "overwrite_with_gradient",
        "path",
        "synchronization",
    )

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        """Make the first value on the current backend."""
        if kwargs:
            raise TypeError(f"Variable got unexpected arguments {sorted(kwargs)}.")
        if aggregation not in _AGGREGATIONS:
            raise ArgumentError(
                f"Unknown aggregation {aggregation!r}. "
                f"{nearest(aggregation, filter(None, _AGGREGATIONS))}"
            )
        if layout is not None:
            raise ArgumentError(
                f"Variables are not spread over devices here, got layout={layout!r}. "
                "Leave it out."
            )
        self.name = name or unique_name("variable")
        self.path = "/".join((*_names.get(), self.name))
        self._trainable = bool(trainable)
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self._regularizer: Any = None
        self._constraint: Any = None
        self.overwrite_with_gradient = False
        self.backend: Backend = current_backend()
        # The value as an array that no tensor holds yet.
        self._moving: Array | None = None
        with engine_scope(self.backend):
            self._value = self._first_value(initializer, shape, dtype)
        self._shape = tuple(self._value.shape)
        self._dtype = self.backend.dtype_name(self._value)

    def _first_value(self, initializer: Any, shape: Any, dtype: Any) -> Tensor:
        name = dtypes.standardize_dtype(dtype) if dtype is not None else None
        if callable(initializer) and not isinstance(initializer, Operand):
            if shape is None:
                raise ArgumentError(
                    f"The variable {self.path!r} has a function as its initializer, "
                    "which needs a shape. Pass shape=."
                )
            sizes = tuple(shape) if not isinstance(shape, int) else (shape,)
            if any(n is None for n in sizes):
                raise ShapeError(
                    f"The variable {self.path!r} would have the shape {sizes}, but "
                    "every size must be known. Check the layer's input shape."
                )
            charge(sizes, name or config.floatx(), self.path)
            value = initializer(sizes, dtype=name or config.floatx())
            return self.backend.convert_to_tensor(value, name)
        if isinstance(initializer, Operand):
            initializer = initializer.operand()
        value = self.backend.convert_to_tensor(initializer, name)
        if value is initializer:
            # Two owners of one buffer would see each other's updates.
            kept = name or self.backend.dtype_name(value)
            value = self.backend.from_numpy(self.backend.to_numpy(value), kept)
        if shape is not None and tuple(value.shape) != tuple(shape):
            raise ShapeError(
                f"The variable {self.path!r} got a value of shape "
                f"{tuple(value.shape)}, but shape={tuple(shape)} was asked for."
            )
        return value

    # -- reading ---------------------------------------------------------------

    @property
    def value(self) -> Tensor:
        """The current tensor, as ops see it in this scope."""
        scope = current_scope()
        value = None if scope is None else scope.read(self)
        if value is None:
            if is_abstract_engine():
                value = Spec(self._shape, self._dtype)
            else:
                value = self.raw()
        target = _autocast.get()
        if (
            target is not None
            and self.autocast
            and target != self._dtype
            and dtypes.is_float(self._dtype)
        ):
            return REGISTRY["cast"](value, target)
        return value

    def operand(self) -> Tensor:
        """Return the value."""
        return self.value

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Size of each axis."""
        return self._shape

    @property
    def dtype(self) -> str:  # type: ignore[override]
        """Canonical dtype name, or the autocast dtype inside a layer's call."""
        target = _autocast.get()
        if target is not None and self.autocast and dtypes.is_float(self._dtype):
            return target
        return self._dtype

    @property
    def trainable(self) -> bool:
        """Whether optimizers may change it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Variable.switches += 1
        self._trainable = bool(value)

    @property
    def regularizer(self) -> Any:
        """A function of the value that adds to the loss, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Callable[..., Any] | None) -> None:
        if value is not None and not callable(value):
            raise ArgumentError(f"A regularizer is a function, got {value!r}.")
        self._regularizer = value

    @property
    def constraint(self) -> Any:
        """A function applied to the value after each update, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Callable[..., Any] | None) -> None:
        if value is not None and not callable(value):
            raise ArgumentError(f"A constraint is a function, got {value!r}.")
        self._constraint = value

    def stored(self) -> Tensor:
        """Return the value in this scope in the variable's own dtype."""
        with autocast_scope(None):
            return self.value

    def numpy(self) -> Array:
        """Return a copy of the value as a NumPy array."""
        return self.backend.to_numpy(self._concrete()).copy()

    def _concrete(self) -> Tensor:
        value = self.value if current_scope() is not None else self.raw()
        while isinstance(value, Traced):
            inner = getattr(value, "primal", None)
            value = np.asarray(value) if inner is None else inner()
        return value

    # -- writing ---------------------------------------------------------------

    def assign(self, value: Any) -> Variable:
        """Replace the value.

        Args:
            value: Anything that converts to a tensor of the same shape. A tensor is
                copied: training overwrites or gives up the tensors of variables.

        Returns:
            The variable.

        Raises:
            ShapeError: If the shape differs; the variable is unchanged.
        """
        return self._assign(value, owned=False)

    def replace(self, value: Tensor) -> Variable:
        """Replace the value by a tensor that nobody else holds, without a copy.

        Args:
            value: A result computed for this variable alone; the next update may
                overwrite it in place. Or an array, which becomes a tensor only if
                somebody asks before a compiled function takes it.

        Returns:
            The variable.

        Raises:
            ShapeError: If the shape differs; the variable is unchanged.
        """
        if (
            type(value) is np.ndarray
            and not self.backend.capabilities.eager
            and active() is self.backend
            and current_scope() is None
            and (value.shape, value.dtype.name) == (self._shape, self._dtype)
        ):
            catch_up()
            self._moving = value
            return self
        return self._assign(value, owned=True)

    def _assign(self, given: Any, *, owned: bool) -> Variable:
        if self._is_elsewhere():
            with engine_scope(self.backend):
                return self._assign(given, owned=owned)
        engine = active()
        held = value = given.operand() if isinstance(given, Operand) else given
        if not isinstance(value, Traced):
            value = engine.convert_to_tensor(value)
        if tuple(value.shape) != self._shape:
            raise ShapeError(
                f"The variable {self.path!r} has shape {self._shape}; a value of "
                f"shape {tuple(value.shape)} cannot be assigned to it."
            )
        name = value.dtype if isinstance(value, Traced) else engine.dtype_name(value)
        if name != self._dtype:
            value = REGISTRY["cast"](value, self._dtype)
        scope = current_scope()
        shared = value is held and not owned
        if shared and (is_donated() if scope else engine is self.backend):
            value = REGISTRY["copy"](value)
        if scope is not None:
            scope.write(self, value)
        elif engine is self.backend:
            catch_up()
            self.bind(value)
        return self

    def _is_elsewhere(self) -> bool:
        """Return whether a write has to enter the variable's own backend first."""
        return active().host is not self.backend and current_scope() is None

    def assign_add(self, value: Any) -> Variable:
        """Add to the value."""
        return self._assign_result("add", value)

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value."""
        return self._assign_result("subtract", value)

    def _assign_result(self, op: str, value: Any) -> Variable:
        if self._is_elsewhere():
            with engine_scope(self.backend):
                return self._assign_result(op, value)
        with autocast_scope(None):
            return self.assign(REGISTRY[op](self.value, value))

    def bind(self, value: Tensor) -> None:
        """Store a tensor of the right shape and dtype without checks.

        For the trainer, which gets new values from a compiled step.
        """
        self._value = value
        self._moving = None

    def raw(self) -> Tensor:
        """Return the stored tensor, whatever scope is active."""
        catch_up()
        if self._moving is not None:
            self.bind(self.backend.from_numpy(self._moving, self._dtype))
        return self._value

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        other: Variable = Variable.__new__(type(self))
        memo[id(self)] = other
        for name in Variable.__slots__:
            if name not in ("__weakref__", "_moving", "_value", "backend"):
                setattr(other, name, getattr(self, name))
        other.backend = _target.get() or self.backend
        other.bind(
            other.backend.from_numpy(self.backend.to_numpy(self.raw()), self._dtype)
        )
        return other

    # -- conversion ------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__" and name == active().array_protocol:
            return self.operand
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __index__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else repr(self)

    def __repr__(self) -> str:
        head = f"<Variable path={self.path}, shape={self._shape}, dtype={self._dtype}"
        value = self.raw()
        if self.backend.is_concrete(value):
            return f"{head}, value={self.backend.to_numpy(value)}>"
        return f"{head}>"


def tensors_of(variables: Sequence[Variable]) -> list[Tensor]:
    """Return the stored tensors of variables, whatever scope is active."""
    catch_up()
    return [v._value if v._moving is None else v.raw() for v in variables]


def arguments_of(variables: Sequence[Variable]) -> list[Any]:
    """Return what a compiled function takes for the stored tensors of variables."""
    catch_up()
    return [
        v._value if v._moving is None else v.backend.argument(v._moving)
        for v in variables
    ]
