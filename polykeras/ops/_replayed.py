"""Functions recorded once for each signature of their arguments, then replayed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from polykeras import tree
from polykeras.backend import engine_scope, set_recorder
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._recording import Recorder
from polykeras.ops._replay import Program

if TYPE_CHECKING:
    from polykeras.backend import Backend, Tensor

__all__ = ["Replayed"]

# Signatures kept for a function; one with more runs as it stands for the others.
_MOST: Final = 64

_shape = operator.attrgetter("shape")
_dtype = operator.attrgetter("dtype")


@dataclass(frozen=True)
class _Recorded:
    """A program with what surrounds it.

    Args:
        program: The program.
        run: Its code.
        places: Which leaves of the arguments are tensors.
    """

    program: Program
    run: Callable[[Sequence[Any]], Any]
    places: list[int]


class _Latest:
    """A program, and what its arguments are like: compared sooner than looked up.

    Attributes:
        recorded: The program.

    Args:
        recorded: The program.
        args: Arguments of it.
        kwargs: Likewise.
        leaves: Those of both, tensors only.
        form: Their structure.
    """

    def __init__(
        self,
        recorded: _Recorded,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        leaves: list[Any],
        form: Any,
    ) -> None:
        self.recorded = recorded
        spread, sizes = _spread(args)
        # Mostly a state and some tensors, which need no walk through a tree.
        self._sizes = sizes if not kwargs and _same(spread, leaves) else None
        self._form = form
        self._types = list(map(type, leaves))
        self._shapes = list(map(_shape, leaves))
        self._dtypes = list(map(_dtype, leaves))

    def leaves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
        """Return the leaves of arguments that are like those of the program."""
        if self._sizes is None:
            leaves, form = tree.flatten_leaves((args, kwargs))
            alike = form == self._form
        else:
            leaves, sizes = _spread(args)
            alike = sizes == self._sizes and not kwargs
        if (
            alike
            and list(map(type, leaves)) == self._types
            and list(map(_shape, leaves)) == self._shapes
            and list(map(_dtype, leaves)) == self._dtypes
        ):
            return leaves
        return None


def _spread(args: tuple[Any, ...]) -> tuple[list[Any], list[int]]:
    """Return the arguments and the items of lists, and the lengths of these."""
    leaves: list[Any] = []
    sizes: list[int] = []
    for x in args:
        if type(x) is list:
            leaves += x
            sizes.append(len(x))
        else:
            leaves.append(x)
            sizes.append(-1)
    return leaves, sizes


def _same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(map(operator.is_, a, b))


class Replayed:
    """A function that is recorded at its first call for each signature, then replayed.

    A signature is the form of the arguments, the shapes and dtypes of tensors and the
    other values. A function that asks for values of tensors runs as it stands.

    Args:
        backend: Runs the kernels.
        fn: A pure function of trees of tensors.
        around: Makes of a program's code what is called.
    """

    def __init__(
        self,
        backend: Backend,
        fn: Callable[..., Any],
        around: Callable[[Callable[..., Any]], Callable[..., Any]],
    ) -> None:
        """Record nothing yet."""
        self._backend = backend
        self._fn = fn
        self._around = around
        self._programs: dict[Any, _Recorded | None] = {}
        self._latest: _Latest | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns."""
        recorded, leaves = self._known(args, kwargs)
        if recorded is None:
            leaves, form = tree.flatten_leaves((args, kwargs))
            if any(isinstance(x, Operand) for x in leaves):
                leaves = [x.operand() if isinstance(x, Operand) else x for x in leaves]
                if any(isinstance(x, Traced) for x in leaves):
                    return self._fn(*args, **kwargs)
            recorded = self._find(leaves, form)
            if recorded is None:
                return self._fn(*args, **kwargs)
            if len(recorded.places) == len(leaves):
                self._latest = _Latest(recorded, args, kwargs, leaves, form)
            leaves = [leaves[i] for i in recorded.places]
        try:
            return recorded.run(leaves)
        except Exception as error:
            raise recorded.program.explain(error) from error

    def repeat(
        self, state: list[Tensor], calls: Iterable[Sequence[Tensor]]
    ) -> Iterator[tuple[Any, list[Tensor]]]:
        """Yield results and states, as `polykeras.backend.repeated` says."""
        recorded: _Recorded | None = None
        for args in calls:
            if recorded is None:
                result, state = self(state, *args)
                # From here on, each call has the arguments of this one.
                recorded, _ = self._known((state, *args), {})
            else:
                try:
                    result, state = recorded.run([*state, *args])
                except Exception as error:
                    raise recorded.program.explain(error) from error
            yield result, state

    def _known(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[_Recorded | None, list[Any]]:
        """Return the latest program and its leaves if it is for these arguments."""
        latest = self._latest
        if latest is not None:
            leaves = latest.leaves(args, kwargs)
            if leaves is not None:
                return latest.recorded, leaves
        return None, []

    def _find(self, leaves: list[Any], form: Any) -> _Recorded | None:
        """Return the program for arguments; None where they run as they stand."""
        try:
            key = (form, *map(self._signature, leaves))
            known = key in self._programs
        except TypeError:  # an argument without a hash
            return None
        if not known:
            room = len(self._programs) < _MOST
            self._programs[key] = self._trace(leaves, form) if room else None
        return self._programs[key]

    def _signature(self, x: Any) -> Any:
        if self._backend.is_tensor(x):
            return tuple(x.shape), x.dtype
        return type(x), x

    def _trace(self, leaves: Sequence[Any], form: Any) -> _Recorded | None:
        """Return the program, or None if the function cannot be recorded."""
        backend = self._backend
        recorder = Recorder(backend)
        places = [i for i, x in enumerate(leaves) if backend.is_tensor(x)]
        given = list(leaves)
        for i in places:
            given[i] = recorder.stand_in(leaves[i])

        def run() -> Any:
            args, kwargs = tree.unflatten_leaves(form, given)
            return self._fn(*args, **kwargs)

        try:
            with engine_scope(backend):
                block, result_form = recorder.inside(run)
        except Exception:
            # Whatever it is, the function as it stands will tell, or succeed.
            return None
        if recorder.refusal:
            return None
        program = Program(backend, [given[i] for i in places], block, result_form)
        return _Recorded(program, self._around(program.run), places)


set_recorder(Replayed)
