"""Training steps on one engine: gradients, updates, losses and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Array, Backend
from polykeras.compare._compiled import is_compiled
from polykeras.errors import StateError
from polykeras.layers._call import Observer, observing
from polykeras.precision import epsilon_of
from polykeras.random import seed_scope
from polykeras.state import StateScope

__all__ = ["Steps", "Track", "nudged", "relative_distance", "train", "updates_of"]


@dataclass
class Steps:
    """What some training steps on one engine left behind.

    Args:
        losses: The loss of each step, from before its update.
        gradients: What the optimizers were given in the first step, by weight.
        updates: How far the first step moved each weight, statistics included.
        ceilings: The largest magnitude of each weight after the first step, of a run
            that others are measured by.
        weights: All weights after each step, as one list of arrays a step, where
            other runs are to be measured by them.
        distances: How far they are after each step from those of another run.
        dtypes: The dtype of each gradient and weight on the engine, by path.
    """

    losses: list[float] = field(default_factory=list)
    gradients: dict[str, Array] = field(default_factory=dict)
    updates: dict[str, Array] = field(default_factory=dict)
    ceilings: dict[str, float] = field(default_factory=dict)
    weights: list[list[Array]] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)
    dtypes: dict[str, str] = field(default_factory=dict)

    def array(self, kind: str, name: str) -> Array | None:
        """Return what an item of a report is about, None if it has no array."""
        if kind == "gradient":
            return self.gradients.get(name)
        if kind == "update":
            return self.updates.get(name)
        if kind == "loss":
            return np.asarray(self.losses[int(name.rpartition(" ")[2]) - 1])
        return None


@dataclass
class Track:
    """Training on one engine beside the reference, step by step.

    Args:
        engine: The engine.
        losses: Its losses.
        reference_losses: Those of the reference.
        distances: Distance of its weights from the reference's, relative to how far
            the reference's are from 0.
        bounds: The distance that rounding explains.
        yardstick: Distance of its weights from those of the same engine, started one
            unit of the last place away; empty for a single step, whose updates are
            compared themselves.
        parted: The first step, from 1, at which rounding explains the distance no
            more; None if there is none.
    """

    engine: str
    losses: list[float]
    reference_losses: list[float]
    distances: list[float]
    bounds: list[float]
    yardstick: list[float]
    parted: int | None

    @property
    def explained(self) -> float | None:
        """The share of the last distance that one unit in the last place explains.

        None if the yardstick is empty.
        """
        if not self.yardstick:
            return None
        if not self.distances[-1]:
            return 1.0
        return min(1.0, self.yardstick[-1] / self.distances[-1])


def train(
    model: Any,
    x: Any,
    y: Any,
    steps: int,
    engine: Backend,
    *,
    keep: Callable[[Array], Array],
    beside: Steps | None = None,
    with_weights: bool = False,
    nudge: int | None = None,
    watcher: Observer | None = None,
) -> Steps:
    """Train a model, which changes it, and return what happened.

    Args:
        model: A compiled model on `engine`.
        x: The inputs of each step.
        y: The targets.
        steps: Number of steps.
        engine: The engine.
        keep: Puts an array where it takes no memory, and returns it.
        beside: A run with weights, to measure the distances from.
        with_weights: Whether the weights after each step are kept.
        nudge: A seed to move each weight by one unit of the last place first.
        watcher: Sees the layers in the first step.
    """
    compiled = is_compiled(engine)
    model.run_eagerly = not compiled
    model._build_for((x,) if y is None else (x, y))
    if nudge is not None:
        nudged(model, nudge)
    result = Steps()
    variables = model.weights
    paths = unique_paths(variables)
    by_id = {id(v): path for v, path in zip(variables, paths, strict=True)}

    def see(grads: Sequence[Any], of: Sequence[Any]) -> None:
        for g, v in zip(grads, of, strict=True):
            if g is not None and engine.is_tensor(g):
                path = _free(by_id.get(id(v), v.path), result.gradients)
                result.gradients[path] = keep(_array(engine, g))
                result.dtypes[path] = engine.dtype_name(g)

    if compiled:
        # What a compiled step hands its optimizers has no values outside.
        see(*compiled_gradients(model, x, y, engine))

    before = [_array(engine, v.stored()) for v in variables]
    for step in range(steps):
        model.reset_metrics()
        first = step == 0 and not compiled
        watched = observing(watcher) if step == 0 and watcher else nullcontext()
        with watched, _seeing(model, see if first else None):
            logs = model.train_on_batch(x, y, return_dict=True)
        result.losses.append(_loss_in(logs, model))
        weights = [engine.to_numpy(v.stored()) for v in variables]
        if beside is not None:
            result.distances.append(relative_distance(weights, beside.weights[step]))
        if with_weights:
            result.weights.append([keep(np.array(w)) for w in weights])
        if step == 0:
            for path, old, new, v in zip(
                paths, before, weights, variables, strict=True
            ):
                if dtypes.is_float(v.dtype):
                    moved = np.subtract(new, old, dtype=float)
                    result.updates[path] = keep(moved)
                    if beside is None:
                        ceiling = float(np.max(np.abs(new), initial=0))
                        result.ceilings[path] = ceiling
                    result.dtypes.setdefault(path, engine.dtype_name(v.stored()))
    return result


def compiled_gradients(
    model: Any, x: Any, y: Any, engine: Backend
) -> tuple[list[Any], list[Any]]:
    """Return what the optimizers of a compiled step get, and the variables it is of.

    The step is compiled once more, as a program whose results they are.

    Args:
        model: A compiled model on `engine`, which stays as it is.
        x: The inputs.
        y: The targets.
        engine: The engine.
    """
    grads: list[Any] = []
    variables: list[Any] = []

    def see(found: Sequence[Any], of: Sequence[Any]) -> None:
        used = [(g, v) for g, v in zip(found, of, strict=True) if g is not None]
        grads.extend(g for g, _ in used)
        variables.extend(v for _, v in used)

    def program(key: Any, *leaves: Any) -> list[Any]:
        grads.clear()
        variables.clear()
        data = tree.unflatten_leaves(form, list(leaves))
        with _seeing(model, see), StateScope()(), seed_scope(key):
            model.train_step(data)
        return list(grads)

    with engine.step_scope():
        leaves, form = tree.flatten_leaves((x,) if y is None else (x, y))
        inputs = [engine.convert_to_tensor(leaf) for leaf in leaves]
        seed, drawn = model._draws or (0, 0)
        key = engine.from_numpy(np.array([seed, drawn], np.uint32), "uint32")
        return engine.compile(program)(key, *inputs), list(variables)


def updates_of(
    model: Any, gradients: dict[str, Array], engine: Backend
) -> dict[str, Array]:
    """Let the optimizer of a model move its weights, and return how far.

    Args:
        model: A compiled model on `engine`.
        gradients: By the path of the weight.
        engine: The engine.
    """
    paths = unique_paths(model.weights)
    moved = [
        (path, v)
        for path, v in zip(paths, model.weights, strict=True)
        if path in gradients
    ]
    before = [_array(engine, v.stored()) for _, v in moved]
    grads = [engine.from_numpy(gradients[path], v.dtype) for path, v in moved]
    model.optimizer.apply(grads, [v for _, v in moved])
    return {
        path: _array(engine, v.stored()) - old
        for (path, v), old in zip(moved, before, strict=True)
    }


def _array(engine: Backend, x: Any) -> Array:
    # In-place updates would reach arrays that share memory.
    return np.array(engine.to_numpy(x))


def _loss_in(logs: dict[str, Any], model: Any) -> float:
    """Return the loss, or what a training step of one's own logs in its place."""
    own = {name: value for name, value in logs.items() if name != "loss"}
    if own and (model.loss is None or "loss" not in logs):
        return float(next(iter(own.values())))
    if "loss" not in logs:
        raise StateError(
            f"A training step of {model.name!r} logs nothing to compare. Return a dict "
            "with the loss from train_step, or list a metric in metrics."
        )
    return float(logs["loss"])


def _free(path: str, taken: dict[str, Any]) -> str:
    """Return a path that stands for one gradient, if a step has several."""
    number, found = 1, path
    while found in taken:
        number += 1
        found = f"{path} ({number})"
    return found


def unique_paths(variables: Sequence[Any]) -> list[str]:
    """Return the paths of variables, numbered where two are equal."""
    taken: dict[str, Any] = {}
    for v in variables:
        taken[_free(v.path, taken)] = v
    return list(taken)


class _seeing:  # noqa: N801 reads as a function
    """Let a function see what reaches the optimizers of a model in the block."""

    def __init__(
        self, model: Any, see: Callable[[Sequence[Any], Sequence[Any]], None] | None
    ) -> None:
        self.optimizers = [] if see is None else model._optimizers()
        self.see = see

    def __enter__(self) -> None:
        for optimizer in self.optimizers:
            vars(optimizer)["apply"] = self._wrapped(optimizer)

    def __exit__(self, *error: object) -> None:
        for optimizer in self.optimizers:
            del vars(optimizer)["apply"]

    def _wrapped(self, optimizer: Any) -> Callable[..., None]:
        apply = type(optimizer).apply

        def seen(grads: Any, trainable_variables: Any = None) -> None:
            grads = list(grads)
            if self.see is not None:
                self.see(grads, optimizer._variables_of_step(trainable_variables))
            apply(optimizer, grads, trainable_variables)

        return seen


def nudged(model: Any, seed: int) -> None:
    """Move each floating weight of a model by one unit of the last place."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        if dtypes.is_float(v.dtype):
            values = np.asarray(v.numpy(), np.float64)
            signs = rng.integers(0, 2, values.shape) * 2 - 1
            v.assign((values * (1 + epsilon_of(v.dtype) * signs)).astype(v.dtype))


def relative_distance(weights: list[Array], reference: list[Array]) -> float:
    """Return the Euclidean distance of weights, relative to the reference's norm."""
    apart = norm = 0.0
    for w, r in zip(weights, reference, strict=True):
        with np.errstate(all="ignore"):
            wide = np.asarray(r, np.float64)
            away = np.subtract(w, wide, dtype=np.float64)
            apart += float(np.vdot(away, away))
            norm += float(np.vdot(wide, wide))
    return float(np.sqrt(apart / norm)) if norm else float(np.sqrt(apart))
