"""Optimizers: ten steps from the same variables along the same gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Made, Prepared, pattern

__all__ = ["CASES"]

STEPS = 10
SHAPES = ((2, 3), (3,))


def _prepared(keras: Any, case: Case) -> Prepared:
    """Give the variables after the first, the second and the last step."""

    def call() -> Any:
        _, config = case.arguments(keras, [])
        path, _, name = case.name.rpartition(".")
        home = keras
        for part in path.split("."):
            home = getattr(home, part)
        if name == "Optimizer":
            optimizer = _own(keras, config)
        else:
            optimizer = getattr(home, name)(**config)
        dtype = keras.config.floatx()
        variables = [
            keras.Variable(pattern(s, i).astype(dtype), dtype=dtype, name="kb"[i])
            for i, s in enumerate(SHAPES)
        ]
        if case.label == " without the second":
            optimizer.exclude_from_weight_decay(var_list=variables[1:])
        found = []
        for step in range(STEPS):
            gradients = _gradients(keras, variables, step)
            tensors = [keras.ops.convert_to_tensor(g.astype(dtype)) for g in gradients]
            optimizer.apply(tensors, variables)
            if step in (0, 1, STEPS - 1):
                found.append([_value(keras, v) for v in variables])
        if getattr(optimizer, "use_ema", False):
            optimizer.finalize_variable_values(variables)
            found.append([_value(keras, v) for v in variables])
        return [*found, int(_value(keras, optimizer.iterations))]

    return Prepared(call)


def _value(keras: Any, variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable))


def _gradients(keras: Any, variables: list[Any], step: int) -> list[np.ndarray]:
    """Return slopes of two valleys, which move; the second is zero at times."""
    kernel, bias = (_value(keras, v).astype("float64") for v in variables)
    return [
        2 * (kernel - pattern(SHAPES[0], 2.0)) * (1 + 0.1 * step),
        np.where(np.arange(3) == step % 3, 0.0, bias**3 + 0.1 * step),
    ]


def _own(keras: Any, config: dict[str, Any]) -> Any:
    class Signs(keras.optimizers.Optimizer):
        def build(self, variables: Any) -> None:
            super().build(variables)
            self.momenta = self.add_optimizer_variables(variables, "momentum")

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            momentum = self.momenta[self._get_variable_index(variable)]
            self.assign(momentum, 0.5 * momentum + keras.ops.sign(gradient))
            rate = keras.ops.cast(learning_rate, variable.dtype)
            self.assign_sub(variable, rate * momentum)

    return Signs(**config)


SCHEDULE = Made(
    "optimizers.schedules.PiecewiseConstantDecay",
    {"boundaries": [3, 7], "values": [0.125, 0.0625, 0.03125]},
)
AVERAGE = {"use_ema": True, "ema_momentum": 0.75}
# What every optimizer does with gradients, variables and rates.
COMMON: tuple[dict[str, Any], ...] = (
    {"clipnorm": 0.25},
    {"clipvalue": 0.125},
    {"global_clipnorm": 0.375},
    {"weight_decay": 2.0**-6},
    AVERAGE,
    {"use_ema": True, "ema_momentum": 0.625, "ema_overwrite_frequency": 4},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 3},
    {"learning_rate": SCHEDULE},
)
# Keras rounds constants to 32 bits, also in 64. These are not changed by that.
BETAS = {"beta_1": 0.875, "beta_2": 1 - 2.0**-6}
TINY = {"epsilon": 2.0**-20}
EXACT: dict[str, dict[str, Any]] = {
    "SGD": {},
    "RMSprop": {"rho": 0.875, **TINY},
    "Adam": {**BETAS, **TINY},
    "AdamW": {**BETAS, **TINY, "weight_decay": 2.0**-7},
    "Nadam": {**BETAS, **TINY},
    "Adamax": {**BETAS, **TINY},
    "Adagrad": {"initial_accumulator_value": 0.125, **TINY},
    "Adadelta": {"rho": 0.875, "epsilon": 2.0**-10},
    "Adafactor": {"beta_2_decay": -0.75, "epsilon_1": 2.0**-99, "epsilon_2": 2.0**-10},
    "Ftrl": {"initial_accumulator_value": 0.125},
    "Lion": BETAS,
    "Lamb": {**BETAS, **TINY},
    "Optimizer": {},
}
OWN: dict[str, tuple[dict[str, Any], ...]] = {
    "SGD": (
        {},
        {"momentum": 0.875},
        {"momentum": 0.75, "nesterov": True},
        {"momentum": 0.875, "weight_decay": 0.125, "clipnorm": 1.0},
    ),
    "RMSprop": (
        {},
        {"momentum": 0.5},
        {"centered": True},
        {"centered": True, "momentum": 0.5, "rho": 0.75, "epsilon": 2.0**-10},
    ),
    "Adam": (
        {},
        {"beta_1": 0.75, "beta_2": 0.875, "epsilon": 0.125},
        {"amsgrad": True, "beta_2": 0.5},
        {"learning_rate": SCHEDULE, "gradient_accumulation_steps": 2},
        {"weight_decay": 0.0625, "global_clipnorm": 1.0, **AVERAGE},
    ),
    "AdamW": ({}, {"weight_decay": 0.25}, {"amsgrad": True, "beta_2": 0.5}),
    "Nadam": ({}, {"beta_1": 0.75, "beta_2": 0.875, "epsilon": 0.125}),
    "Adamax": ({}, {"beta_1": 0.75, "beta_2": 0.875, "epsilon": 0.125}),
    "Adagrad": ({}, {"initial_accumulator_value": 0.5, "epsilon": 2.0**-6}),
    "Adadelta": ({"learning_rate": 1.0}, {"rho": 0.75}),
    "Adafactor": (
        {},
        {"relative_step": False},
        {"clip_threshold": 0.5, "beta_2_decay": -0.5},
    ),
    "Ftrl": (
        {},
        {"learning_rate_power": -0.75, "beta": 0.25},
        {"l1_regularization_strength": 0.125, "l2_regularization_strength": 0.25},
        {"l2_shrinkage_regularization_strength": 0.25},
        {"initial_accumulator_value": 1.0, "l1_regularization_strength": 0.5},
    ),
    "Lion": ({}, {"beta_1": 0.75, "beta_2": 0.875}, {"weight_decay": 0.125}),
    "Lamb": ({}, {"beta_1": 0.75, "beta_2": 0.875}, {"weight_decay": 0.125}),
    "Optimizer": ({}, {"weight_decay": 0.125}),
}


def trained(name: str, label: str = "", /, **config: Any) -> Case:
    """An optimizer with constants that 32 bits hold."""
    return _case(name, label, {**EXACT[name], **config})


def usual(name: str, **config: Any) -> Case:
    """An optimizer with the constants that everybody uses, which 32 bits do not."""
    return _case(name, " as usual", config)


def _case(name: str, label: str, config: dict[str, Any], **about: Any) -> Case:
    if name != "LossScaleOptimizer":
        config = {"learning_rate": 0.0625, **config}
    # A step rounds some ten times, and the valleys are steep enough to double errors
    # now and then.
    return Case(
        f"optimizers.{name}",
        (),
        config,
        _prepared,
        gradient=False,
        label=label,
        roundings=20 * STEPS,
        **about,
    )


CASES = [
    *(trained(name, **config) for name, configs in OWN.items() for config in configs),
    *(trained(name, **more) for name in ("SGD", "Adam", "Ftrl") for more in COMMON),
    *(
        trained(name, **COMMON[i % len(COMMON)])
        for i, name in enumerate(sorted(OWN.keys() - {"SGD", "Adam", "Ftrl", "AdamW"}))
    ),
    *(
        trained(name, " without the second", weight_decay=0.125)
        for name in ("SGD", "AdamW")
    ),
    *(usual(name) for name, constants in EXACT.items() if constants),
    usual("SGD", momentum=0.9, nesterov=True),
    usual("RMSprop", momentum=0.9, centered=True),
    usual("Adam", amsgrad=True),
    usual("Muon"),
    usual("Muon", nesterov=False, momentum=0.8),
    # Keras on JAX leaks tracers from it.
    _case(
        "LossScaleOptimizer",
        "",
        {
            "inner_optimizer": Made("optimizers.SGD", {"learning_rate": 0.0625}),
            "initial_scale": 4.0,
            "dynamic_growth_steps": 3,
        },
        engine="tensorflow",
    ),
    _case(
        "LossScaleOptimizer",
        " of a momentum",
        {
            "inner_optimizer": Made(
                "optimizers.SGD", {"learning_rate": 0.0625, "momentum": 0.5}
            ),
            "initial_scale": 1024.0,
            "dynamic_growth_steps": 2,
        },
        engine="tensorflow",
    ),
]
