"""How a layer gets its variables, from the shapes of its first inputs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from polykeras import tree
from polykeras.backend import active, engine_scope, is_abstract_engine
from polykeras.layers._tracking import Tracker
from polykeras.symbolic import KerasTensor
from polykeras.variables import name_scope

if TYPE_CHECKING:
    from polykeras.layers._call import CallSignature

__all__ = ["LayerBuilding", "tree_of_shapes"]


class LayerBuilding:
    """The part of `Layer` that builds it."""

    name: str
    built: bool
    compute_dtype: str
    _building: bool
    _build_shapes: Any
    _tracker: Tracker
    compute_output_spec: Callable[..., Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _finishing(cls.build)  # type: ignore[method-assign]

    @property
    def _signature(self) -> CallSignature:
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        """Make the layer's variables for inputs of a shape.

        Without an override, layers inside are built by tracing `call`. An override may
        end with this; layers inside are then built as `call` reaches them.

        Args:
            input_shape: Shape of the first argument of `call`, batch included.
        """
        if type(self).build is LayerBuilding.build:
            self._build_by_tracing(input_shape)
        self.built = True

    def _build_by_tracing(self, *input_shapes: Any) -> None:
        if not any(True for _ in self._tracker.layers()):
            return
        symbolic = [
            tree_of_shapes(lambda s: KerasTensor(s, self.compute_dtype), shape)
            for shape in input_shapes
        ]
        self.compute_output_spec(*symbolic)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layer from what `get_build_config` returned."""
        if self.built:
            return
        shapes = config.get("shapes_dict")
        if shapes is None and config.get("input_shape") is not None:
            shapes = {"input_shape": config["input_shape"]}
        if shapes is None:
            return
        shapes = {k: _as_shape(v) for k, v in shapes.items()}
        if type(self).build is LayerBuilding.build:
            # What the layers inside are given is known only to `call`.
            self._build_by_tracing(*shapes.values())
        self._build_with(shapes)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes the layer was built with, or None."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._signature.check(type(self).__name__, args, kwargs)
        given = self._signature.named(args, kwargs)
        shapes = {
            f"{name}_shape": _shapes_of(value)
            for name, value in given.items()
            if value is not None and _holds_tensors(value)
        }
        self._build_with(shapes)

    def _build_with(self, shapes: dict[str, Any]) -> None:
        if type(self).build is LayerBuilding.build:
            # Layers inside, if any, build themselves as `call` reaches them.
            self._build_shapes = shapes
            self.built = True
            return
        wanted = list(inspect.signature(self.build).parameters)
        self._building = True
        try:
            with name_scope(self.name), _outside_of_trace():
                if len(wanted) == 1 or not set(wanted) & set(shapes):
                    self.build(next(iter(shapes.values()), None))
                else:
                    # The others, such as those of masks, are no business of `build`.
                    shapes = {k: v for k, v in shapes.items() if k in wanted}
                    self.build(**shapes)
        finally:
            self._building = False
        self._build_shapes = shapes
        self.built = True


def _finishing(build: Callable[..., None]) -> Callable[..., None]:
    """Let a `build` that users call themselves leave the layer built."""
    signature = inspect.signature(build)

    @functools.wraps(build)
    def wrapped(self: LayerBuilding, *args: Any, **kwargs: Any) -> None:
        # The layer itself, or an overriding build, is at work and will finish.
        if self._building:
            build(self, *args, **kwargs)
            return
        shapes = dict(signature.bind(self, *args, **kwargs).arguments)
        shapes.pop(next(iter(signature.parameters)))
        before = self._build_shapes
        self._building = True
        try:
            with name_scope(self.name), _outside_of_trace():
                build(self, *args, **kwargs)
        finally:
            self._building = False
        if self._build_shapes is before:
            self._build_shapes = shapes
        self.built = True

    return wrapped


def tree_of_shapes(fn: Callable[[tuple[int | None, ...]], Any], shapes: Any) -> Any:
    """Apply `fn` to every shape in a structure of shapes."""
    if isinstance(shapes, dict):
        return {k: tree_of_shapes(fn, v) for k, v in shapes.items()}
    if shapes is None or all(n is None or isinstance(n, int) for n in shapes):
        return fn(tuple(shapes)) if shapes is not None else None
    return type(shapes)(tree_of_shapes(fn, s) for s in shapes)


def _shapes_of(structure: Any) -> Any:
    def shape(x: Any) -> Any:
        return tuple(x.shape) if hasattr(x, "shape") else None

    if isinstance(structure, dict):
        return {k: _shapes_of(v) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)(_shapes_of(x) for x in structure)
    return shape(structure)


def _holds_tensors(structure: Any) -> bool:
    return any(hasattr(x, "shape") for x in tree.flatten(structure))


def _as_shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _as_shape(v) for k, v in value.items()}
    if value is None or all(n is None or isinstance(n, int) for n in value):
        return None if value is None else tuple(value)
    return [_as_shape(v) for v in value]


def _outside_of_trace() -> Any:
    """Build variables on the real backend also while shapes are inferred."""
    if is_abstract_engine():
        return engine_scope(active().host)
    return ExitStack()
