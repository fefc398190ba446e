"""`LayerCase`: one configuration of a layer, and what every layer must do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

import polykeras as keras
from polykeras import dtypes, masking, ops, tree
from polykeras.backend import (
    REFERENCE,
    Array,
    current_backend,
    get_backend,
    use_backend,
)
from polykeras.registry import deserialize_keras_object, serialize_keras_object
from polykeras.state import StateScope

__all__ = ["CHECKS", "LayerCase", "assert_near"]

CHECKS: Final = (
    "shapes",
    "weights",
    "config",
    "training",
    "dtypes",
    "mask",
    "values",
    "gradients",
)
"""What is checked of each configuration: the names of the methods ``check_*``."""


def assert_near(actual: Any, expected: Any, terms: int = 16, what: str = "") -> None:
    """Assert equality up to the rounding of sums of `terms` products.

    The bound is ``2 * eps * terms * scale``: each addition and product rounds once,
    relative to the largest value.
    """
    actual = ops.convert_to_numpy(actual)
    expected = ops.convert_to_numpy(expected)
    assert tuple(actual.shape) == tuple(expected.shape), what
    if not np.issubdtype(actual.dtype, np.floating):
        np.testing.assert_array_equal(actual, expected, err_msg=what)
        return
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    bound = 2 * float(np.finfo(actual.dtype).eps) * terms * scale
    np.testing.assert_allclose(actual, expected, rtol=0, atol=bound, err_msg=what)


@dataclass(frozen=True)
class LayerCase:
    """One configuration of a layer and what is expected of it.

    Args:
        cls: Name in `polykeras.layers`.
        args: Keyword arguments of the constructor, or a function that makes them for
            a dtype policy, where they hold layers of their own.
        shape: Shape of the input, batch included; a list of shapes for several.
        output: Shape of the output, or a list of shapes.
        weights: Number of arrays that `get_weights` returns.
        trainable: Number of trainable variables; None means all weights.
        integers: Inputs are drawn from ``range(integers)`` where not 0.
        unknown: Shape of the input with None for unknown sizes; by default only
            the batch size is unknown.
        unknown_output: Its output shape.
        random_training: Whether training draws random numbers or uses statistics
            of the batch, so that its outputs differ from those of inference.
        keeps_mask: Whether the mask of the inputs follows the outputs.
        terms: Length of the longest sum, for bounds.
        gradients: Whether the outputs have gradients.
        positive: Whether inputs are drawn positive, away from 0.
        call: Further arguments of the call.
        spread: Whether several inputs are arguments of their own, not a list.
    """

    cls: str
    args: dict[str, Any] | Callable[[Any], dict[str, Any]]
    shape: Any
    output: Any
    weights: int = 0
    trainable: int | None = None
    integers: int = 0
    unknown: Any = None
    unknown_output: Any = None
    random_training: bool = False
    keeps_mask: bool | None = None
    terms: int = 16
    gradients: bool = True
    positive: bool = False
    call: dict[str, Any] = field(default_factory=dict)
    spread: bool = False

    def __str__(self) -> str:
        said = ",".join(f"{k}={_said(v)}" for k, v in self.arguments().items())
        return f"{self.cls}({said})".replace(" ", "")

    def arguments(self, dtype: Any = None) -> dict[str, Any]:
        """Return the keyword arguments of the constructor, for a dtype policy."""
        return self.args(dtype) if callable(self.args) else self.args

    def make(self, **more: Any) -> Any:
        """Return a new layer."""
        return getattr(keras.layers, self.cls)(
            **{**self.arguments(more.get("dtype")), **more}
        )

    @property
    def _several(self) -> bool:
        return isinstance(self.shape, list)

    def inputs(self, dtype: str = "float32") -> Any:
        """Return the same arrays each time."""
        rng = np.random.default_rng(0)

        def draw(shape: Sequence[int]) -> Array:
            if self.integers:
                return rng.integers(0, self.integers, shape).astype("int32")
            low = 0.5 if self.positive else -2.0
            return rng.uniform(low, 2.0, shape).astype(dtype)

        if self._several:
            return [draw(s) for s in self.shape]
        return draw(self.shape)

    def built(self, **more: Any) -> Any:
        """Return a new layer with the same non-trivial weights each time."""
        layer = self.make(**more)
        self._build(layer)
        rng = np.random.default_rng(1)
        layer.set_weights(
            [
                rng.uniform(0.5, 1.5, w.shape).astype(w.dtype)
                if np.issubdtype(w.dtype, np.floating)
                else w
                for w in layer.get_weights()
            ]
        )
        return layer

    def _build(self, layer: Any) -> None:
        layer.build(*(self.shape if self.spread else [self.shape]))

    def run(self, layer: Any, x: Any, **more: Any) -> Any:
        """Call the layer on arrays."""
        return self._call(layer, tree.map_leaves(ops.convert_to_tensor, x), **more)

    def _call(self, layer: Any, x: Any, **more: Any) -> Any:
        return layer(*(x if self.spread else [x]), **{**self.call, **more})

    def check(self, name: str) -> None:
        """Run one of `CHECKS` on the active backend.

        Raises:
            AssertionError: With what differs.
        """
        if name == "gradients" and not self.gradients:
            return
        getattr(self, f"check_{name}")()

    def check_shapes(self) -> None:
        """Eager, symbolic and computed shapes agree."""
        outputs = self.run(self.make(), self.inputs())
        self._same_shapes(outputs, self.output)
        assert keras.tree.flatten(outputs)[0].dtype is not None
        shapes = self.make().compute_output_shape(
            *(self.shape if self.spread else [self.shape])
        )
        assert _plain(shapes) == _plain(self.output)
        unknown, expected = self.unknown, self.unknown_output
        if unknown is None:
            unknown = _without_batch(self.shape)
            expected = _without_batch(self.output)
        dtype = "int32" if self.integers else "float32"
        symbolic = (
            [keras.Input(batch_shape=s, dtype=dtype) for s in unknown]
            if self._several
            else keras.Input(batch_shape=unknown, dtype=dtype)
        )
        self._same_shapes(self._call(self.make(), symbolic), expected)

    @staticmethod
    def _same_shapes(outputs: Any, expected: Any) -> None:
        found = [tuple(x.shape) for x in tree.flatten(outputs)]
        wanted = expected if isinstance(expected, list) else [expected]
        assert found == [tuple(s) for s in wanted]

    def check_weights(self) -> None:
        """The numbers of weights are as stated and survive a copy."""
        layer = self.built()
        assert len(layer.get_weights()) == self.weights
        trainable = self.weights if self.trainable is None else self.trainable
        assert len(layer.trainable_variables) == trainable
        layer.trainable = False
        assert layer.trainable_variables == []

    def check_config(self) -> None:
        """The config is plain data and makes an equal layer."""
        layer = self.built()
        data = serialize_keras_object(layer)
        again = deserialize_keras_object(json.loads(json.dumps(data)))
        assert type(again) is type(layer)
        assert json.dumps(again.get_config()) == json.dumps(layer.get_config())
        if not again.built:
            self._build(again)
        again.set_weights(layer.get_weights())
        x = self.inputs()
        for a, b in _pairs(self.run(layer, x), self.run(again, x)):
            np.testing.assert_array_equal(a, b)

    def check_training(self) -> None:
        """Training differs from inference only where it should."""
        layer, x = self.built(), self.inputs()
        first = self.run(layer, x, **self._training(False))
        trained = self.run(self.built(), x, **self._training(True))
        same = all(np.array_equal(a, b) for a, b in _pairs(first, trained))
        assert same != self.random_training
        for a, b in _pairs(first, self.run(layer, x)):
            np.testing.assert_array_equal(a, b)

    @staticmethod
    def _training(value: bool) -> dict[str, Any]:
        return {"training": value}

    def check_dtypes(self) -> None:
        """Narrow policies decide the dtypes of outputs and variables."""
        known = current_backend().capabilities.dtypes
        policies = map(keras.dtype_policies.get, ("mixed_float16", "bfloat16"))
        chosen = [p for p in policies if p.compute_dtype in known]
        layers = [self.built(dtype=p.name) for p in chosen]
        found = self.compiled([(x, {}) for x in layers], self.inputs())
        for policy, layer, outputs in zip(chosen, layers, found, strict=True):
            self._fits(policy.name, layer, outputs)

    def _fits(self, name: str, layer: Any, outputs: Sequence[Any]) -> None:
        """Assert that outputs and variables have the dtypes of a policy."""
        policy = keras.dtype_policies.get(name)
        for y in outputs:
            kind = ops.dtype(y)
            what = f"{self} {name}: the output has dtype {kind}"
            assert kind == policy.compute_dtype or not dtypes.is_float(kind), what
            values = ops.convert_to_numpy(y).astype("float64")
            assert np.isfinite(values).all(), f"{self} {name}: {values}"
        kept = {v.dtype for v in layer.trainable_variables}
        assert kept <= {policy.variable_dtype}, f"{self} {name}: variables of {kept}"

    def compiled(self, calls: Sequence[tuple[Any, dict[str, Any]]], x: Any) -> Any:
        """Call layers in one compiled function and return the outputs of each.

        Args:
            calls: Layers, each with further arguments of its call.
            x: The inputs of all of them.
        """

        def pure(values: Any) -> Any:
            with StateScope()():
                return [
                    tree.flatten(self._call(layer, values, **more))
                    for layer, more in calls
                ]

        values = tree.map_leaves(ops.convert_to_tensor, x)
        return current_backend().compile(pure)(values)

    def check_mask(self) -> None:
        """The mask of the inputs follows the outputs, or does not."""
        if self.keeps_mask is None:
            return
        x = ops.convert_to_tensor(self.inputs())
        mask = ops.convert_to_tensor(
            np.arange(self.shape[0] * self.shape[1]).reshape(self.shape[:2]) % 3 != 0
        )
        masking.set_mask(x, mask)
        outputs = self.make()(x, **self.call)
        found = masking.get_mask(tree.flatten(outputs)[0])
        assert (found is not None) == self.keeps_mask
        if found is not None:
            np.testing.assert_array_equal(
                ops.convert_to_numpy(found), ops.convert_to_numpy(mask)
            )

    def check_values(self) -> None:
        """Outputs of inference and training equal those of the reference backend.

        Those in float32 are eager, as in `check_training`, and those in float64 of a
        compiled function. Their dtypes are those of the policies, as in `check_dtypes`.
        """
        x = self.inputs("float64")
        modes = [self._training(training) for training in (False, True)]
        with use_backend(get_backend(REFERENCE)):
            expected = [
                [
                    ops.convert_to_numpy(y)
                    for y in tree.flatten(
                        self.run(self.built(dtype="float64"), x, **said)
                    )
                ]
                for said in modes
            ]
        for dtype in ("float32", "float64"):
            calls = [(self.built(dtype=dtype), said) for said in modes]
            if dtype == "float32":
                narrow = self.inputs()
                found = [
                    tree.flatten(self.run(layer, narrow, **said))
                    for layer, said in calls
                ]
            else:
                found = self.compiled(calls, x)
            for said, outputs, wanted in zip(modes, found, expected, strict=True):
                self._fits(dtype, calls[0][0], outputs)
                for y, right in zip(outputs, wanted, strict=True):
                    what = f"{self} {dtype} {said} {_engine()}"
                    assert_near(y, right, self.terms, what)

    def gradient(self) -> list[Array]:
        """Return the gradients of a weighted sum, for the weights and inputs."""
        layer = self.built(dtype="float64")
        x = [ops.convert_to_tensor(a) for a in tree.flatten(self.inputs("float64"))]

        def loss(*inputs: Any) -> Any:
            outputs = self._call(layer, list(inputs) if self._several else inputs[0])
            total = 0.0
            for y in tree.flatten(outputs):
                size = int(np.prod(y.shape))
                weight = np.cos(np.arange(size, dtype="float64")).reshape(y.shape)
                total = total + ops.sum(ops.multiply(y, ops.convert_to_tensor(weight)))
            return total

        def gradients(inputs: list[Any]) -> list[Any]:
            found: list[Any] = []
            if layer.trainable_variables:
                found += keras.grad(loss, layer.trainable_variables)(*inputs)
            if not self.integers:
                found += keras.grad(loss, argnums=tuple(range(len(inputs))))(*inputs)
            return found

        found = current_backend().compile(gradients)(x)
        return [ops.convert_to_numpy(g) for g in found]

    def check_gradients(self) -> None:
        """Gradients are finite and equal those of the reference backend."""
        with use_backend(get_backend(REFERENCE)):
            expected = self.gradient()
        for g, wanted in zip(self.gradient(), expected, strict=True):
            assert np.isfinite(g).all()
            assert_near(g, wanted, 16 * self.terms, f"gradient {self} {_engine()}")


def _engine() -> str:
    return current_backend().name


def _said(value: Any) -> str:
    if isinstance(value, keras.Layer):
        return type(value).__name__
    return str(value)


def _pairs(a: Any, b: Any) -> list[tuple[Array, Array]]:
    return [
        (ops.convert_to_numpy(x), ops.convert_to_numpy(y))
        for x, y in zip(tree.flatten(a), tree.flatten(b), strict=True)
    ]


def _without_batch(shape: Any) -> Any:
    if isinstance(shape, list):
        return [_without_batch(s) for s in shape]
    return (None, *shape[1:])


def _plain(shape: Any) -> Any:
    if isinstance(shape, list | tuple):
        return [_plain(s) for s in shape]
    return shape
