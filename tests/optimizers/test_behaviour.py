from __future__ import annotations

import copy

import numpy as np
import pytest

from polykeras import ops, optimizers
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, PolykerasError, ShapeError
from polykeras.optimizers import SGD, Adam, LossScaleOptimizer, Optimizer, RMSprop
from polykeras.state import donating, functional
from polykeras.variables import Variable

ALL = [
    name
    for name in optimizers.__all__
    if isinstance(getattr(optimizers, name), type)
    and name not in ("Optimizer", "LossScaleOptimizer")
]


def _variables():
    return [
        Variable(np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3), name="k"),
        Variable(np.ones(3, "float32"), name="b"),
    ]


def _grads():
    return [ops.ones((2, 3)), ops.full((3,), -0.5)]


def _values(variables):
    return [v.numpy() for v in variables]


@pytest.mark.parametrize("name", ALL)
def test_compiled_step_equals_eager_step(backend, name):
    optimizer, variables = getattr(optimizers, name)(0.1), _variables()
    optimizer.build(variables)
    state = [v.value for v in (*optimizer.variables, *variables)]
    pure = functional(
        lambda g: optimizer.apply(g, variables), [*optimizer.variables, *variables]
    )
    _, new = backend.compile(pure)(state, _grads())
    assert int(optimizer.iterations) == 0, "a pure step assigns nothing"
    optimizer.apply(_grads(), variables)
    for got, v in zip(new, (*optimizer.variables, *variables), strict=True):
        # A compiler may fuse and reorder a dozen operations on numbers near 1.
        np.testing.assert_allclose(ops.convert_to_numpy(got), v.numpy(), atol=4e-6)


@pytest.mark.parametrize("make", [SGD, lambda r: SGD(r, 0.9), RMSprop, Adam])
def test_in_place_only_where_donated(backend, make):
    results = []
    for donated in (False, True):
        optimizer, variables = make(0.1), _variables()
        optimizer.apply(_grads(), variables)
        before = [v.value for v in variables]
        kept = [ops.convert_to_numpy(x).copy() for x in before]
        if donated:
            with donating():
                optimizer.apply(_grads(), variables)
        else:
            optimizer.apply(_grads(), variables)
            for x, value in zip(before, kept, strict=True):
                np.testing.assert_array_equal(ops.convert_to_numpy(x), value)
        results.append(_values(variables))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_are_never_written(backend):
    grads = _grads()
    with donating():
        Adam(0.1).apply(grads, _variables())
    np.testing.assert_array_equal(ops.convert_to_numpy(grads[0]), np.ones((2, 3)))


def test_reuse_for_other_variables(backend):
    optimizer = Adam()
    optimizer.apply(_grads(), _variables())
    with pytest.raises(ArgumentError, match="from_config"):
        optimizer.apply(_grads(), _variables())


def test_own_update_step(backend):
    class Halved(Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, learning_rate * gradient / 2)

    class HalvedDescent(SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient / 2, variable, learning_rate)

    for cls in (Halved, HalvedDescent):
        v = Variable([1.0, 2.0])
        cls(0.5).apply([ops.ones((2,))], [v])
        assert v.numpy().tolist() == [0.75, 1.75]


def test_learning_rate(backend):
    optimizer = SGD(0.1)
    assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.1)
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25
    rates = iter([1.0, 0.5])
    by_function, v = SGD(lambda: next(rates)), Variable(0.0)
    by_function.apply([ops.ones(())], [v])
    by_function.apply([ops.ones(())], [v])
    assert float(v) == -1.5
    v = Variable(0.0)
    by_step = SGD(lambda step: ops.cast(step, "float32"))
    for _ in range(3):
        by_step.apply([ops.ones(())], [v])
    assert float(v) == -3.0


def test_old_spelling_of_the_learning_rate():
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        optimizer = RMSprop(lr=0.5)
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(ArgumentError, match="momentun"):
        SGD(momentun=0.9)


def test_save_and_load(backend):
    optimizer, variables = Adam(0.1), _variables()
    optimizer.apply(_grads(), variables)
    store = {}
    optimizer.save_own_variables(store)
    again, copies = Adam(0.3), [Variable(v.numpy()) for v in variables]
    with pytest.raises(PolykerasError, match="not built"):
        again.load_own_variables(store)
    again.build(copies)
    again.load_own_variables(store)
    optimizer.apply(_grads(), variables)
    again.apply(_grads(), copies)
    for a, b in zip(variables, copies, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_stateless_apply(backend):
    optimizer, variables = Adam(0.1), _variables()
    optimizer.build(variables)
    start = _values(variables)
    new, own = optimizer.stateless_apply(
        [v.value for v in optimizer.variables], _grads(), [v.value for v in variables]
    )
    for v, before in zip(variables, start, strict=True):
        np.testing.assert_array_equal(v.numpy(), before)
    optimizer.apply(_grads(), variables)
    for v, value in zip(variables, new, strict=True):
        np.testing.assert_array_equal(v.numpy(), ops.convert_to_numpy(value))
    assert len(own) == len(optimizer.variables)


def test_compiled_accumulation(backend):
    optimizer, variables = SGD(1.0, gradient_accumulation_steps=2), [Variable(0.0)]
    optimizer.build(variables)
    everything = [*optimizer.variables, *variables]
    pure = functional(lambda g: optimizer.apply([g], variables), everything)
    step = backend.compile(pure)
    state, seen = [v.value for v in everything], []
    for g in (1.0, 3.0, 5.0):
        _, state = step(state, ops.convert_to_tensor(g))
        seen.append(float(state[-1]))
    assert seen == [0.0, -2.0, -2.0]


def test_missing_gradients(backend):
    optimizer, variables = SGD(0.1), _variables()
    with pytest.warns(UserWarning, match="No gradient came"):
        optimizer.apply([None, ops.ones((3,))], variables)
    with pytest.raises(ArgumentError, match="No variable has a gradient"):
        optimizer.apply([None, None], variables)
    with pytest.raises(ShapeError, match="has shape"):
        optimizer.apply([ops.ones((3, 2)), ops.ones((3,))], variables)


def test_averages_end_in_the_variables(backend):
    optimizer, v = SGD(1.0, use_ema=True, ema_momentum=0.5), Variable(0.0)
    for _ in range(2):
        optimizer.apply([ops.ones(())], [v])
    optimizer.finalize_variable_values([v])
    assert float(v) == -1.5


def test_excluded_from_decay(backend):
    optimizer, variables = SGD(1.0, weight_decay=0.5), _variables()
    optimizer.exclude_from_weight_decay(var_names=["b"])
    optimizer.apply([ops.zeros((2, 3)), ops.zeros((3,))], variables)
    assert variables[1].numpy().tolist() == [1.0, 1.0, 1.0]
    assert variables[0].numpy()[0, 0] == -0.5
    with pytest.raises(ArgumentError, match="before"):
        optimizer.exclude_from_weight_decay(var_names=["k"])


def test_constraints_hold(backend):
    v = Variable([1.0, -1.0])
    v.constraint = lambda x: ops.maximum(x, 0.0)
    SGD(0.5).apply([ops.ones((2,))], [v])
    assert v.numpy().tolist() == [0.5, 0.0]


def test_loss_scale_adapts(backend):
    v = Variable(1.0)
    optimizer = LossScaleOptimizer(SGD(1.0), 8.0, dynamic_growth_steps=2)
    assert float(optimizer.scale_loss(ops.ones(()))) == 8.0
    optimizer.apply([ops.convert_to_tensor(float("inf"))], [v])
    assert float(v) == 1.0
    assert float(optimizer.dynamic_scale) == 4.0
    for _ in range(2):
        optimizer.apply([ops.convert_to_tensor(4.0)], [v])
    assert float(v) == -1.0
    assert float(optimizer.dynamic_scale) == 8.0
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert isinstance(again.inner_optimizer, SGD)


def test_variables_of_another_backend(backend):
    with use_backend("numpy"):
        optimizer = Adam(0.1)
    variables = _variables()
    optimizer.apply(_grads(), variables)
    assert all(v.backend is backend for v in optimizer.variables)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
def test_other_dtypes(backend, name, dtype):
    v = Variable([1.0, 2.0], dtype=dtype)
    optimizer = getattr(optimizers, name)(0.125)
    optimizer.apply([ops.cast([1.0, 1.0], dtype)], [v])
    assert ops.dtype(v.value) == dtype
    assert float(v.numpy()[0]) < 1.0


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAMW", "rmsprop", "sgd"])
def test_strings(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


@pytest.mark.parametrize("bad", ["adamm", None, 3, "mse"])
def test_what_is_no_optimizer(bad):
    with pytest.raises(ArgumentError):
        optimizers.get(bad)


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"clipnorm": -1.0},
        {"gradient_accumulation_steps": 1},
        {"use_ema": True, "ema_momentum": 2.0},
        {"use_ema": True, "ema_overwrite_frequency": 0},
        {"momentum": 2.0},
        {"learning_rate": "fast"},
    ],
)
def test_bad_arguments(options):
    with pytest.raises(ArgumentError):
        SGD(**options)


def test_copies_go_on_where_the_original_stood(backend):
    optimizer, variables = Adam(0.1, weight_decay=0.1), _variables()
    optimizer.exclude_from_weight_decay([variables[1]])
    optimizer.apply(_grads(), variables)
    again, copies = copy.deepcopy((optimizer, variables))
    optimizer.apply(_grads(), variables)
    again.apply(_grads(), copies)
    for a, b in zip(variables, copies, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
