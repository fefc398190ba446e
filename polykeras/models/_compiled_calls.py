"""Calls of a model outside of training, compiled for each form of the inputs.

The call of a model made of library code only is a pure function of its variables and
inputs, so its Python need not run again until somebody changes an attribute of a layer.
Where code runs well uncompiled, the first call for a form does: it may be the last.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import config, tree
from polykeras.backend import current_backend, engine_scope
from polykeras.layers._tracking import Tracker
from polykeras.masking import get_mask, set_mask
from polykeras.state import StateScope
from polykeras.training._foreign_code import only_library_code
from polykeras.training._survey import dry_run
from polykeras.training.data import is_text
from polykeras.variables import tensors_of

if TYPE_CHECKING:
    from polykeras.backend import Backend
    from polykeras.models.model import Model
    from polykeras.variables import Variable

__all__ = ["UNCOMPILED", "CompiledCalls"]

# What `CompiledCalls` returns where the call has to run as it stands.
UNCOMPILED: Final = object()
# Where code runs well uncompiled, other forms than this many run as they stand.
_MOST_FORMS: Final = 64

Version = tuple[tuple[int, int, int], ...]


class CompiledCalls:
    """The compiled calls of one model.

    Attributes:
        traces: How often a call was traced.

    Args:
        model: A model; built at the first call if it is not.
    """

    def __init__(self, model: Model) -> None:
        """Compile nothing yet."""
        self.traces = 0
        self._model = model
        self._changes = -1
        self._version: Version = ()
        self._backend: Backend | None = None
        self._variables: list[Variable] = []
        self._built = False
        self._programs: dict[Any, _Program] = {}

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the outputs, or `UNCOMPILED`.

        Args:
            args: The inputs, one structure of tensors or arrays.
            kwargs: At most ``training``, which must not be true.
        """
        model = self._model
        if model._run_eagerly or model._jit_compile is False:
            return UNCOMPILED
        if len(args) != 1 or (kwargs and (len(kwargs) > 1 or "training" not in kwargs)):
            return UNCOMPILED
        training = kwargs.get("training") if kwargs else None
        if training:
            return UNCOMPILED
        if self._changes != Tracker.changes:
            self._look_again()
        backend = self._backend
        if backend is None:
            return UNCOMPILED
        x = args[0]
        if type(x) is not backend.tensor_type or get_mask(x) is not None:
            x = _as_tensors(x, backend)
            if x is UNCOMPILED:
                return UNCOMPILED
        elif not backend.is_concrete(x):
            return UNCOMPILED
        key = (training, config.floatx(), config.epsilon())
        if not self._built and not self._build_for(x):
            return UNCOMPILED
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = _Program(self, backend, training)
        return program(x)

    def _build_for(self, x: Any) -> bool:
        """Build what is not built yet, which a trace could not, for some inputs."""
        assert self._backend is not None
        try:
            dry_run(self._model, self._backend, x)
        except Exception:  # the call as it stands words the error
            return False
        self._look_again()
        return self._built and self._backend is not None

    def _look_again(self) -> None:
        """Forget all programs if the model changed."""
        version = self._current_version()
        self._changes = Tracker.changes
        if version == self._version:
            return
        model = self._model
        self._version, self._programs = version, {}
        backend = model.backend or current_backend()
        beside = type(model)._beside_calls | {"_tracker"}
        parts = [v for k, v in vars(model).items() if k not in beside]
        pure = (
            backend.capabilities.compile
            and type(model).__module__.startswith("polykeras.")
            and not any(x._computes_on_host for x in model._flatten_layers())
            and only_library_code(parts, backend)
        )
        self._backend = backend if pure else None
        self._variables = model._state_of_calls() if pure else []
        self._built = all(layer.built for layer in model._flatten_layers())

    def _current_version(self) -> Version:
        layers = self._model._flatten_layers()
        trackers = [layer._tracker for layer in layers]
        return tuple((id(t), t.own_changes, len(t.added)) for t in trackers)


class _State(Enum):
    """What is known of a form of the inputs."""

    SEEN = "seen"
    COMPILED = "compiled"
    REFUSED = "refused"


class _Program:
    """A compiled call, for any shapes of the inputs.

    Args:
        owner: Knows the model.
        backend: Of its variables.
        training: What is passed on.
    """

    def __init__(
        self, owner: CompiledCalls, backend: Backend, training: bool | None
    ) -> None:
        self._owner = owner
        self._backend = backend
        self._training = training
        self._waits = backend.capabilities.eager
        self._states: dict[Any, _State] = {}
        self._written: list[Variable] = []
        self._masked = False
        self._run = backend.compile(self._pure)

    def __call__(self, x: Any) -> Any:
        """Return the outputs, or `UNCOMPILED`."""
        state = None
        if self._waits or self._states:
            form = _form(x)
            state = self._states.get(form)
            if state is None and self._waits:
                if len(self._states) < _MOST_FORMS:
                    self._states[form] = _State.SEEN
                return UNCOMPILED
            if state is _State.REFUSED:
                return UNCOMPILED
        owner = self._owner
        traces = owner.traces
        try:
            outputs, written, masks = self._run(tensors_of(owner._variables), x)
        except Exception:  # the call as it stands words the error, or succeeds
            if state is not _State.COMPILED:
                self._states[_form(x)] = _State.REFUSED
            return UNCOMPILED
        if owner.traces != traces and self._has_effects():
            self._states[_form(x)] = _State.REFUSED
            return UNCOMPILED
        if state is _State.SEEN:
            self._states[form] = _State.COMPILED
        for v, value in zip(self._written, written, strict=True):
            v.bind(value)
        if self._masked:
            for out, mask in zip(tree.flatten(outputs), masks, strict=True):
                set_mask(out, mask)
        return outputs

    def _pure(self, values: list[Any], x: Any) -> tuple[Any, list[Any], list[Any]]:
        owner = self._owner
        owner.traces += 1
        scope = StateScope(owner._variables, values, sealed=True)
        with engine_scope(self._backend), scope():
            outputs = owner._model(x, training=self._training)
            self._written = list(scope.written.values())
            new = [scope.values[id(v)] for v in self._written]
        masks = [get_mask(out) for out in tree.flatten(outputs)]
        self._masked = any(mask is not None for mask in masks)
        return outputs, new, masks

    def _has_effects(self) -> bool:
        """Return whether the call that was traced left more than variables behind."""
        owner = self._owner
        layers = owner._model._flatten_layers()
        lossy = [layer for layer in layers if layer._losses]
        for layer in lossy:
            layer._losses.clear()
        return bool(lossy) or owner._current_version() != owner._version


def _form(x: Any) -> Any:
    if hasattr(x, "shape"):
        return x.shape, x.dtype
    leaves, structure = tree.flatten_leaves(x)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


def _as_tensors(x: Any, backend: Backend) -> Any:
    """Return a structure of tensors, or `UNCOMPILED` if it holds anything else."""
    leaves = tree.flatten(x)
    if not leaves or not all(
        type(leaf) is backend.tensor_type
        or (isinstance(leaf, np.ndarray) and not is_text(leaf))
        for leaf in leaves
    ):
        return UNCOMPILED
    if any(get_mask(leaf) is not None for leaf in leaves):
        return UNCOMPILED
    return tree.map_leaves(backend.convert_to_tensor, x)
