"""`Layer`: state and a function of tensors that uses it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar, cast

from polykeras import dtype_policies, dtypes, ops, tree
from polykeras.arguments import CheckedArguments
from polykeras.backend import Backend, active, engine_scope, is_abstract_engine
from polykeras.errors import ShapeError, StateError, unknown_argument
from polykeras.layers._building import LayerBuilding, tree_of_shapes
from polykeras.layers._call import (
    CallContext,
    CallSignature,
    call_signature,
    current_call,
    mask_of,
)
from polykeras.layers._config import LayerConfig
from polykeras.layers._copying import copied, is_constant
from polykeras.layers._input_spec import check_inputs
from polykeras.layers._state import LayerState
from polykeras.layers._tracking import Tracker
from polykeras.masking import set_mask
from polykeras.naming import auto_name, checked_name
from polykeras.ops._abstract import Spec
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._registry import REGISTRY
from polykeras.state import StateScope
from polykeras.symbolic import KerasTensor, Node, infer
from polykeras.variables import autocast_scope, name_scope

__all__ = ["Layer"]

# Bookkeeping that refers to other layers without owning them.
_UNTRACKED = frozenset(
    {
        "_arguments",
        "_build_shapes",
        "_inbound_nodes",
        "_losses",
        "_lossy_layers",
    }
)


# A copy finds its backend and compiles its steps anew: both are bound to variables.
_RESET_IN_COPIES: dict[str, Callable[[], Any]] = {
    "_backend": lambda: None,
    "_steps": dict,
    "history": lambda: None,
    "_fit_run": lambda: None,
    "_calls": lambda: None,
}


class Layer(LayerState, LayerBuilding, LayerConfig, CheckedArguments):
    """A function of tensors that owns variables.

    Subclasses make variables in `build` (or `__init__`), compute in `call`, and
    list their constructor's arguments in `get_config`.

    Args:
        activity_regularizer: A function of the outputs that adds to the loss, divided
            by the size of the batch.
        trainable: Whether its variables are trained.
        dtype: A dtype or policy to compute in and keep variables in.
        autocast: Whether floating inputs are cast to the compute dtype.
        name: A name, unique within a model.

    >>> import polykeras as keras
    >>> class Scale(keras.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(
    ...             shape=input_shape[-1:], initializer="ones"
    ...         )
    ...
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(keras.ops.ones((2, 3))).shape
    (2, 3)
    """

    _tracked_as = "layer"
    # Whether calls need values on the host, which a compiled function has not.
    _computes_on_host: ClassVar[bool] = False
    # Attributes that hold nothing that the layer owns.
    _untracked: ClassVar[frozenset[str]] = _UNTRACKED
    # Attributes that do not change what a call computes.
    _beside_calls: ClassVar[frozenset[str]] = _UNTRACKED | {"_backend"}

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Start tracking what the layer owns; check and remember its arguments."""
        layer = super().__new__(cls, *args, **kwargs)
        # Before __init__, so that subclasses may assign before calling super().
        object.__setattr__(layer, "_tracker", Tracker())
        object.__setattr__(layer, "_arguments", (args, kwargs))
        return layer

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Set what every layer has; `input_shape` makes a model build at once."""
        from polykeras import regularizers

        shape = kwargs.pop("input_shape", None)
        batch_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
        input_dim = kwargs.pop("input_dim", None)
        if shape is None and input_dim is not None:
            shape = (input_dim,)
        if batch_shape is None and shape is not None:
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            batch_shape = (None, *shape)
        if kwargs:
            raise unknown_argument(
                type(self), kwargs, {"batch_shape", "input_dim", "input_shape"}
            )
        self.name = checked_name(name) or auto_name(type(self))
        self.dtype_policy = dtype_policies.get(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self.built = False
        self.supports_masking = False
        self.input_spec: Any = None
        self._batch_input_shape = batch_shape
        self._trainable = trainable
        self._losses: list[Any] = []
        self._lossy_layers: list[Layer] = []
        self._building = False
        self._backend: Backend | None = None
        self._inbound_nodes: list[Node] = []
        self._build_shapes: Any = None

    # -- attributes ------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._untracked:
            self._tracker.set(name, value)
        if name not in self._beside_calls:
            self._tracker.count_change()
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._tracker.delete(name)
        self._tracker.count_change()
        object.__delattr__(self, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        new: Layer = object.__new__(type(self))
        memo[id(self)] = new
        held, tracker = vars(new), Tracker()
        held["_tracker"], held["_arguments"] = tracker, self._arguments
        for name, value in vars(self).items():
            if name in held:
                continue
            if name in _RESET_IN_COPIES:
                held[name] = _RESET_IN_COPIES[name]()
            elif is_constant(value):
                held[name] = value
            elif name == "_inbound_nodes":
                # Calls in other models stay with the original.
                held[name] = [memo[id(n)] for n in value if id(n) in memo]
            else:
                held[name] = copied(value, memo)
        # Nobody has lists of its parts yet, so no layer's become invalid.
        known = self._tracker.attributes
        tracker.attributes = {name: held[name] for name in known if name in held}
        tracker.added = copied(self._tracker.added, memo)
        return new

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    # -- calling ---------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; every subclass overrides it."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define call(), which computes its outputs."
        )

    @property
    def _casts_inputs(self) -> bool:
        """Whether floating inputs become the compute dtype."""
        return self.autocast

    @property
    def _signature(self) -> CallSignature:
        return call_signature(cast("Hashable", type(self)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs of tensors, or describe those of symbolic ones."""
        args, kwargs, symbolic = self._convert(args, kwargs)
        if symbolic:
            return self.symbolic_call(*args, **kwargs)
        context = current_call()
        if context is None:
            with ExitStack() as stack:
                self._enter(stack)
                return self._run(args, kwargs)
        return self._run(args, kwargs)

    def _enter(self, stack: ExitStack) -> None:
        """Open what the outermost call needs: context, backend, library settings."""
        stack.enter_context(CallContext(self))
        for layer in self._lossy_layers:
            layer._losses.clear()
        self._lossy_layers.clear()
        if not is_abstract_engine():
            own = self.backend
            if own is not None and own is not active():
                stack.enter_context(engine_scope(own))
            stack.enter_context(active().step_scope())

    @property
    def backend(self) -> Backend | None:
        """The backend that holds the layer's variables, None without any."""
        if self._backend is None:
            for layer in self._flatten_layers():
                for v in layer._tracker.variables():
                    self._backend = v.backend
                    return self._backend
        return self._backend

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        scope = ExitStack() if self.built else name_scope(self.name)
        self._prepare(args, kwargs)
        signature = self._signature
        context = current_call()
        outer = context.training if context else None
        training = self._training(args, kwargs, outer)
        signature.fill_masks(args, kwargs)
        if context is not None:
            context.training = training
        try:
            with scope, autocast_scope(self.compute_dtype if self.autocast else None):
                if context is None or context.observer is None:
                    outputs = self.call(*args, **kwargs)
                else:
                    outputs = context.observer(self, args, kwargs)
        except TypeError:
            signature.check(type(self).__name__, args, kwargs)
            raise
        finally:
            if context is not None:
                context.training = outer
        if self.activity_regularizer is not None:
            for x in tree.flatten(outputs):
                self.add_loss(self._activity_loss(x))
        self._propagate_masks(args, outputs)
        return outputs

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check the inputs and build the layer if need be."""
        if self.input_spec is not None and args:
            check_inputs(self.name, self.input_spec, args[0])
        if not self.built:
            self._ensure_built(args, kwargs)
            if self.input_spec is not None and args:
                check_inputs(self.name, self.input_spec, args[0])

    def _training(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], outer: bool | None
    ) -> bool | None:
        """Settle the training flag: argument, enclosing call, then the default."""
        signature = self._signature
        if not signature.has_training:
            given = kwargs.pop("training", None)
            return outer if given is None else given
        if "training" in signature.names[: len(args)]:
            return args[signature.names.index("training")]  # type: ignore[no-any-return]
        training = kwargs.get("training")
        if training is None:
            training = outer if outer is not None else signature.training_default
        kwargs["training"] = training
        return training

    def _convert(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
        """Turn arrays into tensors of the right backend and compute dtype."""
        symbolic = False
        engine = active()
        if not is_abstract_engine() and current_call() is None:
            engine = self.backend or engine
        compute, casts = self.compute_dtype, self._casts_inputs

        def leaf(x: Any) -> Any:
            nonlocal symbolic
            if isinstance(x, KerasTensor):
                symbolic = True
                return x
            if isinstance(x, Operand):
                x = x.operand()
            if isinstance(x, Traced):
                return self._cast(x, x.dtype)
            if not engine.is_tensor(x):
                if not hasattr(x, "__array__") and not hasattr(x, "__dlpack__"):
                    return x
                if getattr(getattr(x, "dtype", None), "kind", "f") in "OUS":
                    return x
                x = engine.convert_to_tensor(x)
            name = engine.dtype_name(x)
            if casts and name != compute and dtypes.is_float(name):
                mask = mask_of(x)
                x = engine.kernels["cast"](x, compute)
                if mask is not None:
                    set_mask(x, mask)
            return x

        if (
            len(args) == 1
            and not kwargs
            and not isinstance(args[0], list | tuple | dict)
        ):
            return (leaf(args[0]),), kwargs, symbolic
        if args and isinstance(args[0], list) and _is_numbers(args[0]):
            args = (engine.convert_to_tensor(args[0]), *args[1:])
        new_args, new_kwargs = tree.map_leaves(leaf, (args, kwargs))
        return new_args, new_kwargs, symbolic

    def _cast(self, x: Any, name: str) -> Any:
        if self._casts_inputs and name != self.compute_dtype and dtypes.is_float(name):
            mask = mask_of(x)
            x = REGISTRY["cast"](x, self.compute_dtype)
            if mask is not None:
                set_mask(x, mask)
        return x

    def _activity_loss(self, x: Any) -> Any:
        """Return the penalty on outputs for one sample of the batch."""
        assert self.activity_regularizer is not None
        loss = self.activity_regularizer(x)
        if not x.shape:
            return loss
        return ops.divide_no_nan(loss, ops.cast(ops.shape(x)[0], ops.dtype(loss)))

    def _propagate_masks(self, args: tuple[Any, ...], outputs: Any) -> None:
        if not args:
            return
        overrides = type(self).compute_mask is not Layer.compute_mask
        if not (self.supports_masking or overrides):
            return
        previous = mask_of(args[0])
        if previous is None and not overrides:
            return
        flat = tree.flatten(outputs)
        if flat and type(flat[0]) is Spec:
            return  # Nothing follows a shape.
        masks = self.compute_mask(args[0], previous)
        if masks is None:
            return
        given = masks if isinstance(masks, list | tuple) else [masks] * len(flat)
        for x, mask in zip(flat, given, strict=False):
            if mask is not None:
                set_mask(x, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the outputs; by default that of the inputs."""
        return previous_mask

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the call on symbolic tensors and return symbolic outputs."""
        try:
            self._prepare(args, kwargs)
            outputs = self.compute_output_spec(*args, **kwargs)
        except ShapeError as error:
            raise _naming_producer(error, args) from error
        if any(
            x is y for x in tree.flatten(outputs) for y in tree.flatten((args, kwargs))
        ):
            outputs = tree.map_leaves(
                lambda x: (
                    KerasTensor(x.shape, x.dtype) if isinstance(x, KerasTensor) else x
                ),
                outputs,
            )
        self._inbound_nodes.append(Node(self, args, kwargs, outputs))
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic outputs for symbolic inputs, running nothing."""

        def run(*inner: Any, **named: Any) -> Any:
            with ExitStack() as stack:
                if current_call() is None:
                    stack.enter_context(CallContext(self))
                return Layer._run_abstract(self, inner, named)

        return infer(run, args, kwargs)

    def _run_abstract(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs, _ = self._convert(args, kwargs)
        losses, self._losses = self._losses, []
        try:
            return self._run(args, kwargs)
        finally:
            self._losses = losses

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the outputs for inputs of given shapes."""
        named = {
            key.removesuffix("_shape"): tree_of_shapes(
                lambda s: KerasTensor(s, self.compute_dtype), value
            )
            for key, value in kwargs.items()
        }
        if "input" in named:
            args, named = (kwargs["input_shape"],), {}
        inputs = [
            tree_of_shapes(lambda s: KerasTensor(s, self.compute_dtype), a)
            for a in args
        ]
        outputs = self.compute_output_spec(*inputs, **named)
        return tree.map_leaves(lambda x: x.shape, outputs)

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Call the layer as a pure function of its variables' values.

        What the call adds to metrics is dropped: update them outside, with
        `Metric.stateless_update_state`.

        Args:
            trainable_variables: Values for `self.trainable_variables`.
            non_trainable_variables: Values for `self.non_trainable_variables`.
            args: Arguments of the call.
            return_losses: Whether to return the losses too.
            kwargs: Keyword arguments of the call.

        Returns:
            The outputs, the new values of the non-trainable variables, and the
            losses if asked for.

        Raises:
            StateError: If the layer is not built.
        """
        if not self.built:
            raise StateError(
                f"The layer {self.name!r} must be built before stateless_call."
            )
        trained = self.trainable_variables
        others = self.non_trainable_variables
        metrics = self.metrics_variables
        values = [*trainable_variables, *non_trainable_variables]
        values += [v.value for v in metrics]
        with StateScope([*trained, *others, *metrics], values, sealed=True)() as scope:
            outputs = self(*args, **kwargs)
            new = [scope.values[id(v)] for v in others]
            if return_losses:
                return outputs, new, self.losses
        return outputs, new


def _naming_producer(error: ShapeError, args: tuple[Any, ...]) -> ShapeError:
    """Add which layer made the tensor that does not fit."""
    producers = [
        f"{x.node.operation.name!r} (shape {x.shape})"
        for x in tree.flatten(args)
        if isinstance(x, KerasTensor) and x.node is not None
    ]
    if not producers or "comes from" in str(error):
        return error
    return ShapeError(f"{error} Its input comes from {', '.join(producers)}.")


def _is_numbers(items: list[Any]) -> bool:
    """Return whether a list is data rather than a list of tensors."""
    return all(
        isinstance(x, int | float) or (isinstance(x, list) and _is_numbers(x))
        for x in items
    )
