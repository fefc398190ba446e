"""What a layer owns: variables, weights, losses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from polykeras import dtypes, initializers, tree
from polykeras.errors import ArgumentError, ShapeError, StateError
from polykeras.layers._call import current_call
from polykeras.layers._tracking import (
    Tracker,
    structural,
    unique,
    while_frozen,
    with_inner_layers,
)
from polykeras.variables import Variable, autocast_scope, name_scope

if TYPE_CHECKING:
    from polykeras.backend import Array, Backend, Tensor
    from polykeras.layers.layer import Layer

__all__ = ["LayerState"]


class LayerState:
    """The part of `Layer` that owns things."""

    name: str
    built: bool
    variable_dtype: str
    _building: bool
    _trainable: bool
    _tracker: Tracker
    _losses: list[Any]
    _backend: Backend | None

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that the layer owns.

        Args:
            shape: Sizes of the axes; None means a scalar.
            initializer: A name, function or `Initializer`; None means Glorot
                uniform for floats and zeros otherwise.
            dtype: None means the policy's variable dtype.
            trainable: Whether optimizers may change it.
            autocast: Whether `call` reads it in the compute dtype.
            regularizer: Adds to the loss.
            constraint: Applied after each update.
            aggregation: Kept for code that distributes.
            overwrite_with_gradient: Whether the gradient replaces the value.
            name: The last part of its path.

        Returns:
            The variable.
        """
        from polykeras import constraints, regularizers

        if isinstance(shape, str):
            raise ArgumentError(
                "add_weight takes the shape first; pass name= by keyword."
            )
        shape = () if shape is None else shape
        dtype = dtypes.standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        with ExitStack() if self._building else name_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._tracker.add(variable)
        self._backend = variable.backend
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that the layer owns; see `add_weight`."""
        return self.add_weight(
            shape,
            initializer,
            dtype,
            trainable,
            autocast,
            regularizer,
            constraint,
            name=name,
        )

    @while_frozen
    def _flatten_layers(self) -> list[Any]:
        """Return this layer and all inside it, each once."""
        return with_inner_layers(self)

    def _own_variables(self) -> list[Variable]:
        """Return the layer's own variables, trainable ones first."""
        own = self._tracker.variables()
        return [v for v in own if v.trainable] + [v for v in own if not v.trainable]

    def _transient_variables(self) -> list[Variable]:
        """Return own variables that steps change but files leave out."""
        return [s.state for s in self._tracker.seeds()]

    @property
    @structural
    def variables(self) -> list[Variable]:
        """The weights and the states of seeds; see `metrics_variables` for others."""
        found: list[Variable] = []
        for layer in self._flatten_layers():
            found += layer._own_variables()
            found += layer._transient_variables()
        return unique(found)

    def _state_of_calls(self) -> list[Variable]:
        """Return all that a call may read or assign: `variables`, and metrics'."""
        found = list(self.variables)
        for layer in self._flatten_layers():
            for metric in layer._tracker.metrics():
                found += metric.variables
        return unique(found)

    @property
    @structural
    def weights(self) -> list[Variable]:
        """The variables that are saved: without metrics and seeds."""
        return unique([v for x in self._flatten_layers() for v in x._own_variables()])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that optimizers change."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that optimizers leave alone."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) not in trained]

    @property
    @structural
    def trainable_variables(self) -> list[Variable]:
        """The variables that optimizers change."""
        if not self.trainable:
            return []
        found: list[Variable] = []
        frozen: set[int] = set()
        for layer in self._flatten_layers():
            if not layer._trainable:
                frozen.update(id(x) for x in layer._flatten_layers())
        for layer in self._flatten_layers():
            if id(layer) not in frozen:
                found += [v for v in layer._own_variables() if v.trainable]
        return unique(found)

    @property
    @structural
    def non_trainable_variables(self) -> list[Variable]:
        """All other variables."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trained]

    @property
    @structural
    def metrics(self) -> list[Any]:
        """The metrics of the layer and those inside."""
        return unique(
            [m for layer in self._flatten_layers() for m in layer._tracker.metrics()]
        )

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics, which `variables` leaves out."""
        return [v for m in self.metrics for v in m.variables]

    @property
    def trainable(self) -> bool:
        """Whether the layer's variables are trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)

    def get_weights(self) -> list[Array]:
        """Return the values of the weights as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of the weights, all or none.

        Args:
            weights: Arrays in the order and shapes of `get_weights`.

        Raises:
            ShapeError: If number or shapes differ; nothing changes then.
        """
        variables = self.weights
        weights = list(weights)
        if len(variables) != len(weights):
            raise ShapeError(
                f"The layer {self.name!r} has {len(variables)} weights, but "
                f"{len(weights)} arrays were given."
                + ("" if self.built else " It is not built: call it on data first.")
            )
        for v, w in zip(variables, weights, strict=True):
            if tuple(getattr(w, "shape", ())) != v.shape:
                raise ShapeError(
                    f"The weight {v.path!r} has shape {v.shape}, but the array given "
                    f"for it has shape {tuple(getattr(w, 'shape', ()))}."
                )
        for v, w in zip(variables, weights, strict=True):
            v.assign(w)

    def count_params(self) -> int:
        """Return the number of values in the weights.

        Raises:
            StateError: If the layer is not built.
        """
        if not self.built:
            raise StateError(
                f"The layer {self.name!r} has no weights yet. Call it on data or "
                "build it with an input shape first."
            )
        total = 0
        for v in self.weights:
            size = 1
            for n in v.shape:
                size *= n
            total += size
        return total

    def _saved_layers(self) -> list[Any] | None:
        """Return what a model lists as its layers in files; None in other layers."""
        return None

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own variables into a mapping, numbered."""
        for i, v in enumerate(self._own_variables()):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the layer's own variables from a mapping.

        Raises:
            ShapeError: If number or shapes differ.
        """
        own = self._own_variables()
        if len(store.keys()) != len(own):
            raise ShapeError(
                f"The layer {self.name!r} has {len(own)} variables, but "
                f"{len(store.keys())} are stored."
                + ("" if self.built else " It is not built: call it on data first.")
            )
        for i, v in enumerate(own):
            v.assign(store[str(i)])

    # -- losses ----------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or a list of them) to the loss of the model.

        Args:
            loss: Computed during `call`; it counts for this call only.

        Raises:
            ShapeError: If a loss is no scalar.
        """
        for x in tree.flatten(loss):
            if tuple(getattr(x, "shape", ())) != ():
                raise ShapeError(
                    f"add_loss of {self.name!r} takes scalars, got shape "
                    f"{tuple(x.shape)}. Reduce it with ops.mean or ops.sum."
                )
            self._losses.append(x)
        context = current_call()
        if context is not None:
            context.entry._lossy_layers.append(cast("Layer", self))

    @property
    def losses(self) -> list[Tensor]:
        """Losses added in the last call, and those of the regularizers."""
        found = [x for layer in self._flatten_layers() for x in layer._losses]
        with autocast_scope(None):
            found += [
                v.regularizer(v.value)
                for v in self.trainable_variables
                if v.regularizer is not None
            ]
        return found

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()
