"""Constructors answer a wrong type with the argument, the value and what they take."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import polykeras as keras
from polykeras.arguments import _TYPES, CheckedArguments, _admitted
from polykeras.errors import ArgumentError

SPACES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
    "callbacks",
)


def classes() -> list[type]:
    modules = [
        keras.optimizers.schedules if "." in s else getattr(keras, s) for s in SPACES
    ]
    found = [vars(m)[name] for m in modules for name in m.__all__]
    made = {c for c in found if isinstance(c, type) and issubclass(c, CheckedArguments)}
    return sorted(made, key=lambda c: f"{c.__module__}.{c.__name__}")


def parameters(cls: type) -> list[inspect.Parameter]:
    found = inspect.signature(cls.__init__).parameters.values()
    return [
        p for p in list(found)[1:] if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_wrong_types_are_answered_by_name(cls):
    wrong = object()
    for p in parameters(cls):
        if _admitted(p.annotation):
            with pytest.raises(ArgumentError) as caught:
                cls(**{p.name: wrong})
            said = str(caught.value)
            assert said.startswith(f"{cls.__name__} needs ")
            assert said.endswith(f" as {p.name}, got {wrong!r} (object).")


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_defaults_are_of_their_types(cls):
    for p in parameters(cls):
        found = _admitted(p.annotation)
        if found and p.default is not p.empty:
            assert any(test(p.default) for test, _ in found), p


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        ("bool", [True, np.bool_(False), 0, 1], ["yes", 2, None, 1.0]),
        ("int", [3, -3, np.int64(3)], [True, 3.0, "3", [3], None]),
        ("float", [1, 0.5, np.float32(2), np.array(2.0)], [True, "1", [1.0], None]),
        ("str", ["a", np.str_("a")], [1, None, b"a", ["a"]]),
        ("str | None", ["a", None], [0, False]),
        ("Sequence[int]", [[1, 2], (1,), [], np.ones(2, int)], [3, "12", [1.5], None]),
        ("Sequence[int | None] | None", [None, [None, 1]], [1, ["a"], "a"]),
        ("int | Sequence[int]", [1, [1, 2]], [1.5, "a", {1: 2}]),
    ],
)
def test_what_annotations_admit(annotation, right, wrong):
    found = _admitted(annotation)
    for value in right:
        assert any(test(value) for test, _ in found), value
    for value in wrong:
        assert not any(test(value) for test, _ in found), value


def test_numbers_may_be_tensors(backend):
    rate = keras.ops.convert_to_tensor(0.5)
    assert float(keras.layers.BatchNormalization(momentum=rate).momentum) == 0.5


def test_positions_count():
    with pytest.raises(ArgumentError, match=r"SGD needs a number as momentum, got 'x'"):
        keras.optimizers.SGD(0.1, "x")


def test_arguments_of_bases_are_checked_too():
    with pytest.raises(
        ArgumentError, match="Dense needs a string or None as name, got 3"
    ):
        keras.layers.Dense(2, name=3)


def test_unknown_arguments_are_answered_with_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'label_smoothing'"):
        keras.losses.BinaryCrossentropy(label_smothing=0.1)
    with pytest.raises(ArgumentError, match="Did you mean 'patience'"):
        keras.callbacks.EarlyStopping(patiense=2)


def test_annotations_of_users_are_their_own():
    class Wide(keras.layers.Dense):
        def __init__(self, units: str, **kwargs):
            super().__init__(int(units) if units else 1, **kwargs)

    assert Wide("3").units == 3
    assert Wide(5).units == 5


def test_every_kind_of_annotation_is_used():
    used = {
        part
        for cls in classes()
        for p in parameters(cls)
        for part in _TYPES
        if part in str(p.annotation)
    }
    assert used == set(_TYPES)
