"""Where a run of `fit` stands, and how another one takes it up from there."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras.callbacks.logs import read_logs
from polykeras.errors import DataError, PolykerasError
from polykeras.random import global_state, set_global_state
from polykeras.storage.checkpoint_files import CALLBACKS, GENERATORS, METRICS
from polykeras.storage.seeds import restore_seeds, seed_state
from polykeras.storage.stores import Store
from polykeras.storage.weights import collect_weights, restore_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polykeras.backend import Array
    from polykeras.callbacks import Callback, CallbackList
    from polykeras.training.data import DataAdapter

__all__ = ["Resumption", "Run", "Snapshot", "is_number", "snapshot"]

# More epochs or batches than any run has.
_MOST = 2**48
# Hooks during which a checkpoint tells which callbacks they have not reached yet.
_HOOKS = ("on_epoch_begin", "on_train_batch_end", "on_epoch_end")


@dataclass
class Run:
    """A run of `fit` under way.

    Attributes:
        data: Makes the batches.
        observers: The callbacks.
        epoch: Number of the current epoch.
        batch: Batches of it that are done.
        over: Whether all of it is done, but for what callbacks do at its end.
        logs: Logs of the epoch, or of its last batch so far.
    """

    data: DataAdapter
    observers: CallbackList
    epoch: int = 0
    batch: int = 0
    over: bool = False
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


def snapshot(model: Any) -> Snapshot:
    """Return the state of a model and, inside `fit`, of the run."""
    groups = collect_weights(model) if model.built else {}
    groups[METRICS] = {
        f"{i}.{j}": v.numpy()
        for i, metric in enumerate(model.metrics)
        for j, v in enumerate(metric.variables)
    }
    groups[GENERATORS] = _generators()
    data: dict[str, Any] = {
        "name": model.name,
        "build_config": model.get_build_config(),
        "stop_training": bool(model.stop_training),
        "generator": global_state(),
        **seed_state(model),
    }
    run: Run | None = model._fit_run
    if run is not None:
        batch = 0 if run.over else run.batch
        passed = run.data.position(batch)
        order = model._last_order if passed else None
        data |= {
            "epoch": run.epoch + int(run.over),
            "batch": batch,
            "passed": passed,
            "order": None if order is None else list(order),
            "hook": run.observers.hook if run.observers.hook in _HOOKS else "",
        }
        arrays: dict[str, Array] = {}
        data["logs"] = _packed(_numeric(run.logs), arrays)
        data["callbacks"] = [
            {
                "class_name": type(c).__name__,
                "state": _packed(c.get_state(), arrays),
                "waiting": any(c is other for other in run.observers.waiting),
            }
            for c in run.observers.callbacks
        ]
        groups[CALLBACKS] = arrays
    return Snapshot(groups, data)


def _numeric(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers and arrays in logs; a callback may add anything to them."""
    found = {k: v for k, v in logs.items() if is_number(v) or hasattr(v, "shape")}
    return read_logs(found)


def is_number(value: Any) -> bool:
    """Return whether a value in logs is a number or a tensor of one."""
    return isinstance(value, int | float) or getattr(value, "shape", None) == ()


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


def _read_generators(store: Store) -> tuple[Any, Any]:
    """Return the states of Python's and NumPy's generators, tried on others."""
    rest, own = store["numpy_rest"], store["python_rest"]
    words = tuple(int(n) for n in store["python"])
    normal = None if np.isnan(own[1]) else float(own[1])
    python = (int(own[0]), words, normal)
    random.Random().setstate(python)
    numpy = ("MT19937", store["numpy"], int(rest[0]), int(rest[1]), float(rest[2]))
    np.random.RandomState().set_state(numpy)
    return python, numpy


# -- callbacks -------------------------------------------------------------------


def _packed(value: Any, arrays: dict[str, Array]) -> Any:
    """Return plain data; arrays go to a dict of their own."""
    if isinstance(value, np.ndarray):
        key = str(len(arrays))
        arrays[key] = value
        return {"__array__": key}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {k: _packed(v, arrays) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(v, arrays) for v in value]
    return value


def _unpacked(value: Any, arrays: Store) -> Any:
    """Return what `_packed` made plain, with the arrays in it."""
    if isinstance(value, dict):
        if "__array__" in value:
            return arrays[value["__array__"]]
        return {k: _unpacked(v, arrays) for k, v in value.items()}
    if isinstance(value, list):
        return [_unpacked(v, arrays) for v in value]
    return value


def _restore_callbacks(
    observers: CallbackList, states: list[Any], arrays: Store
) -> list[Callback]:
    """Set the states of callbacks; return those that the hook had yet to reach."""
    left = list(states)
    waiting: list[Callback] = []
    for callback in observers.callbacks:
        name = type(callback).__name__
        for entry in left:
            if entry["class_name"] == name:
                with _reading(f"state of the callback {name}"):
                    callback.set_state(_unpacked(entry["state"], arrays))
                left.remove(entry)
                if entry["waiting"]:
                    waiting.append(callback)
                break
    return waiting


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Say what is malformed where it cannot be read."""
    try:
        yield
    except PolykerasError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(
            f"The {what} in the checkpoint is malformed: {error!r}"
        ) from error


def _count(data: Mapping[str, Any], name: str) -> int:
    found = data.get(name) or 0
    if not isinstance(found, int) or not 0 <= found <= _MOST:
        raise ValueError(f"{name} is {found!r}")
    return found


def _read_logs(data: Mapping[str, Any], arrays: Store) -> dict[str, Any]:
    logs = _unpacked(data.get("logs") or {}, arrays)
    for name, value in logs.items():
        if not isinstance(value, int | float | np.ndarray):
            raise ValueError(f"logs hold {name} = {value!r}")
    return dict(logs)


# -- taking up -------------------------------------------------------------------


class Resumption:
    """What a run takes up.

    Attributes:
        epoch: The epoch to go on with.
        batch: Batches of it that were done.
        logs: Logs of the last of them, or of the epoch before.
        stopped: Whether training had been stopped.

    Args:
        groups: Path of a part to its arrays, in memory.
        data: The rest, from `snapshot`.

    Raises:
        DataError: If they are malformed.
    """

    def __init__(
        self, groups: Mapping[str, Mapping[str, Array]], data: dict[str, Any]
    ) -> None:
        """Keep the arrays of the model and of the run apart."""
        stores = {where: Store(arrays) for where, arrays in groups.items()}
        self._metrics = stores.pop(METRICS, Store())
        self._generators = stores.pop(GENERATORS, Store())
        self._arrays = stores.pop(CALLBACKS, Store())
        self._groups = stores
        self._data = data
        with _reading("state of the run"):
            self.epoch, self.batch = _count(data, "epoch"), _count(data, "batch")
            self._passed = _count(data, "passed")
            self.logs: dict[str, Any] = _read_logs(data, self._arrays)
            self._hook = str(data.get("hook", ""))
            self._waiting: list[Callback] = []
            self.stopped = bool(data.get("stop_training"))
            seed, counter = (int(n) for n in data["generator"])
            self._generator = (seed, counter)
            order = data.get("order")
            self._order = None if order is None else (int(order[0]), int(order[1]))
            np.array([counter, *(self._order or ())], np.uint64)
            self._callbacks = [
                {
                    "class_name": str(c["class_name"]),
                    "state": c["state"],
                    "waiting": bool(c["waiting"]),
                }
                for c in data.get("callbacks") or ()
            ]
            generators = self._generators
            self._others = _read_generators(generators) if generators else None

    def restore_model(self, model: Any) -> None:
        """Set weights, optimizer and seeds.

        Raises:
            DataError: If the model cannot be built or is another one.
        """
        data = self._data
        if not model.built and data.get("build_config"):
            with _reading("shape of the model"):
                model.build_from_config(data["build_config"])
        if not model.built and self._groups:
            raise DataError(
                f"The checkpoint holds weights, but the model {model.name!r} has none "
                "yet. Call it on data before restoring."
            )
        before = seed_state(model)
        restore_seeds(model, data)
        try:
            if self._groups:
                restore_weights(model, self._groups)
        except BaseException:
            restore_seeds(model, before)
            raise
        model.stop_training = self.stopped
        set_global_state(self._generator)
        if self._others is not None:
            python, numpy = self._others
            random.setstate(python)
            np.random.set_state(numpy)

    def restore_run(self, model: Any, run: Run) -> None:
        """Set callbacks and the place in the data."""
        if "epoch" not in self._data:
            return
        model._order_to_repeat = self._order
        run.data.resume(self._passed, self.batch)
        run.logs = self.logs
        self._waiting = _restore_callbacks(run.observers, self._callbacks, self._arrays)

    @property
    def within_epoch(self) -> bool:
        """Whether it goes on with an epoch that has begun."""
        return self.batch > 0 or self._hook == "on_epoch_begin"

    def go_within_epoch(self, model: Any, run: Run) -> None:
        """Take an epoch up that has begun."""
        self._undo_begin(model, run)
        run.batch = self.batch
        for callback in self._waiting:
            if self._hook == "on_epoch_begin":
                callback.on_epoch_begin(self.epoch)
            elif self._hook == "on_train_batch_end":
                callback.on_train_batch_end(self.batch - 1, dict(self.logs))

    def end_epoch(self, model: Any, run: Run) -> None:
        """Let the callbacks end the epoch before that had not done so."""
        if self._hook != "on_epoch_end" or not self._waiting:
            return
        epoch = self.epoch - 1
        waiting = sorted(self._waiting, key=lambda c: c._place)
        for callback in waiting:
            callback.on_epoch_begin(epoch)
        self._undo_begin(model, run)
        for callback in waiting:
            callback.on_epoch_end(epoch, self.logs)
        self.stopped = model.stop_training

    def _undo_begin(self, model: Any, run: Run) -> None:
        # What callbacks changed when the epoch began had been changed before.
        self.restore_model(model)
        self.restore_run(model, run)

    def restore_metrics(self, model: Any) -> None:
        """Set the totals of the metrics, which all exist by now."""
        for i, metric in enumerate(model.metrics):
            for j, v in enumerate(metric.variables):
                if f"{i}.{j}" in self._metrics:
                    v.assign(self._metrics[f"{i}.{j}"])
