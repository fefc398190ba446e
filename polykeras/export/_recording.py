"""Record a model as primitives: one more implementation of them.

The tensors of this engine are shapes and dtypes, as in abstract evaluation, that
also know which recorded call made them. Compositions run on them, so whatever is made
of ops comes apart into primitives without a rule of its own.

The batch size is not known. The model runs twice, with two stand-ins for it; numbers
that differ between the recordings are multiples of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import tree
from polykeras.backend import Backend, KernelTable, engine_scope, host_array
from polykeras.errors import OperationNotSupported
from polykeras.ops._abstract import AbstractEngine, Spec
from polykeras.ops._operands import Operand
from polykeras.ops._registry import REGISTRY
from polykeras.state import StateScope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from polykeras.backend import Array, Kernel

__all__ = ["BatchSize", "Call", "Recorded", "Recording", "merged", "record"]

# Composite, so that they divide by strides and groups; unlikely as real sizes.
STAND_INS: Final = (5040, 10080)


class Recorded(Spec):
    """A tensor of a recording.

    Attributes:
        value: The values, where they are known.
    """

    __slots__ = ("value",)

    def __init__(
        self, shape: tuple[int, ...], dtype: str, value: Array | None = None
    ) -> None:
        """Remember shape, dtype and values."""
        super().__init__(shape, dtype)
        self.value = value


@dataclass
class Call:
    """One recorded call of a primitive."""

    name: str
    args: list[Any]
    outputs: list[Recorded]


@dataclass
class Recording:
    """All calls between some inputs and outputs."""

    inputs: list[Recorded] = field(default_factory=list)
    outputs: list[Recorded] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


@dataclass(frozen=True)
class BatchSize:
    """A number that grows with the batch size: ``factor * batch + offset``."""

    factor: int
    offset: int


class _Engine(AbstractEngine):
    """Records primitives that have a rule; takes the others apart."""

    name = "recording"
    tensor_type = Recorded

    def __init__(self, host: Backend, known: Collection[str], to: Recording) -> None:
        super().__init__(host)
        self.kernels = _Table(self, known, to)

    def is_tensor(self, x: object) -> bool:
        return isinstance(x, Recorded)

    def from_numpy(self, x: Array, dtype: str) -> Recorded:
        return Recorded(x.shape, dtype, np.asarray(x))

    def scalar(self, value: complex, dtype: str) -> Recorded:
        return self.convert_to_tensor(value, dtype)

    def convert_to_tensor(self, x: object, dtype: str | None = None) -> Recorded:
        if isinstance(x, Operand):
            x = x.operand()
        if isinstance(x, Recorded):
            if dtype is None or dtype == x.dtype:
                return x
            return self.kernels["cast"](x, dtype)  # type: ignore[no-any-return]
        host = self.host
        with engine_scope(host):
            tensor = host.convert_to_tensor(x, dtype)
            name = host.dtype_name(tensor)
            value = host.to_numpy(tensor)
        return Recorded(tuple(value.shape), name, host_array(value))


class _Table(KernelTable):
    def __init__(self, engine: Backend, known: Collection[str], to: Recording) -> None:
        super().__init__(engine)
        self._known = known
        self._to = to

    def __missing__(self, name: str) -> Kernel:
        op = REGISTRY[name].op  # type: ignore[attr-defined]
        kernel: Kernel
        if name in self._known and op.abstract_rule is not None:
            kernel = self._recording(name, op.abstract_rule)
        elif op.has_default:
            kernel = op.fn
        else:
            raise OperationNotSupported(
                f"ONNX export has no rule for the op {name!r}. docs/saving.md lists "
                "what cannot be exported."
            )
        self[name] = kernel
        return kernel

    def _recording(self, name: str, rule: Callable[..., Any]) -> Kernel:
        def kernel(*args: Any) -> Any:
            result = rule(*args)
            outputs: list[Recorded] = []

            def wrapped(x: Any) -> Any:
                if not isinstance(x, Spec):
                    return x
                outputs.append(Recorded(x.shape, x.dtype))
                return outputs[-1]

            result = tree.map_leaves(wrapped, result)
            self._to.calls.append(Call(name, list(args), outputs))
            return result

        return kernel


def record(
    model: Any, specs: list[Any], known: Collection[str], batch: int
) -> Recording:
    """Return the calls that a model makes on inputs of a batch size.

    Args:
        model: A functional or sequential model.
        specs: The symbolic inputs.
        known: Names of the ops that may be recorded.
        batch: Stands for the unknown batch size.
    """
    recording = Recording()
    host = model.backend or _host()
    for x in specs:
        shape = tuple(batch if n is None else n for n in x.shape)
        recording.inputs.append(Recorded(shape, x.dtype))
    variables = list(model.variables)
    values = [Recorded(v.shape, v.dtype, v.numpy()) for v in variables]
    engine = _Engine(host, known, recording)
    inputs = tree.pack_sequence_as(model.input, recording.inputs)
    with engine_scope(engine), StateScope(variables, values)():
        result = model(inputs, training=False)
    recording.outputs = [engine.convert_to_tensor(x) for x in tree.flatten(result)]
    return recording


def _host() -> Backend:
    from polykeras.backend import current_backend

    return current_backend()


def merged(first: Any, second: Any) -> Any:
    """Return an argument with `BatchSize` for the numbers that differ in two runs.

    Raises:
        OperationNotSupported: If the values of a constant depend on the batch size.
    """
    if isinstance(first, Spec):
        value, other = getattr(first, "value", None), getattr(second, "value", None)
        changed = value is not None and (
            other is None or not np.array_equal(value, other, equal_nan=True)
        )
        if changed:
            raise OperationNotSupported(
                "The model computes values from the batch size, which ONNX export "
                "cannot follow. Fix it: Input(shape, batch_size=...)."
            )
        return first
    if isinstance(first, bool) or not isinstance(first, int):
        if isinstance(first, list | tuple):
            pairs = zip(first, second, strict=True)
            return type(first)(merged(a, b) for a, b in pairs)
        if isinstance(first, slice):
            ends = ((getattr(first, n), getattr(second, n)) for n in _ENDS)
            return slice(*(merged(a, b) for a, b in ends))
        return first
    if first == second:
        return first
    factor, rest = divmod(second - first, STAND_INS[1] - STAND_INS[0])
    if rest:
        raise OperationNotSupported(
            f"A size of the model is no multiple of the batch size ({first} and "
            f"{second}), which ONNX export cannot follow."
        )
    return BatchSize(factor, first - factor * STAND_INS[0])


_ENDS: Final = ("start", "stop", "step")
