"""`Bidirectional`: a recurrent layer that also reads from the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, nearest
from polykeras.layers.layer import Layer
from polykeras.registry import deserialize_keras_object, public, serialize_keras_object

__all__ = ["Bidirectional"]

_MODES: Final = ("concat", "sum", "ave", "mul")
_NEEDED: Final = ("go_backwards", "return_sequences", "return_state", "stateful")


@public
class Bidirectional(Layer):
    """Run a recurrent layer forward and a copy backward, and merge their outputs.

    With a mask and outputs of all steps, both layers output zeros at masked steps.

    Args:
        layer: A recurrent layer, such as `LSTM`; new layers are made from its
            configuration, and its weights, if any, are not used.
        merge_mode: ``"concat"``, ``"sum"``, ``"ave"``, ``"mul"``, or None, which
            returns both outputs.
        weights: Arrays to begin with, those of the forward layer first.
        backward_layer: The layer to run backward; None means one like `layer`.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If a layer is not recurrent, both go the same way or differ in
            what they return, or the merge mode is unknown.

    Reference: Schuster and Paliwal, 1997, "Bidirectional Recurrent Neural Networks".

    >>> import polykeras as keras
    >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4))
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 8)
    """

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        """Make both layers."""
        if merge_mode is not None and merge_mode not in _MODES:
            raise ArgumentError(
                f"Bidirectional got merge_mode={merge_mode!r}. "
                f"{nearest(merge_mode, _MODES)} None returns both outputs."
            )
        _check_recurrent(layer)
        if backward_layer is not None:
            _check_recurrent(backward_layer)
        super().__init__(**kwargs)
        self.forward_layer = _remade(layer, "forward")
        if backward_layer is None:
            self.backward_layer = _remade(layer, "backward", go_backwards=True)
        else:
            self.backward_layer = backward_layer
        _check_pair(self.forward_layer, self.backward_layer)
        self.merge_mode = merge_mode
        self.stateful = layer.stateful  # type: ignore[attr-defined]
        self.return_sequences = layer.return_sequences  # type: ignore[attr-defined]
        self.return_state = layer.return_state  # type: ignore[attr-defined]
        for inner in (self.forward_layer, self.backward_layer):
            # A repeated output would stand at another step once it is reversed.
            if hasattr(inner, "zero_output_for_mask"):
                inner.zero_output_for_mask = self.return_sequences
        self.supports_masking = True
        self._first_weights = _FirstWeights(weights)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers for the same shape."""
        for inner in (self.forward_layer, self.backward_layer):
            if not inner.built:
                inner.build(sequences_shape)
        if self._first_weights.arrays is not None:
            self.set_weights(self._first_weights.arrays)

    @property
    def states(self) -> list[Any] | None:
        """The kept states of both layers if they are stateful, else None."""
        forward, backward = self._both("states")
        return None if forward is None else [*forward, *backward]

    def reset_state(self) -> None:
        """Set the kept states of both layers to zeros."""
        for inner in (self.forward_layer, self.backward_layer):
            inner.reset_state()

    def reset_states(self) -> None:
        """Set the kept states of both layers to zeros; see `reset_state`."""
        self.reset_state()

    def _both(self, name: str) -> tuple[Any, Any]:
        return getattr(self.forward_layer, name), getattr(self.backward_layer, name)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask for outputs of all steps, None for anything else."""
        mask = previous_mask
        if isinstance(mask, list | tuple):
            mask = mask[0] if mask else None
        if mask is None or not self.return_sequences:
            return None
        # What is left out at the end, the states, has no mask.
        return [mask, mask] if self.merge_mode is None else [mask]

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Run both layers.

        Args:
            sequences: ``(batch, time, ...)``.
            initial_state: The states of the forward layer, then those of the
                backward layer; None means zeros.
            mask: ``(batch, time)``, False where a step is skipped, or None.
            training: Passed on.

        Returns:
            The merged outputs, or both; with `return_state` a tuple that goes on with
            the states of both layers.
        """
        forward: dict[str, Any] = {"mask": mask, "training": training}
        backward = dict(forward)
        if initial_state is not None:
            half = len(initial_state) // 2
            forward["initial_state"] = list(initial_state[:half])
            backward["initial_state"] = list(initial_state[half:])
        y = self.forward_layer(sequences, **forward)
        z = self.backward_layer(sequences, **backward)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*y[1:], *z[1:])
            y, z = y[0], z[0]
        if self.return_sequences:
            z = ops.flip(z, axis=1)
        outputs = self._merge(y, z)
        if not self.return_state:
            return outputs if self.merge_mode else tuple(outputs)
        return (*outputs, *states) if self.merge_mode is None else (outputs, *states)

    def _merge(self, y: Tensor, z: Tensor) -> Any:
        if self.merge_mode is None:
            return y, z
        if self.merge_mode == "concat":
            return ops.concatenate([y, z], axis=-1)
        if self.merge_mode == "mul":
            return ops.multiply(y, z)
        total = ops.add(y, z)
        return total if self.merge_mode == "sum" else ops.multiply(total, 0.5)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> Bidirectional:
        """Return a new layer from what `get_config` returned."""
        rest = {k: v for k, v in config.items() if k not in ("layer", "backward_layer")}
        forward = deserialize_keras_object(config["layer"], custom_objects)
        backward = config.get("backward_layer")
        if backward is not None:
            backward = deserialize_keras_object(backward, custom_objects)
        return cls(forward, backward_layer=backward, **rest)


class _FirstWeights:
    """Arrays to set once the layer is built."""

    def __init__(self, arrays: Any) -> None:
        self.arrays = None if arrays is None or len(arrays) == 0 else list(arrays)


def _check_recurrent(layer: Any) -> None:
    missing = [name for name in _NEEDED if not hasattr(layer, name)]
    if not isinstance(layer, Layer) or missing:
        raise ArgumentError(
            "Bidirectional wraps a recurrent layer, one with "
            f"{', '.join(_NEEDED)}; got {layer!r}."
        )


def _check_pair(forward: Any, backward: Any) -> None:
    if forward.go_backwards == backward.go_backwards:
        raise ArgumentError(
            "Bidirectional needs one layer that goes backwards and one that does not; "
            f"both have go_backwards={forward.go_backwards}."
        )
    for name in ("stateful", "return_sequences", "return_state"):
        a, b = getattr(forward, name), getattr(backward, name)
        if a != b:
            raise ArgumentError(
                f"Bidirectional needs both layers to agree on {name}; the forward "
                f"layer has {a}, the backward layer {b}."
            )


def _remade(layer: Layer, direction: str, **changes: Any) -> Any:
    """Return a new layer of the same configuration."""
    name = layer.name.removeprefix(f"{direction}_")
    config = {**layer.get_config(), "name": f"{direction}_{name}", **changes}
    new = type(layer).from_config(config)
    if hasattr(layer, "use_cudnn"):
        new.use_cudnn = layer.use_cudnn
    return new
