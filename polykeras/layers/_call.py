"""How a layer's `call` is invoked: its signature, and the context around it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from polykeras.errors import ArgumentError, nearest
from polykeras.masking import get_mask

if TYPE_CHECKING:
    from polykeras.layers.layer import Layer

__all__ = [
    "CallContext",
    "CallSignature",
    "Observer",
    "current_call",
    "is_observed",
    "observing",
]

Observer: TypeAlias = "Callable[[Layer, tuple[Any, ...], dict[str, Any]], Any]"
"""Takes a layer and the arguments of its `call`; returns the outputs to go on with."""

_context: ContextVar[CallContext | None] = ContextVar("polykeras_call", default=None)
_observer: ContextVar[Observer | None] = ContextVar("polykeras_observer", default=None)


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Let `observer` run the calls of layers in the block, instead of the layers.

    It calls ``layer.call`` itself, and sees inputs that are cast and built for,
    with masks and the training flag filled in. A call outside the block, in which the
    block may stand, does not count as one that goes on.

    Args:
        observer: Run for each call of any layer, in the order of the calls.
    """
    token, outer = _observer.set(observer), _context.set(None)
    try:
        yield
    finally:
        _context.reset(outer)
        _observer.reset(token)


def is_observed() -> bool:
    """Return whether somebody wants to see the calls of layers."""
    return _observer.get() is not None


def current_call() -> CallContext | None:
    """Return the context of the outermost layer call in progress, or None."""
    return _context.get()


class CallContext:
    """State of one outermost layer call, shared by all calls inside.

    Args:
        entry: The outermost layer.
    """

    __slots__ = ("_token", "entry", "observer", "training")

    def __init__(self, entry: Layer) -> None:
        """Start without a training flag."""
        self.entry = entry
        self.training: bool | None = None
        self.observer = _observer.get()

    def __enter__(self) -> CallContext:
        """Make this the current call."""
        self._token = _context.set(self)
        return self

    def __exit__(self, *exc: object) -> None:
        """Restore the call before."""
        _context.reset(self._token)


# Arguments of any call, which reach those layers that name them.
_FOR_ALL: Final = frozenset({"mask", "training"})


class CallSignature:
    """What the parameters of a `call` method are.

    Args:
        call: The unbound method.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        """Read the signature."""
        parameters = list(inspect.signature(call).parameters.values())[1:]
        self._whole = inspect.Signature(parameters)
        kinds = inspect.Parameter
        self.names = [
            p.name
            for p in parameters
            if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        ]
        self.keyword_names = [
            p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY
        ]
        accepted = {*self.names, *self.keyword_names}
        self.open = any(p.kind is kinds.VAR_KEYWORD for p in parameters)
        self.has_training = "training" in accepted
        self.has_mask = "mask" in accepted
        self.training_default = next(
            (p.default for p in parameters if p.name == "training"), None
        )
        if self.training_default is inspect.Parameter.empty:
            self.training_default = None
        self.first = self.names[0] if self.names else ""
        # `query` is accompanied by `query_mask`, the first argument also by `mask`.
        self.masks = {
            name: f"{name}_mask" for name in self.names if f"{name}_mask" in accepted
        }
        self.takes_masks = self.has_mask or bool(self.masks)

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, without defaults."""
        return {**dict(zip(self.names, args, strict=False)), **kwargs}

    def check(
        self, layer: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """Refuse arguments that `call` does not take.

        Args:
            layer: Name of the class, for the message.
            args: Given by position.
            kwargs: Given by name; those that every layer takes are left out.

        Raises:
            ArgumentError: If one is missing or unknown, or there are too many.
        """
        known = [*self.names, *self.keyword_names]
        given = {k: v for k, v in kwargs.items() if k in known or k not in _FOR_ALL}
        try:
            self._whole.bind(*args, **given)
        except TypeError as error:
            unknown = [k for k in given if k not in known]
            if unknown and not self.open:
                wrong = f"with the unknown argument {unknown[0]}={given[unknown[0]]!r}"
                advice = nearest(unknown[0], known)
            elif len(args) > len(self.names):
                wrong = f"with {len(args)} arguments by position"
                advice = f"It takes at most {len(self.names)}."
            else:
                named = self.named(args, given)
                absent = [
                    p.name
                    for p in self._whole.parameters.values()
                    if p.default is p.empty and p.name in known and p.name not in named
                ]
                wrong = f"without {' and '.join(map(repr, absent))}"
                if not absent:
                    wrong = f"with arguments that do not fit ({error})"
                advice = ""
            raise ArgumentError(
                f"{layer} was called {wrong}. Its call takes "
                f"({', '.join(known)}). {advice}".rstrip()
            ) from error

    def fill_masks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Add the masks that follow the tensors, unless the caller gave some."""
        if not self.takes_masks or not args:
            return
        given = self.named(args, kwargs)
        for name, mask_name in self.masks.items():
            if given.get(mask_name) is None and given.get(name) is not None:
                mask = mask_of(given[name])
                if mask is not None:
                    kwargs[mask_name] = mask
        if self.has_mask and given.get("mask") is None:
            mask = mask_of(args[0])
            if mask is not None:
                kwargs["mask"] = mask


def mask_of(structure: Any) -> Any:
    """Return the mask of a tensor or the masks of a structure, None without any."""
    if isinstance(structure, list | tuple):
        masks = [mask_of(x) for x in structure]
        return None if all(m is None for m in masks) else masks
    return get_mask(structure)


@cache
def call_signature(cls: type) -> CallSignature:
    """Return the signature of a layer class's `call`."""
    return CallSignature(cls.call)  # type: ignore[attr-defined]
