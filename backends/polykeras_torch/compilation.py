"""Functions traced once for each form of their arguments, then replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import torch
from torch._C import _AutoDispatchBelowAutograd  # type: ignore[attr-defined]

from polykeras_torch.replay import replayed
from polykeras_torch.surroundings import is_mapped
from polykeras_torch.tracing import Recorder

__all__ = ["Replaying"]

_log: Final = logging.getLogger(__name__)
_Program: TypeAlias = Callable[[list[Any]], Any]
_PLAIN: Final = (type(None), bool, int, float, str)


class Replaying:
    """A function that is traced for each form of its arguments, then replayed.

    A form that cannot be traced, because the function looks at values, runs as it
    stands; so does a call inside a derivative, `vmap` or another trace.

    Args:
        fn: A pure function of trees of tensors, which may overwrite donated ones.
        donate: Positions of arguments whose tensors the caller gives up.
    """

    def __init__(self, fn: Callable[..., Any], donate: Sequence[int] = ()) -> None:
        """Trace nothing yet."""
        self._fn = fn
        self._donate = frozenset(donate)
        # With each, whether it needs gradients to be on.
        self._programs: dict[Any, tuple[_Program, bool] | None] = {}

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns."""
        form: list[Any] = []
        leaves: list[torch.Tensor] = []
        if not _flatten(args, form, leaves) or _is_observed():
            return self._fn(*args)
        key = tuple(form)
        try:
            found = self._programs[key]
        except KeyError:
            return self._trace(key, args)
        if found is None:
            return self._fn(*args)
        return self._replay(found, leaves, args)

    def repeat(
        self, state: list[torch.Tensor], calls: Iterable[Sequence[torch.Tensor]]
    ) -> Iterator[tuple[Any, list[torch.Tensor]]]:
        """Yield results and states, as `polykeras.backend.repeated` says."""
        found: tuple[_Program, bool] | None = None
        for args in calls:
            if found is None:
                before = self._key((state, *args))
                result, state = self(state, *args)
                # A step that keeps the form of its state has the same one from now on.
                if before is not None and before == self._key((state, *args)):
                    found = self._programs.get(before)
            else:
                result, state = self._replay(found, [*state, *args], (state, *args))
            yield result, state

    def _key(self, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Return the form of some arguments; None where they cannot be replayed."""
        form: list[Any] = []
        replayable = _flatten(args, form, []) and not _is_observed()
        return tuple(form) if replayable else None

    def _replay(
        self, found: tuple[_Program, bool], leaves: list[torch.Tensor], args: Any
    ) -> Any:
        program, differentiates = found
        before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(differentiates)
        try:
            with _AutoDispatchBelowAutograd():
                return program(leaves)
        except (IndexError, RuntimeError):
            torch._C._set_grad_enabled(before)
            return self._fn(*args)  # which words the error
        finally:
            torch._C._set_grad_enabled(before)

    def _trace(self, key: Any, args: tuple[Any, ...]) -> Any:
        # A trace that fails half-way must leave the caller's tensors as they were.
        copies = tuple(
            _copied(arg) if i in self._donate else arg for i, arg in enumerate(args)
        )
        leaves: list[torch.Tensor] = []
        _flatten(copies, [], leaves)
        recorder = Recorder()
        try:
            with recorder.recording(leaves):
                result = self._fn(*copies)
            program = replayed(recorder, recorder.refs(result))
        except Exception as error:
            result = self._fn(*args)  # an error of the function itself comes again
            _log.debug("%r runs as it stands: %s", self._fn, error)
            self._programs[key] = None
            return result
        self._programs[key] = program, recorder.differentiates
        return result


def _flatten(x: Any, form: list[Any], leaves: list[torch.Tensor]) -> bool:
    """Append the form of a tree and its tensors; return whether it can be traced."""
    kind = type(x)
    if kind is torch.Tensor:
        form += (x.shape, x.stride(), x.dtype, x.device)
        leaves.append(x)
        return not x.requires_grad
    if kind is list or kind is tuple:
        form += (kind, len(x))
        for item in x:
            # States are long lists of tensors, for which calls would take a while.
            if type(item) is torch.Tensor and not item.requires_grad:
                form += (item.shape, item.stride(), item.dtype, item.device)
                leaves.append(item)
            elif not _flatten(item, form, leaves):
                return False
        return True
    if kind is dict:
        form += (kind, *x)
        return all(_flatten(item, form, leaves) for item in x.values())
    form += (kind, x)
    return kind in _PLAIN


def _copied(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return x.clone()
    if isinstance(x, list | tuple):
        return type(x)(map(_copied, x))
    if isinstance(x, dict):
        return {key: _copied(value) for key, value in x.items()}
    return x


def _is_observed() -> bool:
    """Return whether a mode or transformation sees or changes the operators."""
    return (
        torch._C._len_torch_dispatch_stack() > 0  # type: ignore[attr-defined]
        or torch._C._len_torch_function_stack() > 0
        or torch._C._is_any_autocast_enabled()
        or is_mapped()
    )
