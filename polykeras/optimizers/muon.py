"""Muon."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Muon"]


@public
class Muon(Optimizer):
    """Momentum descent with orthogonal steps for matrices, and Adam for the rest.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        adam_beta_1: Adam's decay of the first moment.
        adam_beta_2: Adam's decay of the second moment.
        adam_weight_decay: Weight decay of the variables that Adam updates.
        epsilon: Added to the root of Adam's second moment.
        weight_decay: Weight decay of the matrices.
        clipnorm: As for `Optimizer`, like the arguments that follow.
        clipvalue: As for `Optimizer`.
        global_clipnorm: As for `Optimizer`.
        use_ema: As for `Optimizer`.
        ema_momentum: As for `Optimizer`.
        ema_overwrite_frequency: As for `Optimizer`.
        loss_scale_factor: As for `Optimizer`.
        gradient_accumulation_steps: As for `Optimizer`.
        name: The optimizer's name.
        exclude_layers: Patterns; variables whose path matches one go to Adam.
        exclude_embeddings: Whether variables of embeddings go to Adam.
        muon_a: First coefficient of the Newton-Schulz iteration.
        muon_b: Second coefficient.
        muon_c: Third coefficient.
        adam_lr_ratio: Adam's learning rate, relative to that of the matrices.
        momentum: The share of the last momentum that is kept.
        ns_steps: Number of Newton-Schulz iterations.
        nesterov: Whether to look ahead by one more momentum.
        rms_rate: The root mean square of a step; None scales by the aspect ratio.
        kwargs: As for `Optimizer`.

    Reference: Jordan et al., 2024, "Muon: an optimizer for hidden layers in neural
    networks"; Liu et al., 2025, "Muon is scalable for LLM training", equation 4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _uses_adam(self, variable: Variable) -> bool:
        if not 1 < len(variable.shape) < 4:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: momentum for all, second moments for Adam's variables."""
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")
        self._velocities: dict[int, Variable] = {}
        for i, variable in enumerate(variables):
            if self._uses_adam(variable) and not variable.overwrite_with_gradient:
                self._velocities[i] = self.add_variable_from_reference(
                    variable, "velocity"
                )

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        adam = [v for v in variables if self._index[id(v)] in self._velocities]
        others = [v for v in variables if self._index[id(v)] not in self._velocities]
        self._decay_by(others, rate, self.weight_decay)
        self._decay_by(adam, rate, self.adam_weight_decay)

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        if self._get_variable_index(variable) in self._velocities:
            self._adam_step(gradient, variable, learning_rate)
        else:
            self._muon_step(gradient, variable, learning_rate)

    def _muon_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        slot = self._momentums[self._get_variable_index(variable)]
        m = ops.add(ops.multiply(slot.value, self.momentum), gradient)
        slot.assign(m)
        direction = (
            ops.add(gradient, ops.multiply(m, self.momentum)) if self.nesterov else m
        )
        rows, columns = variable.shape[-2:]
        if self.rms_rate is None:
            scale = math.sqrt(max(1, rows / columns))
        else:
            scale = self.rms_rate * math.sqrt(max(variable.shape))
        rate = ops.multiply(self._rate(learning_rate, variable), scale)
        step = ops.multiply(rate, self._orthogonal(direction))
        variable.assign(ops.subtract(variable.value, step))

    def _orthogonal(self, x: Tensor) -> Tensor:
        """Return the nearest matrix with singular values near 1."""
        tall = x.shape[-2] > x.shape[-1]
        if tall:
            x = ops.swapaxes(x, -2, -1)
        length = ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True))
        x = ops.divide(x, ops.add(length, 1e-7))
        for _ in range(self.ns_steps):
            gram = ops.matmul(x, ops.swapaxes(x, -2, -1))
            quintic = ops.add(
                ops.multiply(gram, self.muon_b),
                ops.multiply(ops.matmul(gram, gram), self.muon_c),
            )
            x = ops.add(ops.multiply(x, self.muon_a), ops.matmul(quintic, x))
        return ops.swapaxes(x, -2, -1) if tall else x

    def _adam_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        i = self._get_variable_index(variable)
        m, v = self._momentums[i], self._velocities[i]
        m_next = self._toward(m.value, gradient, self.adam_beta_1)
        v_next = self._toward(v.value, ops.square(gradient), self.adam_beta_2)
        bias = ops.divide(
            ops.sqrt(self._bias_correction(self.adam_beta_2, variable)),
            self._bias_correction(self.adam_beta_1, variable),
        )
        rate = ops.multiply(self._rate(learning_rate, variable), self.adam_lr_ratio)
        step = ops.divide(
            ops.multiply(ops.multiply(rate, bias), m_next),
            ops.add(ops.sqrt(v_next), self.epsilon),
        )
        m.assign(m_next)
        v.assign(v_next)
        variable.assign(ops.subtract(variable.value, step))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        names = (
            "adam_beta_1",
            "adam_beta_2",
            "epsilon",
            "exclude_layers",
            "muon_a",
            "muon_b",
            "muon_c",
            "adam_lr_ratio",
            "momentum",
            "ns_steps",
            "nesterov",
            "exclude_embeddings",
            "adam_weight_decay",
            "rms_rate",
        )
        return {**super().get_config(), **{n: getattr(self, n) for n in names}}
