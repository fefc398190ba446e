"""Variables that are assigned inside functions which a library traces.

A library that compiles loops calls their functions once, with stand-ins for tensors.
A stand-in that is assigned to a variable must not outlive the loop: the variable's
value has to go round with the carry. `with_state` arranges that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["refusing_state", "set_state_carrier", "with_state"]

Function = Callable[..., Any]
Trace = Callable[[Callable[[Function], Function], list[Any]], tuple[Any, Sequence[Any]]]


def _stateless(trace: Trace, probe: Callable[[], object] | None, forbidden: str) -> Any:
    return trace(lambda fn: lambda values, *args: (fn(*args), []), [])[0]


# Set by `polykeras.state`, which lies above this module and knows variables.
_carrier: Callable[[Trace, Callable[[], object] | None, str], Any] = _stateless


def set_state_carrier(
    carrier: Callable[[Trace, Callable[[], object] | None, str], Any],
) -> None:
    """Tell how assignments to variables are found and carried."""
    global _carrier  # noqa: PLW0603
    _carrier = carrier


def with_state(
    trace: Trace, *, probe: Callable[[], object] | None = None, forbidden: str = ""
) -> Any:
    """Call `trace` so that variables assigned in its functions keep their values.

    Args:
        trace: Called with ``(bind, values)``. ``bind(fn)`` is a pure function:
            ``bind(fn)(values, *args)`` returns the result of ``fn(*args)`` and the
            variables' new values, a list like `values`. Returns its result and the
            last values.
        probe: Calls the functions as `trace` does, but only traces them; needed
            where `trace` might not end if variables kept their values.
        forbidden: What to tell the user where values cannot be carried; an error
            then names the variable.

    Returns:
        The result of `trace`; the variables have their new values.
    """
    return _carrier(trace, probe, forbidden)


def refusing_state(mapped: Function) -> Function:
    """Return a function mapped over rows at once, which may assign no variable.

    Args:
        mapped: What the library made; within it a tensor stands for all rows.
    """
    forbidden = (
        "inside a function that is mapped over rows at once, so it would get one value "
        "a row. Use ops.map, which handles them in turn."
    )

    def call(*args: Any) -> Any:
        return with_state(
            lambda bind, state: (mapped(*args), state), forbidden=forbidden
        )

    return call
