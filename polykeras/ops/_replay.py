"""Replay a record as straight-line code over kernels.

The record of a function becomes the source of one Python function, with a line for
each kernel: no layers, no dispatch, no tape. What nobody needs is left out, and memory
is given back after the last use. The kernels and their order are those of the eager
run, so results are the same to the last bit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from polykeras import dtypes, tree
from polykeras.errors import PolykerasError
from polykeras.ops._abstract import spec_of
from polykeras.ops._recording import Block, Branch, Call, Loop, RecordedTensor, Step

if TYPE_CHECKING:
    from polykeras.backend import Backend, ReplayKernel
    from polykeras.ops._declare import Op

__all__ = ["Program"]

# Bytes of a tensor from which its memory is used again before the function ends.
_LARGE: Final = 1 << 12


class Program:
    """A recorded function as code over flat lists of tensors.

    Args:
        backend: Runs the kernels.
        inputs: What stands for the arguments, in order.
        block: What was recorded.
        form: The form of the results.

    Attributes:
        source: The code.
        run: Takes the arguments as a list, returns the results in their form.
    """

    def __init__(
        self,
        backend: Backend,
        inputs: Sequence[RecordedTensor],
        block: Block,
        form: Any,
    ) -> None:
        """Write and compile the code."""
        self._backend = backend
        self._file = f"<recorded on {backend.name}>"
        self._lines = ["def run(leaves):"]
        self._calls: dict[int, tuple[Op, Any]] = {}
        self._names: dict[int, str] = {}
        self._kernels: dict[str, ReplayKernel] = {}
        self._space: dict[str, Any] = {}
        self._constants: dict[int, str] = {}
        # Tensors whose memory belongs to them alone, so that a copy can take it over.
        self._owned: set[int] = set()
        self._same: dict[int, int] = {}
        self._shared: set[int] = set()
        _prune(block)
        self._note_shared(block)
        if inputs:
            names = ", ".join(map(self._name, inputs))
            self._line(1, f"{names}{',' * (len(inputs) == 1)} = leaves")
        self._write(block, 1)
        self._line(1, f"return {self._results(block.results, form)}")
        self.source = "\n".join(self._lines) + "\n"
        exec(compile(self.source, self._file, "exec"), self._space)
        self.run: Callable[[Sequence[Any]], Any] = self._space["run"]

    def explain(self, error: Exception) -> Exception:
        """Return the error to raise for a kernel that failed."""
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._file:
                found = self._calls.get(trace.tb_lineno)
                if found is not None and not isinstance(error, PolykerasError):
                    op, args = found
                    return op.explain(self._backend, args, error)
            trace = trace.tb_next
        return error

    # -- names -----------------------------------------------------------------

    def _name(self, x: RecordedTensor) -> str:
        return self._names.setdefault(id(x), f"t{len(self._names)}")

    def _value(self, x: Any) -> str:
        """Return the source of an argument."""
        if isinstance(x, RecordedTensor):
            return self._names[id(x)]
        if type(x) is list:
            return f"[{', '.join(map(self._value, x))}]"
        if type(x) is tuple:
            return f"({''.join(f'{self._value(item)}, ' for item in x)})"
        if x is None or type(x) in (bool, int, str):
            return repr(x)
        if type(x) is float and math.isfinite(x):
            return repr(x)
        if isinstance(x, dict) and _holds_tensor(x):
            items = ", ".join(f"{k!r}: {self._value(v)}" for k, v in x.items())
            return f"{{{items}}}"
        return self._constant(x)

    def _constant(self, x: Any) -> str:
        if id(x) not in self._constants:
            name = self._constants[id(x)] = f"c{len(self._constants)}"
            constant = self._backend.is_tensor(x)
            self._space[name] = self._backend.constant(x) if constant else x
        return self._constants[id(x)]

    def _result(self, x: Any) -> str:
        if isinstance(x, RecordedTensor) or not self._backend.is_tensor(x):
            return self._value(x)
        # The caller may overwrite what it gets.
        self._space["copied"] = self._backend.kernels["copy"]
        return f"copied({self._constant(x)})"

    def _results(self, results: Sequence[Any], form: Any) -> str:
        """Return the source of the results, written out where they are plain trees."""
        leaves = [_Source(self._result(x)) for x in results]
        source = _written(tree.unflatten_leaves(form, leaves))
        if source is None:
            self._space |= {"form": form, "unflatten": tree.unflatten_leaves}
            source = f"unflatten(form, [{', '.join(leaves)}])"
        return source

    def _kernel(self, name: str) -> ReplayKernel:
        if name not in self._kernels:
            found = self._kernels[name] = self._backend.replay_kernel(name)
            self._space[f"k_{name}"] = found.kernel
        return self._kernels[name]

    # -- code ------------------------------------------------------------------

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _note_shared(self, block: Block) -> None:
        """Note tensors of which a step may keep or hand out a view."""
        for step in block.steps:
            if isinstance(step, Call):
                if not self._kernel(step.op.name).fresh:
                    self._shared.update(map(id, step.reads))
                continue
            self._shared.update(map(id, step.reads))
            for inner in _blocks(step):
                self._note_shared(inner)

    def _write(self, block: Block, depth: int) -> None:
        left = Counter(id(x) for x in block.reads)
        made: set[int] = set()
        self._owned = set()
        for step in block.steps:
            reads = [self._same.get(id(x), id(x)) for x in step.reads]
            left.subtract(reads)
            if isinstance(step, Call):
                self._write_call(step, depth, left)
            else:
                outer = self._owned
                if isinstance(step, Branch):
                    self._write_branch(step, depth)
                else:
                    self._write_loop(step, depth)
                self._owned = outer
            if depth == 1:
                writes = [id(x) for x in step.writes if _size(x) >= _LARGE]
                made.update(i for i in writes if i not in self._same)
                over = {i for i in (*reads, *writes) if i in made and not left[i]}
                made -= over
                if over:
                    names = sorted(self._names[i] for i in over)
                    self._line(depth, f"del {', '.join(names)}")

    def _write_call(self, call: Call, depth: int, left: Counter[int]) -> None:
        kernel = self._kernel(call.op.name)
        if call.op.name == "copy" and isinstance(call.args[0], RecordedTensor):
            copied = self._same.get(id(call.args[0]), id(call.args[0]))
            if copied in self._owned and not left[copied]:
                # What is copied is nobody else's: it can be the copy.
                self._same[id(call.outs)] = copied
                self._names[id(call.outs)] = self._names[copied]
                left[copied] = left.pop(id(call.outs), 0)
                return
        args = [self._value(x) for x in call.args]
        specs = tree.map_leaves(lambda x: spec_of(x, self._backend), call.args)
        function = f"k_{call.op.name}"
        if kernel.fitting is not None:
            function += f"_{len(self._lines)}"
            self._space[function], more = kernel.fitting(*specs)
            args += map(self._value, more)
        if kernel.overwrites and self._can_overwrite(call, left):
            args.append(f"out={args[0]}")
        for x in call.writes:
            self._name(x)
        target = self._target(call.outs)
        self._line(depth, f"{target} = {function}({', '.join(args)})")
        self._calls[len(self._lines)] = call.op, specs
        if kernel.fresh:
            self._owned.update(id(x) for x in call.writes if id(x) not in self._shared)

    def _can_overwrite(self, call: Call, left: Counter[int]) -> bool:
        """Return whether the result may take the memory of the first argument."""
        (first, *others), outs = call.args, call.outs
        if not (isinstance(first, RecordedTensor) and isinstance(outs, RecordedTensor)):
            return False
        place = self._same.get(id(first), id(first))
        return (
            place in self._owned
            and not left[place]
            and (first.shape, first.dtype) == (outs.shape, outs.dtype)
            and _size(outs) >= _LARGE
            # Another matrix would have a say in the layout of a new result, on which
            # the order of later sums depends.
            and all(sum(n > 1 for n in getattr(x, "shape", ())) <= 1 for x in others)
        )

    def _target(self, outs: Any) -> str:
        if isinstance(outs, RecordedTensor):
            return self._names[id(outs)]
        if outs is None:
            return "_"
        return f"[{', '.join(map(self._target, outs))}]"

    def _assign(
        self, targets: Sequence[RecordedTensor], values: Sequence[Any], depth: int
    ) -> None:
        if targets:
            names = ", ".join(map(self._name, targets))
            self._line(depth, f"{names} = {', '.join(map(self._result, values))}")

    def _write_branch(self, branch: Branch, depth: int) -> None:
        for head, block in zip(
            (f"if {self._value(branch.pred)}:", "else:"), branch.blocks, strict=True
        ):
            self._line(depth, head)
            self._line(depth + 1, "pass")
            self._write(block, depth + 1)
            self._assign(branch.writes, block.results, depth + 1)

    def _write_loop(self, loop: Loop, depth: int) -> None:
        count = f"n{len(self._lines)}"
        self._assign(loop.writes, loop.first, depth)
        self._line(depth, f"{count} = 0")
        limit = "True" if loop.limit is None else f"{count} < {loop.limit}"
        self._line(depth, f"while {limit}:")
        self._write(loop.condition, depth + 1)
        self._line(depth + 1, f"if not {self._value(loop.condition.results[0])}:")
        self._line(depth + 2, "break")
        self._write(loop.body, depth + 1)
        self._assign(loop.writes, loop.body.results, depth + 1)
        self._line(depth + 1, f"{count} += 1")


class _Source(str):
    """The source of one result."""

    __slots__ = ()


def _written(structure: Any) -> str | None:
    """Return the source of a tree of sources; None where it is not of plain ones."""
    kind = type(structure)
    if kind is _Source:
        return str(structure)
    if kind not in (dict, list, tuple):
        return None
    items = list(structure.values() if kind is dict else structure)
    parts = [_written(x) for x in items]
    sources = [x for x in parts if x is not None]
    if len(sources) < len(parts):
        return None
    if kind is dict:
        if not all(type(key) in (int, str) for key in structure):
            return None
        pairs = zip(structure, sources, strict=True)
        return f"{{{', '.join(f'{key!r}: {source}' for key, source in pairs)}}}"
    inside = "".join(f"{source}, " for source in sources)
    return f"[{inside}]" if kind is list else f"({inside})"


def _holds_tensor(structure: Any) -> bool:
    return any(isinstance(x, RecordedTensor) for x in tree.flatten(structure))


def _size(x: RecordedTensor) -> int:
    width: int = dtypes.as_numpy_dtype(x.dtype).itemsize
    return int(math.prod(x.shape)) * width


def _blocks(step: Step) -> tuple[Block, ...]:
    if isinstance(step, Branch):
        return step.blocks
    return (step.condition, step.body) if isinstance(step, Loop) else ()


def _prune(block: Block) -> None:
    """Leave out steps of which no result is needed; kernels have no other effect."""
    needed = {id(x) for x in block.results}
    kept: list[Step] = []
    for step in reversed(block.steps):
        for inner in _blocks(step):
            _prune(inner)
        if any(id(x) in needed for x in step.writes):
            kept.append(step)
            needed.update(id(x) for x in step.reads)
    block.steps = kept[::-1]
