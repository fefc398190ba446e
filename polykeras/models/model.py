"""`Model`: a layer that can be trained, evaluated and moved between backends."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, ClassVar, cast

from polykeras.backend import Backend, get_backend
from polykeras.errors import ArgumentError, StateError, nearest
from polykeras.layers._call import current_call, is_observed
from polykeras.layers.layer import Layer
from polykeras.models._compiled_calls import UNCOMPILED, CompiledCalls
from polykeras.registry import CustomObjectScope, public, serialize_keras_object
from polykeras.state import current_scope
from polykeras.training.trainer import Trainer
from polykeras.variables import Variable, moving_variables_to

if TYPE_CHECKING:
    from polykeras.models.functional import Functional
    from polykeras.storage.load_report import LoadReport

__all__ = ["Model"]


@public
class Model(Trainer, Layer):
    """A layer with `fit`, `evaluate` and `predict`.

    Make one from symbolic tensors, ``Model(inputs, outputs)``, or subclass it:
    make layers in ``__init__`` and use them in ``call``.

    Args:
        inputs: A symbolic tensor, or a list or dict of them.
        outputs: Likewise, computed from `inputs`.
        name: A name.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.Input((3,))
    >>> model = keras.Model(x, keras.layers.Dense(2)(x))
    >>> model.count_params()
    8
    """

    # What belongs to training alone does not change what a call computes.
    _calls: CompiledCalls | None = None
    _untracked = Layer._untracked | {
        "_draws",
        "_fit_run",
        "_last_order",
        "_order_to_repeat",
        "_resumption",
        "_steps",
        "_trained_as",
        "history",
        "stop_training",
    }
    _beside_calls = Layer._beside_calls | {"_calls", *vars(Trainer())}

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a `Functional` of ``Model(inputs, outputs)``."""
        if cls is Model and (len(args) >= 2 or "outputs" in kwargs):
            from polykeras.models.functional import Functional

            return super().__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set the model up as a layer and a trainer."""
        if len(args) >= 2 or "outputs" in kwargs:
            self._become_functional(*args, **kwargs)
            return
        if args:
            raise ArgumentError(
                "Model takes inputs and outputs, or, when subclassed, keywords only."
            )
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs of tensors, or describe those of symbolic ones."""
        if current_call() is None and current_scope() is None and not is_observed():
            calls = self._calls
            if calls is None:
                calls = self._calls = CompiledCalls(self)
            outputs = calls(args, kwargs)
            if outputs is not UNCOMPILED:
                return outputs
        return super().__call__(*args, **kwargs)

    def _become_functional(self, *args: Any, **kwargs: Any) -> None:
        """Let a subclass describe itself by inputs and outputs."""
        from polykeras.models.functional import Functional

        cls = type(self)
        if not isinstance(self, Functional):
            self.__class__ = type(cls.__name__, (cls, Functional), {})
        Functional.__init__(cast("Functional", self), *args, **kwargs)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Return the model that a config describes.

        Args:
            config: What `get_config` returned.
            custom_objects: Names of your own classes and functions in it.
        """
        from polykeras.models.functional import Functional  # cycle

        with CustomObjectScope(custom_objects or {}):
            if cls is Model and {"input_layers", "output_layers"} <= set(config):
                return Functional.from_config(config)
            return super().from_config(config)

    # Attributes that hold again what stands elsewhere in files.
    _not_in_files: ClassVar[frozenset[str]] = frozenset(
        {"_layers", "_functional", "_compile_config"}
    )

    def _saved_layers(self) -> list[Layer]:
        return self.layers

    @property
    def layers(self) -> list[Layer]:
        """The layers that the model owns directly."""
        owned: list[Layer] = self._tracker.layers()
        return owned

    @property
    def weights(self) -> list[Variable]:
        """The variables that are saved: without metrics and seeds.

        Raises:
            StateError: If the model has none because it is not built.
        """
        found: list[Variable] = super().weights
        if not found and not self.built:
            raise StateError(
                f"The model {self.name!r} has no weights yet, because the shape of "
                "its input is not known. Start it with keras.Input(shape=...), call "
                "it on data, or call build(input_shape)."
            )
        return found

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by name or by its place in `layers`.

        Raises:
            ArgumentError: If there is none.
        """
        if index is not None:
            layers = self.layers
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(
                    f"The model {self.name!r} has {len(layers)} layers; there is no "
                    f"layer {index}."
                )
            return layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(
            f"The model {self.name!r} has no layer {name!r}. "
            f"{nearest(name, [x.name for x in self.layers])}"
        )

    def to_backend(self, backend: str | Backend) -> Any:
        """Return the same model on another backend.

        Weights, optimizer slots, metric totals and seeds have the same values, so
        training goes on where it stood. This model is unchanged.

        Args:
            backend: A name or `Backend`.

        >>> import polykeras as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.to_backend("numpy").backend
        <Backend numpy>
        """
        with moving_variables_to(get_backend(backend)):
            return copy.deepcopy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the model as a ``.keras`` archive, compiled state included."""
        from polykeras.models._pickling import pickled

        return pickled(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        from polykeras.models._copy import copy_model

        return copy_model(self, memo)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers with their output shapes and parameter counts.

        Args:
            line_length: Width of the table in characters.
            positions: Kept for Keras' signature.
            print_fn: Called with the text instead of printing it.
            expand_nested: Whether models inside are shown layer by layer.
            show_trainable: Whether a column says which layers are trained.
            layer_range: Names of the first and the last layer to show.
        """
        from polykeras.models._summary import print_summary

        print_summary(
            self,
            line_length=line_length,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the whole model to a ``.keras`` archive.

        Args:
            filepath: Ends in ``.keras``.
            overwrite: Whether an existing file is replaced.
            zipped: Kept for Keras' signature; True or None.
            kwargs: None are allowed.
        """
        from polykeras.storage.models import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def _repr_html_(self) -> str:
        from polykeras.models._summary import summary_html

        return summary_html(self)

    def export(
        self,
        filepath: Any,
        format: str = "onnx",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write what the model predicts as a graph for other programs.

        Args:
            filepath: The file.
            format: ``"onnx"``.
            verbose: Whether to say what was written.
            input_signature: Kept for Keras' signature; the inputs of the model count.
            kwargs: None are allowed.

        Raises:
            ArgumentError: If the format is unknown or the model has no graph.
            OperationNotSupported: If it uses an op that cannot be exported.
        """
        from polykeras.export import export_onnx

        if kwargs:
            raise TypeError(f"export() got unexpected arguments {sorted(kwargs)}.")
        if format != "onnx":
            raise ArgumentError(f"Unknown format. {nearest(format, ['onnx'])}")
        export_onnx(self, filepath)
        if verbose:
            print(f"Wrote {filepath}")

    def save_weights(
        self,
        filepath: Any,
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Write the weights and the optimizer's state to a file.

        Args:
            filepath: Ends in ``.weights.h5``, ``.safetensors`` or ``.weights.json``.
            overwrite: Whether an existing file is replaced.
            max_shard_size: The largest size of each file of a ``.weights.json``
                index, in gigabytes.
        """
        from polykeras.storage.weights import save_weights

        save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any
    ) -> LoadReport:
        """Read the weights and the optimizer's state from a file.

        Args:
            filepath: A file of `save_weights`, of Keras 3, or an ``.h5`` file.
            skip_mismatch: Whether parts that do not fit are skipped with a warning.
            kwargs: ``by_name``: whether layers are looked for by name.

        Returns:
            What was loaded, skipped and not used.
        """
        from polykeras.storage.weights import load_weights

        return load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Return all values as nested dicts by the parts of the variables' paths.

        Args:
            value_format: ``"backend_tensor"`` or ``"numpy_array"``.

        Returns:
            A dict with ``"trainable_variables"``, ``"non_trainable_variables"``,
            ``"optimizer_variables"`` and ``"metrics_variables"``.

        Raises:
            ArgumentError: If the format is unknown.
        """
        from polykeras.models._state_tree import get_state_tree

        return get_state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Set the values that `get_state_tree` returned, or some of them.

        Args:
            state_tree: Nested dicts; what they leave out stays.

        Raises:
            ArgumentError: If a path is unknown or a shape differs; nothing changes
                then.
        """
        from polykeras.models._state_tree import set_state_tree

        set_state_tree(self, state_tree)

    def to_json(self, **kwargs: Any) -> str:
        """Return the architecture as a JSON string."""
        from importlib import metadata

        from polykeras.storage.keras_calls import WRITER

        data = serialize_keras_object(self)
        return json.dumps({**data, WRITER: metadata.version("polykeras")}, **kwargs)
