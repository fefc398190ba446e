"""Record a model as primitives: one more implementation of them.

The tensors of this engine are shapes and dtypes, as in abstract evaluation, that
also know which recorded call made them. Compositions run on them, so whatever is made
of ops comes apart into primitives without a rule of its own.

The batch size is not known: `_batch_sizes` says how several recordings, each with
another stand-in for it, become one.
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
    from collections.abc import Callable, Collection, Mapping

    from polykeras.backend import Array, Kernel

__all__ = ["Call", "Recorded", "Recording", "record"]


class Recorded(Spec):
    """A tensor of a recording.

    Attributes:
        value: The values, where they are known.
    """

    # Masks follow tensors by weak references.
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


class _Engine(AbstractEngine):
    """Records primitives that have a rule; takes the others apart."""

    name = "recording"
    tensor_type = Recorded

    def __init__(
        self,
        host: Backend,
        known: Collection[str],
        refused: Mapping[str, str],
        to: Recording,
    ) -> None:
        super().__init__(host)
        self.kernels = _Table(self, known, refused, to)

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
    def __init__(
        self,
        engine: Backend,
        known: Collection[str],
        refused: Mapping[str, str],
        to: Recording,
    ) -> None:
        super().__init__(engine)
        self._known = known
        self._refused = refused
        self._to = to

    def __missing__(self, name: str) -> Kernel:
        op = REGISTRY[name].op  # type: ignore[attr-defined]
        kernel: Kernel
        if name in _CONTROL:
            kernel = _CONTROL[name]
        elif name in self._refused:
            raise OperationNotSupported(
                f"The op {name!r} cannot be exported to ONNX: {self._refused[name]}."
            )
        elif name in self._known and op.abstract_rule is not None:
            kernel = self._recording(name, op.abstract_rule)
        elif op.has_default:
            kernel = op.fn
        else:
            raise OperationNotSupported(f"ONNX export has no rule for the op {name!r}.")
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


def _chosen(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Compute both branches and choose between their results."""
    first, second = true_fn(), false_fn()
    # Checks that both have the same form.
    REGISTRY["cond"].op.abstract_rule(pred, lambda: first, lambda: second)  # type: ignore[attr-defined]
    return tree.map_leaves(lambda a, b: REGISTRY["where"](pred, a, b), first, second)


_CONTROL: Final[dict[str, Kernel]] = {"cond": _chosen}


def record(
    model: Any,
    specs: list[Any],
    known: Collection[str],
    refused: Mapping[str, str],
    batch: int,
) -> Recording:
    """Return the calls that a model makes on inputs of a batch size.

    Args:
        model: A functional or sequential model.
        specs: The symbolic inputs.
        known: Names of the ops that may be recorded.
        refused: Names of the ops that may not, and why.
        batch: Stands for the unknown batch size.
    """
    recording = Recording()
    host = model.backend or _host()
    for x in specs:
        shape = tuple(batch if n is None else n for n in x.shape)
        recording.inputs.append(Recorded(shape, x.dtype))
    variables = model._state_of_calls()
    values = [Recorded(v.shape, v.dtype, v.numpy()) for v in variables]
    engine = _Engine(host, known, refused, recording)
    inputs = tree.pack_sequence_as(model.input, recording.inputs)
    with engine_scope(engine), StateScope(variables, values)():
        result = model(inputs, training=False)
    recording.outputs = [engine.convert_to_tensor(x) for x in tree.flatten(result)]
    return recording


def _host() -> Backend:
    from polykeras.backend import current_backend

    return current_backend()
