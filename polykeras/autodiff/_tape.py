"""Reverse-mode differentiation over primitives, for backends that have none.

Every op on a `TapeTensor` is run one level down and recorded with its canonical
arguments; the pullback walks the records backwards and applies the ops' own
derivative rules. The rules are ops themselves and the arguments they see belong
to the level below, so tapes nest to any order.

Reference: Baydin et al., 2018, "Automatic Differentiation in Machine Learning: a
Survey", section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from polykeras import dtypes
from polykeras.backend import active
from polykeras.errors import GradientError
from polykeras.ops._operands import Traced
from polykeras.ops._pullbacks import pulled_back
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from polykeras.backend import Array, Backend, Tensor
    from polykeras.ops._declare import Op

__all__ = ["Tape", "TapeTensor", "tape_vjp"]

_depth: ContextVar[int] = ContextVar("polykeras_tape_depth", default=0)


Record: TypeAlias = "tuple[Op, list[Any], list[Any], Any, Any]"
"""An op, its arguments, the same one level down, and the result there and here."""


class TapeTensor(Traced):
    """A tensor whose history is recorded.

    Args:
        value: The tensor one level down.
        tape: The tape that records it.
    """

    __slots__ = ("__weakref__", "_dtype", "tape", "value")

    def __init__(self, value: Tensor, tape: Tape) -> None:
        """Wrap a value."""
        self.value = value
        self.tape = tape
        self._dtype: str | None = None

    @property
    def level(self) -> int:  # type: ignore[override]
        """Depth of the tape: inner tapes are handled first."""
        return self.tape.level

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of the value."""
        return tuple(self.value.shape)

    @property
    def dtype(self) -> str:  # type: ignore[override]
        """Canonical dtype name."""
        name = self._dtype
        if name is None:
            value = self.value
            traced = isinstance(value, Traced)
            name = value.dtype if traced else active().dtype_name(value)
            self._dtype = name
        return name

    def interpret(self, op: Op, engine: Backend, args: list[Any]) -> Any:
        """Run `op` one level down and record it."""
        return self.tape.apply(op, engine, args)

    def custom_gradient(self, f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Call `f` one level down and record it with its own pullback."""
        from polykeras.autodiff._custom import on_tape  # builds on this module

        return on_tape(self.tape, f, args)

    def primal(self) -> Tensor:
        """Return the native tensor at the bottom, without history."""
        value = self.value
        return value.primal() if isinstance(value, TapeTensor) else value

    def __repr__(self) -> str:
        return f"TapeTensor(level={self.level}, value={self.value!r})"

    def __bool__(self) -> bool:
        return bool(self.primal())

    def __int__(self) -> int:
        return int(self.primal())

    def __index__(self) -> int:
        return int(self.primal())

    def __float__(self) -> float:
        return float(self.primal())

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else repr(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise GradientError(
            f"A tensor of shape {self.shape} that is being differentiated was given "
            "to NumPy, which would lose its gradient. Use polykeras.ops, or "
            "ops.convert_to_numpy(x) if no gradient is wanted."
        )


class Tape:
    """The record of one differentiated call."""

    def __init__(self, level: int) -> None:
        """Start an empty record."""
        self.level = level
        self.records: list[Record] = []

    def apply(self, op: Op, engine: Backend, args: list[Any]) -> Any:
        """Run `op` on arguments of which some are on this tape."""
        if not op.vjp_rules and op.has_default:
            return op.body(args)
        args = op.canonical(engine, args)
        below = [self._lower(a) for a in args]
        out = op.run(engine, list(below), canonical=True)
        if not op.differentiable:
            return out
        if not op.vjp_rules:
            raise GradientError(f"The op {op.name!r} has no derivative.")
        return self.record(op, args, below, out)

    def record(self, op: Op, args: list[Any], below: list[Any], out: Any) -> Any:
        """Append an op with its results and return them as tape tensors."""
        if isinstance(out, tuple | list):
            wrapped: Any = tuple(TapeTensor(o, self) for o in out)
        else:
            wrapped = TapeTensor(out, self)
        self.records.append((op, args, below, out, wrapped))
        return list(wrapped) if isinstance(out, list) else wrapped

    def _lower(self, x: Any) -> Any:
        if type(x) is TapeTensor and x.tape is self:
            return x.value
        if type(x) in (list, tuple):
            return type(x)(self._lower(item) for item in x)
        return x

    def owns(self, x: Any) -> bool:
        """Return whether `x` is recorded on this tape."""
        return type(x) is TapeTensor and x.tape is self

    def pullback(
        self,
        outputs: Sequence[Any],
        cotangents: Sequence[Any],
        inputs: Sequence[Any],
        *,
        once: bool = False,
    ) -> list[Any]:
        """Return the gradients of the inputs, zeros where independent.

        Args:
            outputs: Results on this tape.
            cotangents: One for each.
            inputs: Where the gradients are wanted.
            once: Whether the record is needed no more. It holds tensors that hold the
                tape, so they would stay until a garbage collector comes.
        """
        grads: dict[int, Any] = {}
        for out, cotangent in zip(outputs, cotangents, strict=True):
            if self.owns(out):
                _accumulate(grads, out, cotangent)
        for op, args, below, out, wrapped in self._backwards(once):
            g = _take(grads, wrapped, out)
            if g is not None:
                for x, gx in pulled_back(op, args, below, out, g, self.owns):
                    _accumulate(grads, x, gx)
        zeros = REGISTRY["zeros_like"]
        return [grads[id(x)] if id(x) in grads else zeros(x.value) for x in inputs]

    def _backwards(self, once: bool) -> Iterator[Record]:
        if not once:
            yield from reversed(self.records)
        while once and self.records:
            yield self.records.pop()


def _accumulate(grads: dict[int, Any], x: TapeTensor, g: Any) -> None:
    key = id(x)
    grads[key] = REGISTRY["add"](grads[key], g) if key in grads else g


def _take(grads: dict[int, Any], wrapped: Any, out: Any) -> Any:
    if type(wrapped) is not tuple:
        return grads.pop(id(wrapped), None)
    parts = [grads.pop(id(w), None) for w in wrapped]
    if all(p is None for p in parts):
        return None
    zeros = REGISTRY["zeros_like"]
    return tuple(zeros(o) if p is None else p for p, o in zip(parts, out, strict=True))


def tape_vjp(
    fn: Callable[..., Any], primals: Sequence[Any], *, once: bool = False
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]], Any]:
    """Do what `Backend.vjp` promises, on any backend.

    Args:
        fn: A function of tensors that returns ``(outputs, aux)``.
        primals: Where to evaluate it; may belong to outer tapes.
        once: Whether the pullback is called a single time.

    Returns:
        Outputs, pullback, aux; outputs and aux hold no tensor of this tape.
    """
    token = _depth.set(_depth.get() + 1)
    tape = Tape(_depth.get())
    inputs = [TapeTensor(p, tape) for p in primals]
    try:
        outputs, aux = fn(*inputs)
    finally:
        _depth.reset(token)

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        return tape.pullback(outputs, cotangents, inputs, once=once)

    lower = _lowering(tape)
    return [lower(o) for o in outputs], pullback, lower(aux)


def _lowering(tape: Tape) -> Callable[[Any], Any]:
    from polykeras import tree

    def leaf(x: Any) -> Any:
        return x.value if tape.owns(x) else x

    def lower(structure: Any) -> Any:
        return tree.map_leaves(leaf, structure)

    return lower


def inexact(x: Any) -> bool:
    """Return whether a tensor has a dtype that can be differentiated."""
    name = x.dtype if isinstance(x, Traced) else active().dtype_name(x)
    return dtypes.is_inexact(name)
