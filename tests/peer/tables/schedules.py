"""Schedules of the learning rate, at single steps."""

from __future__ import annotations

from typing import Any

from tests.peer._case import Case, Prepared

__all__ = ["CASES"]

STEPS = (0, 1, 2, 3, 4, 5, 7, 9, 10, 12, 19, 20, 40)
WITHOUT_RATE = ("PiecewiseConstantDecay", "LearningRateSchedule")


def _prepared(keras: Any, case: Case) -> Prepared:
    schedules = keras.optimizers.schedules

    class Halving(schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.125 * 0.5 ** keras.ops.cast(step, keras.config.floatx())

    def call() -> Any:
        name = case.name.rpartition(".")[2]
        own = name == "LearningRateSchedule"
        made = Halving() if own else getattr(schedules, name)(**case.kwargs)
        steps = [keras.ops.convert_to_tensor(s, "int32") for s in STEPS]
        return [made(step) for step in steps]

    return Prepared(call)


def schedule(name: str, **config: Any) -> Case:
    if name not in WITHOUT_RATE:
        config = {"initial_learning_rate": 0.125, **config}
    return Case(f"optimizers.schedules.{name}", (), config, _prepared, gradient=False)


CASES = [
    schedule("ExponentialDecay", decay_steps=4, decay_rate=0.75),
    schedule("ExponentialDecay", decay_steps=4, decay_rate=0.5, staircase=True),
    schedule("InverseTimeDecay", decay_steps=4, decay_rate=0.75),
    schedule("InverseTimeDecay", decay_steps=4, decay_rate=0.5, staircase=True),
    schedule("PiecewiseConstantDecay", boundaries=[3, 10], values=[1.0, 0.5, 0.125]),
    schedule("PolynomialDecay", decay_steps=10, end_learning_rate=2.0**-9),
    schedule("PolynomialDecay", decay_steps=10, end_learning_rate=2.0**-6, power=0.5),
    schedule(
        "PolynomialDecay", decay_steps=6, end_learning_rate=0.0, power=2.0, cycle=True
    ),
    schedule("CosineDecay", decay_steps=10),
    schedule("CosineDecay", decay_steps=10, alpha=0.25),
    schedule("CosineDecay", decay_steps=10, warmup_target=0.5, warmup_steps=4),
    schedule("CosineDecayRestarts", first_decay_steps=5),
    schedule(
        "CosineDecayRestarts", first_decay_steps=4, t_mul=1.0, m_mul=0.75, alpha=0.125
    ),
    schedule("CosineDecayRestarts", first_decay_steps=3, t_mul=1.5, m_mul=0.875),
    schedule("LearningRateSchedule"),
]
