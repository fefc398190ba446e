"""`layer`: a case of a layer, from its class, its arguments and its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Made, Prepared, pattern

__all__ = ["layer", "make"]


def make(cls: str, **config: Any) -> Made:
    """A layer as an argument."""
    return Made(f"layers.{cls}", config)


def layer(
    cls: str,
    config: dict[str, Any],
    *inputs: Any,
    call: dict[str, Any] | None = None,
    adapt: Any = None,
    **about: Any,
) -> Case:
    """A case of a layer.

    Args:
        cls: The class.
        config: Arguments of the constructor; layers among them are made by `make`.
        inputs: What the layer is called on, in order.
        call: Further arguments of the call.
        adapt: What the layer is adapted to before.
        about: Further arguments of `Case`.
    """
    kwargs = {"config": config}
    if call:
        kwargs["call"] = call
    if adapt is not None:
        kwargs["adapt"] = adapt
    return Case(f"layers.{cls}", inputs, kwargs, _prepared, **about)


def _prepared(keras: Any, case: Case) -> Prepared:
    """Build, set weights by formula, call; then look at statistics and losses."""
    made: list[Any] = []
    variables: list[Any] = []
    training = case.kwargs.get("call", {}).get("training")

    def build(kwargs: dict[str, Any], args: Any) -> Any:
        new = getattr(keras.layers, case.name.partition(".")[2])(**kwargs["config"])
        if "adapt" in kwargs:
            new.adapt(kwargs["adapt"])
        new(*args, **kwargs.get("call", {}))
        if "adapt" not in kwargs:
            give_weights(new)
        return new

    def call(*tensors: Any) -> Any:
        args, kwargs = case.arguments(keras, list(tensors))
        if not made:
            made.append(build(kwargs, args))
            variables.extend(made[0].trainable_variables)
        return made[0](*args, **kwargs.get("call", {}))

    def after() -> Any:
        statistics = made[0].non_trainable_weights if training else []
        return [*map(keras.ops.copy, statistics), *made[0].losses]

    return Prepared(call, variables, after)


def give_weights(made: Any) -> None:
    """Set weights of both signs, and statistics that could be variances."""
    values = []
    for i, (w, value) in enumerate(zip(made.weights, made.get_weights(), strict=True)):
        if np.asarray(value).dtype.kind != "f":
            values.append(value)
        elif w.trainable:
            values.append(0.6 * pattern(value.shape, i + 0.5))
        else:
            values.append(0.5 + 0.5 * np.abs(pattern(value.shape, i + 0.5)))
    made.set_weights(values)
