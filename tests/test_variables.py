import copy

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import get_backend, use_backend
from polykeras.errors import ArgumentError, ShapeError
from polykeras.state import StateScope
from polykeras.variables import (
    Variable,
    arguments_of,
    autocast_scope,
    moving_variables_to,
)
from tests.conftest import BACKENDS


def test_first_value_and_facts(backend):
    v = Variable([[1, 2, 3]], dtype="float16", name="v", trainable=False)
    assert v.shape == (1, 3)
    assert v.dtype == "float16"
    assert v.ndim == 2
    assert len(v) == 1
    assert v.backend is backend
    assert not v.trainable
    assert backend.is_tensor(v.value)
    assert v.numpy().tolist() == [[1, 2, 3]]


def test_function_as_initializer(backend):
    v = Variable(lambda shape, dtype: ops.full(shape, 7, dtype=dtype), (2,), "int64")
    assert v.dtype == "int64"
    assert v.numpy().tolist() == [7, 7]
    named = Variable(keras.initializers.Ones(), shape=3)
    assert named.shape == (3,)
    assert named.dtype == "float32"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"initializer": lambda s, dtype: 0}, ArgumentError, "needs a shape"),
        (
            {"initializer": keras.initializers.Ones(), "shape": (None, 2)},
            ShapeError,
            "every size must be known",
        ),
        ({"initializer": [1.0], "shape": (2,)}, ShapeError, r"shape=\(2,\) was asked"),
        ({"initializer": 1.0, "aggregation": "avg"}, ArgumentError, "only_first"),
        ({"initializer": 1.0, "layout": "x"}, ArgumentError, "layout"),
        ({"initializer": 1.0, "dtype": "float23"}, TypeError, "Did you mean"),
        ({"initializer": 1.0, "colour": 1}, TypeError, "colour"),
    ],
)
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        Variable(**arguments)


def test_value_is_a_copy(backend):
    given = np.ones(3, "float32")
    v = Variable(given)
    given[:] = 5
    assert v.numpy().tolist() == [1, 1, 1]
    v.numpy()[:] = 7
    assert v.numpy().tolist() == [1, 1, 1]
    tensor = ops.ones((3,))
    assert Variable(tensor).value is not tensor
    assert Variable(v).value is not v.value


def test_assign_keeps_dtype_and_identity(backend):
    v = Variable([1.0, 2.0])
    assert v.assign([3, 4]) is v
    assert v.dtype == "float32"
    assert v.numpy().tolist() == [3, 4]
    assert v.assign_add(1).numpy().tolist() == [4, 5]
    assert v.assign_sub([1.0, 2.0]).numpy().tolist() == [3, 3]
    assert v.assign(Variable([8.0, 9.0])).numpy().tolist() == [8, 9]


def test_assign_of_a_wrong_shape_changes_nothing(backend):
    v = Variable([1.0, 2.0], name="v")
    for wrong in (1.0, [1.0], [[1.0, 2.0]], [1.0, 2.0, 3.0]):
        with pytest.raises(ShapeError, match=r"'v' has shape \(2,\)"):
            v.assign(wrong)
    with pytest.raises(ShapeError):
        v.assign_add([[1.0], [2.0]])
    assert v.numpy().tolist() == [1, 2]


@pytest.mark.parametrize("own", BACKENDS)
@pytest.mark.parametrize("current", BACKENDS)
def test_writes_happen_on_the_variables_backend(own, current):
    with use_backend(own):
        v = Variable([1.0, 2.0])
    with use_backend(current):
        v.assign([3, 4])
        v.assign_add(1)
        v.assign(ops.add(v, ops.ones((2,))))
    assert get_backend(own).is_tensor(v.raw())
    assert v.numpy().tolist() == [5, 6]


OPERATORS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a // b,
    lambda a, b: a % b,
    lambda a, b: a**b,
    lambda a, b: a @ b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a > b,
    lambda a, b: a >= b,
    lambda a, b: a == b,
    lambda a, b: a != b,
]


@pytest.mark.parametrize("operate", OPERATORS)
def test_operators_equal_those_of_numpy(backend, operate):
    # Values whose results are exact in float32.
    a, b = np.array([1.0, 2, 4], "float32"), np.array([2.0, 2, 0.5], "float32")
    expected = operate(a, b)
    for result in (
        operate(Variable(a), Variable(b)),
        operate(Variable(a), b),
        operate(a, Variable(b)),
        operate(Variable(a), ops.array(b)),
    ):
        found = ops.convert_to_numpy(result)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_unary_operators_and_indexing(backend):
    v = Variable([-1.5, 2.0])
    assert ops.convert_to_numpy(-v).tolist() == [1.5, -2]
    assert ops.convert_to_numpy(+v).tolist() == [-1.5, 2]
    assert ops.convert_to_numpy(abs(v)).tolist() == [1.5, 2]
    assert ops.convert_to_numpy(~Variable([True, False])).tolist() == [False, True]
    assert float(v[1]) == 2
    assert [float(x) for x in v] == [-1.5, 2]
    assert ops.convert_to_numpy(Variable([[1, 2]]).T).tolist() == [[1], [2]]
    integers = Variable([6, 3])
    assert ops.convert_to_numpy(integers & 2).tolist() == [2, 2]
    assert ops.convert_to_numpy(integers | 1).tolist() == [7, 3]
    assert ops.convert_to_numpy(integers ^ 1).tolist() == [7, 2]


def test_conversion_to_python_and_numpy(backend):
    v = Variable(2.5, name="v")
    assert float(v) == 2.5
    assert int(v) == 2
    assert bool(v)
    assert f"{v:.2f}" == "2.50"
    assert range(5)[Variable(3)] == 3
    assert np.asarray(v).dtype == np.float32
    assert np.asarray(v, "float64").dtype == np.float64
    assert repr(v) == f"{v}" == "<Variable path=v, shape=(), dtype=float32, value=2.5>"


def test_names_and_paths(backend):
    with keras.name_scope("outer"), keras.name_scope("inner"):
        v = Variable(1.0, name="v")
    assert (v.name, v.path) == ("v", "outer/inner/v")
    assert Variable(1.0).name != Variable(1.0).name


def test_autocast_reads_floats_only(backend):
    weight, count = Variable(1.0), Variable(1)
    exempt = Variable(1.0, autocast=False)
    with autocast_scope("float16"):
        assert weight.dtype == "float16"
        assert backend.dtype_name(weight.value) == "float16"
        assert backend.dtype_name(count.value) == "int32"
        assert backend.dtype_name(exempt.value) == "float32"
        weight.assign_add(1e-4)  # lost if it went through float16
        with autocast_scope(None):
            assert weight.dtype == "float32"
    assert float(weight) == float(np.float32(1) + np.float32(1e-4))


def test_bad_regularizer_or_constraint(backend):
    v = Variable(1.0)
    with pytest.raises(ArgumentError, match="A regularizer is a function"):
        v.regularizer = 3
    with pytest.raises(ArgumentError, match="A constraint is a function"):
        v.constraint = "max"


@pytest.mark.parametrize("source", BACKENDS)
@pytest.mark.parametrize("target", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bfloat16", "bool"])
def test_deep_copy_moves_between_backends(source, target, dtype):
    with use_backend(source):
        v = Variable([1, 0, 3], dtype=dtype, name="v", trainable=False)
    with moving_variables_to(get_backend(target)):
        other = copy.deepcopy(v)
    assert other.backend.name == target
    assert (other.name, other.dtype, other.trainable) == ("v", dtype, False)
    np.testing.assert_array_equal(other.numpy(), v.numpy())
    with use_backend(source):
        v.assign(ops.zeros_like(v))
    assert other.numpy()[0] == 1


# -- pure functions of state -----------------------------------------------------


def test_functional_assigns_nothing(backend):
    v, w = Variable(1.0), Variable(10.0)

    def step(x):
        v.assign_add(x)
        w.assign(v * w)
        return v + w

    pure = keras.state.functional(step, [v, w])
    result, new = pure([ops.array(2.0), ops.array(3.0)], 1.0)
    assert float(result) == 12
    assert [float(n) for n in new] == [3, 9]
    assert (float(v), float(w)) == (1, 10)


def test_functional_survives_exceptions(backend):
    v = Variable(1.0)

    def step():
        v.assign(5.0)
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        keras.state.functional(step, [v])([ops.array(2.0)])
    assert float(v) == 1
    assert keras.state.current_scope() is None


def test_functional_refuses_writes_it_would_lose(backend):
    known, unknown = Variable(1.0), Variable(1.0, name="unknown")
    pure = keras.state.functional(lambda: unknown.assign(2.0), [known])
    with pytest.raises(keras.errors.PolykerasError, match="'unknown' is assigned"):
        pure([ops.array(1.0)])
    assert float(unknown) == 1


def test_scopes_nest(backend):
    v, w = Variable(1.0), Variable(1.0)
    with StateScope([v], [ops.array(2.0)])() as outer:
        with StateScope([w], [ops.array(3.0)])():
            assert (float(v.value), float(w.value)) == (2, 3)
            v.assign(9.0)  # stays in the inner scope
        assert float(v.value) == 2
        assert float(outer.read(v)) == 2
    assert float(v) == 1


def test_stateless_scope(backend):
    v = Variable(1.0)
    with keras.StatelessScope([(v, ops.array(2.0))]) as scope:
        v.assign(v + 1)
        scope.add_update((v, v.value * 10))
    assert float(scope.get_current_value(v)) == 30
    assert scope.get_current_value(Variable(1.0)) is None
    assert float(v) == 1


def test_threads_do_not_see_each_others_values(backend):
    import threading
    from concurrent.futures import ThreadPoolExecutor

    v = Variable(0.0)
    barrier = threading.Barrier(2, timeout=20)

    def run(number):
        def step():
            barrier.wait()
            v.assign_add(1)
            barrier.wait()
            return v.value

        with use_backend(backend):
            result, (new,) = keras.state.functional(step, [v])([ops.array(number)])
        return float(result), float(new)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, (10.0, 20.0)))
    assert found == [(11, 11), (21, 21)]
    assert float(v) == 0


def test_operators_of_tensors_take_variables(backend):
    x, v = ops.array([1.0, 2.0]), Variable([3.0, 5.0])
    assert ops.convert_to_numpy(x * v).tolist() == [3.0, 10.0]
    assert ops.convert_to_numpy(x - v).tolist() == [-2.0, -3.0]


def test_variables_answer_to_the_protocol_of_the_library(backend, monkeypatch):
    v = Variable([3.0, 5.0])
    assert not hasattr(v, "__own_array__")
    monkeypatch.setattr(backend, "array_protocol", "__own_array__")
    assert v.__own_array__() is v.value
    assert not hasattr(v, "__other_array__")


@pytest.mark.parametrize(
    "look",
    [
        lambda v: v.value,
        lambda v: v.raw(),
        lambda v: v.numpy(),
        lambda v: copy.deepcopy(v).value,
        lambda v: v.assign_add([0.0, 0.0]).value,
        lambda v: keras.ops.add(v, 0.0),
    ],
    ids=["value", "raw", "numpy", "copy", "assign_add", "operand"],
)
def test_an_array_in_place_of_the_value_is_a_tensor_to_all(backend, look):
    v = keras.Variable([1.0, 2.0])
    v.replace(np.array([3.0, 4.0], np.float32))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(look(v)), [3.0, 4.0])
    assert backend.is_tensor(v.value)
    assert "[3. 4.]" in repr(v)


def test_a_compiled_function_takes_the_argument(backend):
    v = keras.Variable([1.0, 2.0])
    double = backend.compile(lambda x: keras.ops.multiply(x, 2.0))
    v.replace(np.array([3.0, 4.0], np.float32))
    for _ in range(2):
        result = keras.ops.convert_to_numpy(double(arguments_of([v])[0]))
        np.testing.assert_array_equal(result, [6.0, 8.0])
        assert v.value is arguments_of([v])[0]
