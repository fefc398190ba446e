"""Where a run of `fit` stands, and how another one takes it up from there."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras.callbacks.logs import read_logs
from polykeras.errors import DataError
from polykeras.random import global_state, set_global_state
from polykeras.storage.seeds import restore_seeds, seed_state
from polykeras.storage.stores import Store
from polykeras.storage.weights import collect_weights, restore_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polykeras.backend import Array
    from polykeras.callbacks import CallbackList
    from polykeras.training.data import DataAdapter

__all__ = ["Resumption", "Run", "Snapshot", "snapshot"]

# Arrays that are no weights, beside the parts of the model.
_METRICS = "training/metrics"
_GENERATORS = "training/generators"
_CALLBACKS = "training/callbacks"


@dataclass
class Run:
    """A run of `fit` under way.

    Attributes:
        data: Makes the batches.
        observers: The callbacks.
        epoch: Number of the current epoch.
        batch: Batches of it that are done.
        logs: Logs of the last of them.
    """

    data: DataAdapter
    observers: CallbackList
    epoch: int = 0
    batch: int = 0
    logs: dict[str, Any] = field(default_factory=dict)


@dataclass
class Snapshot:
    """All that a run goes on with.

    Attributes:
        groups: Path of a part to its arrays by key.
        data: The rest, as plain data.
    """

    groups: dict[str, dict[str, Array]]
    data: dict[str, Any]


def snapshot(model: Any, *, finished: bool = False) -> Snapshot:
    """Return the state of a model and, inside `fit`, of the run.

    Args:
        model: The model.
        finished: Whether the current epoch is over, callbacks included.
    """
    groups = collect_weights(model) if model.built else {}
    groups[_METRICS] = {
        f"{i}.{j}": v.numpy()
        for i, metric in enumerate(model.metrics)
        for j, v in enumerate(metric.variables)
    }
    groups[_GENERATORS] = _generators()
    data: dict[str, Any] = {
        "name": model.name,
        "build_config": model.get_build_config(),
        "stop_training": bool(model.stop_training),
        "generator": global_state(),
        **seed_state(model),
    }
    run: Run | None = model._fit_run
    if run is not None:
        batch = 0 if finished else run.batch
        passed = run.data.position(batch)
        order = model._last_order if passed else None
        data |= {
            "epoch": run.epoch + int(finished),
            "batch": batch,
            "passed": passed,
            "order": None if order is None else list(order),
            "logs": _floats(run.logs),
        }
        states, groups[_CALLBACKS] = _callback_states(run.observers)
        data["callbacks"] = states
    return Snapshot(groups, data)


def _floats(logs: Mapping[str, Any]) -> dict[str, float]:
    read = read_logs(dict(logs))
    return {k: v for k, v in read.items() if isinstance(v, float)}


def _generators() -> dict[str, Array]:
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    assert kind == "MT19937"
    version, words, normal = random.getstate()
    return {
        "numpy": np.asarray(keys, np.uint32),
        "numpy_rest": np.array([position, has_gauss, gauss], np.float64),
        "python": np.array(words, np.uint32),
        "python_rest": np.array([version, np.nan if normal is None else normal]),
    }


def _restore_generators(store: Store) -> None:
    rest, own = store["numpy_rest"], store["python_rest"]
    words = tuple(int(n) for n in store["python"])
    normal = None if np.isnan(own[1]) else float(own[1])
    random.setstate((int(own[0]), words, normal))
    state = ("MT19937", store["numpy"], int(rest[0]), int(rest[1]), float(rest[2]))
    np.random.set_state(state)


# -- callbacks -------------------------------------------------------------------


def _callback_states(observers: CallbackList) -> tuple[list[Any], dict[str, Array]]:
    """Return the states of all callbacks, with arrays apart."""
    arrays: dict[str, Array] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            key = str(len(arrays))
            arrays[key] = value
            return {"__array__": key}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        return value

    states = [
        {"class_name": type(c).__name__, "state": plain(c.get_state())}
        for c in observers.callbacks
    ]
    return states, arrays


def _restore_callbacks(
    observers: CallbackList, states: list[Any], arrays: Store
) -> None:
    def full(value: Any) -> Any:
        if isinstance(value, dict):
            if "__array__" in value:
                return arrays[value["__array__"]]
            return {k: full(v) for k, v in value.items()}
        if isinstance(value, list):
            return [full(v) for v in value]
        return value

    left = list(states)
    for callback in observers.callbacks:
        for entry in left:
            if entry["class_name"] == type(callback).__name__:
                callback.set_state(full(entry["state"]))
                left.remove(entry)
                break


# -- taking up -------------------------------------------------------------------


class Resumption:
    """What a run takes up.

    Attributes:
        epoch: The epoch to go on with.
        batch: Batches of it that were done.
        logs: Logs of the last of them.
        stopped: Whether training had been stopped.

    Args:
        groups: Path of a part to its arrays, in memory.
        data: The rest, from `snapshot`.
    """

    def __init__(
        self, groups: Mapping[str, Mapping[str, Array]], data: dict[str, Any]
    ) -> None:
        """Keep the arrays of the model and of the run apart."""
        stores = {where: Store(arrays) for where, arrays in groups.items()}
        self._metrics = stores.pop(_METRICS, Store())
        self._generators = stores.pop(_GENERATORS, Store())
        self._arrays = stores.pop(_CALLBACKS, Store())
        self._groups = stores
        self._data = data
        self.epoch = int(data.get("epoch", 0))
        self.batch = int(data.get("batch", 0))
        self.logs: dict[str, Any] = dict(data.get("logs") or {})
        self.stopped = bool(data.get("stop_training"))

    def restore_model(self, model: Any) -> None:
        """Set weights, optimizer and seeds.

        Raises:
            DataError: If the model cannot be built or is another one.
        """
        data = self._data
        if not model.built and data.get("build_config"):
            model.build_from_config(data["build_config"])
        if not model.built and self._groups:
            raise DataError(
                f"The checkpoint holds weights, but the model {model.name!r} has none "
                "yet. Call it on data before restoring."
            )
        if self._groups:
            restore_weights(model, self._groups)
        restore_seeds(model, data)
        model.stop_training = self.stopped
        set_global_state(data["generator"])
        if self._generators:
            _restore_generators(self._generators)

    def restore_run(self, model: Any, run: Run) -> None:
        """Set callbacks and the place in the data."""
        data = self._data
        if "epoch" not in data:
            return
        order = data.get("order")
        model._order_to_repeat = None if order is None else (order[0], order[1])
        run.data.resume(int(data["passed"]), self.batch)
        run.logs = self.logs
        _restore_callbacks(run.observers, data.get("callbacks") or [], self._arrays)

    def restore_metrics(self, model: Any) -> None:
        """Set the totals of the metrics, which all exist by now."""
        for i, metric in enumerate(model.metrics):
            for j, v in enumerate(metric.variables):
                if f"{i}.{j}" in self._metrics:
                    v.assign(self._metrics[f"{i}.{j}"])
