"""Turn code that changes variables into pure functions of their values.

A `StateScope` binds values to variables for a block. Reads see the bound value,
writes replace it, and the variables themselves stay as they are. Scopes belong
to a context (thread or task), so two threads may trace one model at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from polykeras.backend import is_abstract_engine, set_state_carrier
from polykeras.errors import PolykerasError
from polykeras.ops._operands import Operand

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = [
    "RepeatableScope",
    "StateScope",
    "StatelessScope",
    "catch_up",
    "current_scope",
    "donating",
    "functional",
    "is_donated",
    "running_behind",
]

_scope: ContextVar[StateScope | None] = ContextVar("polykeras_state", default=None)
_donated: ContextVar[bool] = ContextVar("polykeras_donated", default=False)


_behind: ContextVar[Callable[[], None] | None] = ContextVar(
    "polykeras_behind", default=None
)


class running_behind:  # noqa: N801 used like a function, and once a batch
    """A block before whose code reads or assigns a variable, `run` is called.

    Args:
        run: Runs the steps that wait to be run together, if any.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        """Wait to be entered."""
        self._run = run

    def __enter__(self) -> None:
        self._token = _behind.set(self._run)

    def __exit__(self, *error: object) -> None:
        _behind.reset(self._token)


def catch_up() -> None:
    """Run the steps that a block of `running_behind` lets wait."""
    run = _behind.get()
    if run is not None:
        token = _behind.set(None)
        try:
            run()
        finally:
            _behind.reset(token)


@contextmanager
def donating() -> Iterator[None]:
    """Allow the block's optimizer updates to overwrite the tensors of the state.

    Only for code that owns every tensor bound to its variables, as the trainer
    does: another holder of such a tensor would see it change.
    """
    token = _donated.set(True)
    try:
        yield
    finally:
        _donated.reset(token)


def is_donated() -> bool:
    """Return whether updates may happen in place here."""
    return _donated.get()


def current_scope() -> StateScope | None:
    """Return the innermost scope of this context, or None."""
    return _scope.get()


class StateScope:
    """Values bound to variables for a block.

    Args:
        variables: The variables to bind.
        values: One tensor a variable.
        sealed: Whether assigning any other variable is an error.
    """

    def __init__(
        self,
        variables: Sequence[Variable] = (),
        values: Sequence[Tensor] = (),
        *,
        sealed: bool = False,
    ) -> None:
        """Bind `values` to `variables`."""
        self.values = {
            # Keras' guides pass the variables themselves as their own values.
            id(v): value.operand() if isinstance(value, Operand) else value
            for v, value in zip(variables, values, strict=True)
        }
        self.written: dict[int, Variable] = {}
        self.sealed = sealed
        self.parent: StateScope | None = None

    def read(self, variable: Variable) -> Tensor | None:
        """Return the value bound here or in an outer scope, or None."""
        value = self.values.get(id(variable))
        if value is None and self.parent is not None:
            return self.parent.read(variable)
        return value

    def write(self, variable: Variable, value: Tensor) -> None:
        """Bind a new value to a variable.

        Raises:
            PolykerasError: If the scope is sealed and does not know the variable.
        """
        key = id(variable)
        if self.sealed and key not in self.values:
            raise PolykerasError(
                f"The variable {variable.path!r} is assigned inside a pure function "
                "that does not carry it. List it among the function's variables, or "
                "make it an attribute of the model, so that its new value is kept."
            )
        self.values[key] = value
        self.written[key] = variable

    def snapshot(self) -> dict[int, Tensor]:
        """Return all values bound now, here and in outer scopes."""
        outer = {} if self.parent is None else self.parent.snapshot()
        return outer | self.values

    @contextmanager
    def __call__(self) -> Iterator[StateScope]:
        """Enter the scope."""
        self.parent = _scope.get()
        token = _scope.set(self)
        try:
            yield self
        finally:
            _scope.reset(token)


class RepeatableScope(StateScope):
    """A block that sees, whenever it is entered, the values it read at first."""

    def read(self, variable: Variable) -> Tensor | None:
        """Return the value that the variable had when it was first read here."""
        value = super().read(variable)
        if value is None and not is_abstract_engine():
            value = variable.raw()
        if value is not None:
            self.values[id(variable)] = value
        return value


def functional(
    fn: Callable[..., Any], variables: Sequence[Variable]
) -> Callable[..., tuple[Any, list[Tensor]]]:
    """Return a pure function of the values of `variables`.

    Args:
        fn: Code that reads and assigns variables.
        variables: All variables that `fn` assigns, and those it reads whose values
            are to be arguments.

    Returns:
        ``pure(values, *args, **kwargs) -> (fn's result, new values)``; it assigns
        no variable.

    >>> import polykeras as keras
    >>> count = keras.Variable(0)
    >>> pure = functional(lambda: count.assign_add(1), [count])
    >>> result, (new,) = pure([keras.ops.convert_to_tensor(41)])
    >>> int(new), int(count.value)
    (42, 0)
    """

    def pure(
        values: Sequence[Tensor], *args: Any, **kwargs: Any
    ) -> tuple[Any, list[Tensor]]:
        with StateScope(variables, values, sealed=True)() as scope:
            result = fn(*args, **kwargs)
            return result, [scope.values[id(v)] for v in variables]

    return pure


class StatelessScope:
    """Bind values to variables for a block, under the name that Keras has for it.

    Args:
        state_mapping: Pairs of a variable and its value in the block.
        collect_losses: Must be False: `Layer.stateless_call` returns losses.
        initialize_variables: Kept for Keras' signature; variables are always made
            with their values.

    Raises:
        PolykerasError: If `collect_losses` is true.

    >>> import polykeras as keras
    >>> v = keras.Variable(1.0)
    >>> with keras.StatelessScope([(v, keras.ops.array(2.0))]) as scope:
    ...     _ = v.assign(v * 3)
    >>> float(scope.get_current_value(v)), float(v)
    (6.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Tensor]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        """Check nothing yet but the flag; values are bound on entry."""
        if collect_losses:
            raise PolykerasError(
                "StatelessScope does not collect losses. Call "
                "layer.stateless_call(..., return_losses=True)."
            )
        self.state_mapping = {
            id(variable): (variable, value) for variable, value in state_mapping or ()
        }
        self._scope = StateScope(
            [variable for variable, _ in self.state_mapping.values()],
            [value for _, value in self.state_mapping.values()],
        )
        self._entered: list[AbstractContextManager[StateScope]] = []

    def __enter__(self) -> StatelessScope:
        """Enter the scope."""
        block = self._scope()
        block.__enter__()
        self._entered.append(block)
        return self

    def __exit__(self, *error: Any) -> None:
        """Leave the scope; the values stay readable."""
        self._entered.pop().__exit__(*error)

    def add_update(self, update: tuple[Variable, Tensor]) -> None:
        """Bind a new value to a variable: ``(variable, value)``."""
        self._scope.write(*update)

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """Return the value bound to a variable, None if there is none."""
        return self._scope.read(variable)


def _carry_state(
    trace: Callable[..., Any], probe: Callable[[], object] | None, forbidden: str
) -> Any:
    """Do what `polykeras.backend.with_state` promises."""
    with StateScope()() as scope:
        result = None
        if probe is None:
            result, _ = trace(lambda fn: lambda values, *args: (fn(*args), []), [])
        else:
            probe()
    variables = list(scope.written.values())
    if not variables:
        if probe is not None:
            result, _ = trace(lambda fn: lambda values, *args: (fn(*args), []), [])
        return result
    if forbidden:
        names = ", ".join(repr(v.path) for v in variables)
        raise PolykerasError(f"The variable {names} is assigned {forbidden}")
    first = [v.stored() for v in variables]
    result, last = trace(lambda fn: functional(fn, variables), first)
    for variable, value in zip(variables, last, strict=True):
        variable.replace(value)
    return result


set_state_carrier(_carry_state)
