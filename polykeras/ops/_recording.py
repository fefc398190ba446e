"""Record what a function computes, by running it on shapes.

A `RecordedTensor` has a shape and a dtype and stands for one argument or one result.
An op on it is not run but noted, with its canonical arguments; shapes of results
follow from the op's abstract rule. No value exists meanwhile, so no decision can rest
on one: code that asks for a value is refused, and its caller runs it as it stands.
What does not depend on the arguments is computed at once and becomes a constant.

Reference: Frostig, Johnson and Leary, 2018, "Compiling Machine Learning Programs via
High-Level Tracing", section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from polykeras import tree
from polykeras.backend import with_state
from polykeras.errors import PolykerasError
from polykeras.ops._abstract import Spec, evaluate, spec_of
from polykeras.ops._operands import Operand, Traced

if TYPE_CHECKING:
    from polykeras.backend import Array, Backend
    from polykeras.ops._declare import Op

__all__ = [
    "Block",
    "Branch",
    "Call",
    "Loop",
    "RecordedTensor",
    "Recorder",
    "Refused",
]


class Refused(PolykerasError):
    """A function cannot be recorded; it has to run as it stands."""


class RecordedTensor(Traced):
    """An argument or a result in a record.

    Args:
        recorder: What records it.
        shape: Size of each axis.
        dtype: Canonical name.
    """

    __slots__ = ("__weakref__", "dtype", "recorder", "shape")
    # Below every tape: what a tape computes is recorded.
    level = 0

    def __init__(self, recorder: Recorder, shape: Sequence[int], dtype: str) -> None:
        """Remember shape and dtype."""
        self.recorder = recorder
        self.shape = tuple(shape)
        self.dtype = dtype

    def interpret(self, op: Op, engine: Backend, args: list[Any]) -> Any:
        """Note the op instead of running it."""
        return self.recorder.apply(op, engine, args)

    def custom_gradient(self, f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Record the function; no tape is between, so its derivative is not asked."""
        return f(*args)[0]

    def __repr__(self) -> str:
        return f"RecordedTensor({self.dtype}[{', '.join(map(str, self.shape))}])"

    def __bool__(self) -> bool:
        raise self.recorder.refused("bool()")

    def __int__(self) -> int:
        raise self.recorder.refused("int()")

    def __index__(self) -> int:
        raise self.recorder.refused("an index")

    def __float__(self) -> float:
        raise self.recorder.refused("float()")

    def __complex__(self) -> complex:
        raise self.recorder.refused("complex()")

    def __format__(self, spec: str) -> str:
        raise self.recorder.refused("a format")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise self.recorder.refused("conversion to NumPy")


@dataclass
class Block:
    """Steps that run in a row.

    Args:
        steps: What to do, in order.
        results: A leaf is a `RecordedTensor` or a value known while recording.
    """

    steps: list[Step] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)

    @property
    def reads(self) -> list[RecordedTensor]:
        """Return what the steps and the results need, from within and without."""
        read = [x for step in self.steps for x in step.reads]
        return read + _recorded(self.results)


@dataclass
class Call:
    """One op.

    Args:
        op: Which.
        args: Its canonical arguments.
        outs: A structure like its result.
    """

    op: Op
    args: list[Any]
    outs: Any

    @property
    def reads(self) -> list[RecordedTensor]:
        """Return what it needs."""
        return _recorded(self.args)

    @property
    def writes(self) -> list[RecordedTensor]:
        """Return what it gives."""
        return _recorded(self.outs)


@dataclass
class Branch:
    """One of two blocks, by a truth value.

    Args:
        pred: The truth value.
        blocks: What runs where it is true, and where it is false.
        writes: The results of either.
    """

    pred: RecordedTensor
    blocks: tuple[Block, Block]
    writes: list[RecordedTensor]

    @property
    def reads(self) -> list[RecordedTensor]:
        """Return what it needs."""
        return [self.pred, *self.blocks[0].reads, *self.blocks[1].reads]


@dataclass
class Loop:
    """A block that is repeated while another one says so.

    Args:
        first: The first values of what is carried.
        condition: Has one result, a truth value.
        body: Its results are the next values.
        limit: How often the body runs at most.
        writes: What is carried; the blocks read these.
    """

    first: list[Any]
    condition: Block
    body: Block
    limit: int | None
    writes: list[RecordedTensor]

    @property
    def reads(self) -> list[RecordedTensor]:
        """Return what it needs."""
        inside = [*self.condition.reads, *self.body.reads]
        return _recorded(self.first) + inside


Step: TypeAlias = Call | Branch | Loop


def _recorded(structure: Any) -> list[RecordedTensor]:
    return [x for x in tree.flatten(structure) if isinstance(x, RecordedTensor)]


class Recorder:
    """Records one run of a function.

    Args:
        engine: The backend that will run the kernels.

    Attributes:
        block: Where steps are noted now.
        refusal: Why the record cannot be used, or nothing.
    """

    def __init__(self, engine: Backend) -> None:
        """Start an empty record."""
        self.engine = engine
        self.block = Block()
        self.refusal = ""

    def refused(self, use: str) -> Refused:
        """Give the record up, also where the caller catches the error returned."""
        self.refusal = f"{use} needs the values of a tensor"
        return Refused(self.refusal)

    def stand_in(self, x: Any) -> RecordedTensor:
        """Return what stands for a tensor or `Spec`."""
        spec = spec_of(x, self.engine)
        return RecordedTensor(self, spec.shape, spec.dtype)

    def inside(self, fn: Callable[..., Any], *args: Any) -> tuple[Block, Any]:
        """Record a function as a block of its own, and return the block and form."""
        outer, self.block = self.block, Block()
        try:
            leaves, form = tree.flatten_leaves(fn(*args))
            self.block.results = [_operand(x) for x in leaves]
            return self.block, form
        finally:
            self.block = outer

    def apply(self, op: Op, engine: Backend, args: list[Any]) -> Any:
        """Note an op of whose arguments some are recorded."""
        if engine.kernels[op.name] is op.fn:
            special = _CONTROL.get(op.name)
            return op.body(args) if special is None else special(self, op, args)
        args = op.canonical(engine, args)
        if op.name in _FILLED:
            # What follows from shapes alone, as a first cotangent, is a constant.
            x, dtype = args
            return engine.kernels["full"](x.shape, _FILLED[op.name], dtype)
        leaves = tree.flatten_leaves(args)[0]
        if any(callable(x) and not isinstance(x, type) for x in leaves):
            raise self.refused(f"the function given to ops.{op.name}")
        if any(
            isinstance(x, RecordedTensor) and x.recorder is not self for x in leaves
        ):
            raise self.refused("a function recorded inside another one")
        specs = tree.map_leaves(lambda x: spec_of(x, engine), args)
        outs = tree.map_leaves(self._out, evaluate(op, specs))
        self.block.steps.append(Call(op, args, outs))
        return outs

    def _out(self, spec: Any) -> RecordedTensor | None:
        if spec is None:
            return None
        if not isinstance(spec, Spec):
            raise self.refused(f"a result that is {type(spec).__name__}")
        return RecordedTensor(self, spec.shape, spec.dtype)


_FILLED = {"ones_like": 1, "zeros_like": 0}


def _operand(x: Any) -> Any:
    return x.operand() if isinstance(x, Operand) else x


# -- control flow ------------------------------------------------------------------


def _cond(recorder: Recorder, op: Op, args: list[Any]) -> Any:
    pred, true_fn, false_fn = op.canonical(recorder.engine, args)

    def trace(bind: Any, state: list[Any]) -> Any:
        first, form = recorder.inside(bind(true_fn), state)
        second, other = recorder.inside(bind(false_fn), state)
        results = [
            tree.unflatten_leaves(f, [spec_of(x, recorder.engine) for x in b.results])
            for f, b in ((form, first), (other, second))
        ]
        outs = evaluate(op, [pred, lambda: results[0], lambda: results[1]])
        leaves, form = tree.flatten_leaves(outs)
        result = [x if x is None else recorder.stand_in(x) for x in leaves]
        recorder.block.steps.append(Branch(pred, (first, second), _recorded(result)))
        for block in (first, second):
            block.results = [x for x in block.results if x is not None]
        return tree.unflatten_leaves(form, result)

    return with_state(trace)


def _while_loop(recorder: Recorder, op: Op, args: list[Any]) -> Any:
    goes_on, body, loop_vars, limit = op.canonical(recorder.engine, args)

    def trace(bind: Any, state: list[Any]) -> Any:
        leaves, form = tree.flatten_leaves((loop_vars, list(state)))
        carried = [x if x is None else recorder.stand_in(x) for x in leaves]
        carry, values = tree.unflatten_leaves(form, carried)
        condition, _ = recorder.inside(lambda: bind(goes_on)(values, carry)[0])
        block, _ = recorder.inside(bind(body), values, carry)
        block.results = [x for x in block.results if x is not None]
        first = [x for x in leaves if x is not None]
        recorder.block.steps.append(
            Loop(first, condition, block, limit, _recorded(carried))
        )
        return carry, values

    return with_state(trace)


_CONTROL: dict[str, Callable[[Recorder, Op, list[Any]], Any]] = {
    "cond": _cond,
    "while_loop": _while_loop,
}
