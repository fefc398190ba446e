"""How a model is to be trained: what `compile` was given."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from polykeras.backend import Backend, current_backend
from polykeras.errors import ArgumentError
from polykeras.random import make_default_seed
from polykeras.training._compile_loss import CompileLoss
from polykeras.training._compile_metrics import CompileMetrics
from polykeras.training._step import Step

__all__ = ["Compiling"]


class Compiling:
    """The part of `Trainer` that remembers how to train."""

    name: str
    _flatten_layers: Callable[[], list[Any]]

    def __init__(self) -> None:
        """Start uncompiled."""
        self.compiled = False
        self.optimizer: Any = None
        self.stop_training = False
        self.steps_per_execution = 1
        self._compile_loss: CompileLoss | None = None
        self._compile_metrics: CompileMetrics | None = None
        self._loss_tracker: Any = None
        self._run_eagerly = False
        self._jit_compile: bool | str = "auto"
        self._steps: dict[str, Step] = {}
        self._draws: tuple[int, int] | None = None
        self._inference_draws = 0
        self._last_order: tuple[int, int] | None = None
        self._order_to_repeat: tuple[int, int] | None = None
        self._compile_config: dict[str, Any] = {}
        self._scales_loss = False
        self._trained_as: dict[Any, bool] = {}

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is trained.

        From here on the order of samples and what layers draw follow from a seed
        that is taken now, so models trained in turns do not disturb each other. What is
        trainable now is trained until the next `compile`.

        Args:
            optimizer: A name or `Optimizer`.
            loss: A name, function, `Loss`, or a list or dict of them, one an output.
            loss_weights: A factor for each output's loss.
            metrics: Names, functions or `Metric` objects, in lists or dicts.
            weighted_metrics: The same, computed with the sample weights.
            run_eagerly: Whether steps run as plain Python, to be debugged.
            steps_per_execution: Number of batches in one compiled call.
            jit_compile: ``"auto"``, or whether to compile.
            auto_scale_loss: Whether a 16-bit float policy gets a loss scale.

        Raises:
            ArgumentError: If a name is unknown; the model stays as it was.
        """
        from polykeras import optimizers
        from polykeras.metrics import Mean

        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ArgumentError(
                "steps_per_execution must be a positive integer, got "
                f"{steps_per_execution!r}."
            )
        chosen = optimizers.get(optimizer)
        compile_loss = None if loss is None else CompileLoss(loss, loss_weights)
        compile_metrics = None
        if metrics is not None or weighted_metrics is not None:
            compile_metrics = CompileMetrics(metrics, weighted_metrics)
        policy = getattr(self, "dtype_policy", None)
        half = policy is not None and policy.name == "mixed_float16"
        self._scales_loss = auto_scale_loss and half and chosen is not None
        if self._scales_loss:
            chosen = optimizers.LossScaleOptimizer(chosen, name="loss_scale_optimizer")
        self.optimizer = chosen
        self._compile_loss = compile_loss
        self._compile_metrics = compile_metrics
        self._loss_tracker = Mean(name="loss")
        self._run_eagerly = run_eagerly
        self._jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        if not auto_scale_loss:
            self._compile_config["auto_scale_loss"] = False
        self._steps = {}
        self._draws = (make_default_seed(), 0)
        self._inference_draws = 0
        self.stop_training = False
        self._trained_as = {x: x.trainable for x in self._flatten_layers()}
        self.compiled = True

    @contextmanager
    def _trainable_as_compiled(self) -> Iterator[None]:
        """Give layers the `trainable` that they had when the model was compiled.

        A layer may stand in several models, each of which trains it or not.
        """
        known = self._trained_as
        changed = [layer for layer, flag in known.items() if layer.trainable != flag]
        if not changed:
            yield
            return
        names = ", ".join(repr(layer.name) for layer in changed[:3])
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        warnings.warn(
            f"{self.name!r} is trained as it was compiled, since when `trainable` of "
            f"{names}{more} changed. Call compile() again if that is to count.",
            stacklevel=4,
        )
        for layer in changed:
            layer._trainable = known[layer]
        try:
            yield
        finally:
            for layer in changed:
                # Unless somebody gave it another value meanwhile.
                if layer._trainable == known[layer]:
                    layer._trainable = not known[layer]

    @property
    def loss(self) -> Any:
        """The loss as given to `compile`."""
        return self._compile_config.get("loss")

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = value
        self._steps = {}

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled."""
        if self._jit_compile == "auto":
            return bool(self._device().capabilities.compile)
        return bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: bool | str) -> None:
        self._jit_compile = value
        self._steps = {}

    def _device(self) -> Backend:
        own: Backend | None = getattr(self, "backend", None)
        return own or current_backend()

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile` as data, or None."""
        from polykeras.registry import serialize_keras_object

        if not self.compiled:
            return None
        optimizer = self.optimizer
        if self._scales_loss:
            # `compile` will wrap it again.
            optimizer = optimizer.inner_optimizer
        data: dict[str, Any] = serialize_keras_object(
            {**self._compile_config, "optimizer": optimizer}
        )
        return data

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile the model as data from `get_compile_config` says."""
        from polykeras.registry import deserialize_keras_object

        self.compile(**deserialize_keras_object(config))
