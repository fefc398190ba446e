import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError, PolykerasError, ShapeError


def values(x):
    return ops.convert_to_numpy(x)


class Rows(layers.Layer):
    def call(self, x):
        return ops.reshape(x, (ops.shape(x)[0], 6))


CASES = {
    "operators": (lambda x: 2 * x + 1 - x / 2, (None, 3), (None, 3)),
    "reduction": (lambda x: ops.sum(x, axis=0), (None, 3), (3,)),
    "concatenate": (lambda x: ops.concatenate([x, x], axis=0), (None, 3), (None, 3)),
    "fixed concatenate": (lambda x: ops.concatenate([x, x], 1), (None, 3), (None, 6)),
    "stack": (lambda x: ops.stack([x, x, x]), (None, 3), (3, None, 3)),
    "transpose": (ops.transpose, (None, 3, None), (None, 3, None)),
    "matmul": (lambda x: x @ ops.transpose(x), (None, 3), (None, None)),
    "reshape": (lambda x: ops.reshape(x, (-1, 2)), (None, 4), (None, 2)),
    "fixed reshape": (lambda x: ops.reshape(x, (-1, 6)), (2, 3), (1, 6)),
    "slice": (lambda x: x[:, 1:], (None, 4), (None, 3)),
    "index": (lambda x: x[:, -1], (None, 4, 5), (None, 5)),
    "new axis": (lambda x: x[:, None], (None, 4), (None, 1, 4)),
    "layer": (Rows(), (None, 2, 3), (None, 6)),
    "cast": (lambda x: ops.cast(x, "float16"), (None,), (None,)),
    "one hot": (lambda x: ops.one_hot(ops.cast(x, "int32"), 5), (None,), (None, 5)),
    "scan": (
        lambda x: ops.scan(lambda c, v: (c + v, c * v), ops.zeros(3), x)[1],
        (4, 3),
        (4, 3),
    ),
    "split": (lambda x: ops.split(x, 2, axis=1)[1], (None, 4), (None, 2)),
    "where": (lambda x: ops.where(x > 0, x, 0), (None, 2), (None, 2)),
    "unknown twice": (lambda x: ops.sum(x, axis=-1), (None, None, None), (None, None)),
    "convolution": (
        lambda x: ops.conv(x, np.ones((3, 1, 2), "float32"), strides=2, padding="same"),
        (None, None, 1),
        (None, None, 2),
    ),
    "pooling": (lambda x: ops.max_pool(x, 2), (None, 8, 1), (None, 4, 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_any_op_stands_in_a_graph(backend, name):
    fn, shape, expected = CASES[name]
    x = keras.Input(batch_shape=shape)
    y = fn(x)
    assert y.shape == expected
    size = tuple(6 if n is None else n for n in shape)
    given = np.arange(np.prod(size), dtype="float32").reshape(size) / 7 - 1
    direct = fn(ops.array(given))
    model = keras.Model(x, y)
    for run in (keras.Function(x, y), model):
        np.testing.assert_array_equal(values(run(ops.array(given))), values(direct))
    assert len(direct.shape) == len(expected)
    assert all(m in (None, n) for m, n in zip(expected, direct.shape, strict=True))


def test_a_graph_that_holds_code_has_no_config():
    fn, shape, _ = CASES["scan"]
    x = keras.Input(batch_shape=shape)
    with pytest.raises(PolykerasError, match="lambda is code"):
        keras.Model(x, fn(x)).get_config()


@pytest.mark.parametrize("name", [name for name in CASES if name != "scan"])
def test_graphs_of_ops_survive_a_config(name):
    fn, shape, _ = CASES[name]
    x = keras.Input(batch_shape=shape)
    model = keras.Model(x, fn(x))
    config = json.loads(json.dumps(model.get_config()))
    back = keras.Model.from_config(config, custom_objects={"Rows": Rows})
    size = tuple(6 if n is None else n for n in shape)
    given = np.arange(np.prod(size), dtype="float32").reshape(size)
    np.testing.assert_array_equal(values(back(given)), values(model(given)))


def test_symbolic_tensors_have_no_values():
    x = keras.Input((3,), name="x")
    for use in (bool, int, float, np.asarray, len, lambda v: range(3)[v]):
        with pytest.raises(TypeError, match="needs values"):
            use(x)
    assert "shape=(None, 3)" in repr(x)
    assert keras.utils.is_keras_tensor(x)
    assert not keras.utils.is_keras_tensor(np.ones(3))


def test_inference_leaves_variables_alone(backend):
    layer = (
        layers.BatchNormalization() if hasattr(layers, "BatchNormalization") else None
    )
    v = keras.Variable(1.0)

    def count(x):
        v.assign_add(1.0)
        return x * v

    from polykeras.symbolic import infer

    assert infer(count, (keras.Input((2,)),), {}).shape == (None, 2)
    assert float(v) == 1
    if layer is not None:
        layer(keras.Input((2,)), training=True)
        assert values(layer.moving_mean).tolist() == [0, 0]


def test_functions_cannot_hide_symbolic_tensors():
    x = keras.Input((2,))
    with pytest.raises(ArgumentError, match="from outside"):
        ops.cond(ops.sum(x) > 0, lambda: x, lambda: -x)
    assert x.node.operation.name == x.name  # still an input

    class Closed(layers.Layer):
        def call(self, y):
            return y + x

    with pytest.raises(ArgumentError, match="from outside"):
        Closed()(keras.Input((2,)))


def test_unknown_sizes_are_no_numbers():
    x = keras.Input((2, 3))
    with pytest.raises(ShapeError, match=r"got \(None, 6\).*Use -1 in reshape"):
        ops.reshape(x, (ops.shape(x)[0], 6))


def test_mismatched_shapes_name_both_layers():
    first, second = layers.Dense(5, name="first"), layers.Dense(2, name="second")
    second.build((None, 3))
    with pytest.raises(ShapeError) as caught:
        second(first(keras.Input((4,))))
    text = str(caught.value)
    assert "'second'" in text
    assert "'first' (shape (None, 5))" in text
    assert "3" in text


def test_unknown_sizes_may_meet_known_ones():
    known, unknown = keras.Input((5, 3)), keras.Input((None, 3))
    assert (known + unknown).shape == (None, 5, 3)
    product = ops.matmul(ops.transpose(unknown, (0, 2, 1)), known)
    assert product.shape == (None, 3, 3)


def test_messages_show_unknown_sizes_as_none():
    a, b = keras.Input((4,)), keras.Input((5,))
    with pytest.raises(ShapeError, match=r"\(None, 4\) and \(None, 5\)"):
        a + b


def test_results_that_depend_on_unknown_sizes():
    from polykeras.symbolic import infer

    x = keras.Input((3,))
    assert infer(lambda y: y.shape, (x,), {}) == (None, 3)
    with pytest.raises(ShapeError, match="number of results"):
        infer(lambda y: [y] * y.shape[0], (x,), {})
    with pytest.raises(ShapeError, match="number of axes"):
        infer(lambda y: y if y.shape[0] == 5040 else y[0], (x,), {})


def test_the_smaller_of_a_known_and_an_unknown_size_is_unknown():
    x = keras.KerasTensor((None, 4), "float32")
    assert ops.diagonal(x).shape == (None,)
    q, r = ops.qr(x)
    assert (q.shape, r.shape) == ((None, None), (None, 4))
    assert ops.sum(x, 0).shape == (4,)


def test_mismatched_op_names_op_and_shapes():
    a, b = keras.Input((4,)), keras.Input((5,))
    with pytest.raises(ShapeError) as caught:
        a + b
    assert "polykeras.ops.add" in str(caught.value)
    with pytest.raises(ShapeError, match="matmul"):
        a @ b


def test_outputs_that_need_other_inputs():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    with pytest.raises(ArgumentError, match="name=b>, which is not among the inputs"):
        keras.Function(a, a + b)
    with pytest.raises(ArgumentError, match="must be symbolic tensors"):
        keras.Model(a, np.ones(2))


def test_function_structures(backend):
    a, b = keras.Input((2,)), keras.Input((2,))
    f = keras.Function({"a": a, "b": b}, {"sum": a + b, "parts": (a, [b * 2])})
    out = f({"b": ops.ones((1, 2)), "a": ops.zeros((1, 2))})
    assert values(out["sum"]).tolist() == [[1, 1]]
    assert isinstance(out["parts"], tuple)
    assert values(out["parts"][0]).tolist() == [[0, 0]]
    assert values(out["parts"][1][0]).tolist() == [[2, 2]]
    with pytest.raises(ShapeError, match="takes 2 input tensors, but got 1"):
        f([ops.ones((1, 2))])


class Twice(keras.Operation):
    def call(self, x):
        return 2 * x


def test_operation_in_a_model(backend):
    x = keras.Input((2,))
    model = keras.Model(x, Twice(name="twice")(x) + 1)
    assert values(model(np.ones((1, 2), "float32"))).tolist() == [[3, 3]]
    back = keras.Model.from_config(model.get_config(), custom_objects={"Twice": Twice})
    assert values(back(np.ones((1, 2), "float32"))).tolist() == [[3, 3]]
    assert values(Twice()(ops.ones(2))).tolist() == [2, 2]
    with pytest.raises(NotImplementedError, match="does not define call"):
        keras.Operation()(1)


def test_symbolic_scope_computes_no_values(backend):
    v = keras.Variable(1.0)
    with keras.SymbolicScope():
        y = ops.ones((2, 3)) @ ops.ones((3, 4))
        v.assign(5.0)
        assert (y.shape, y.dtype) == ((2, 4), "float32")
        with pytest.raises(TypeError, match="only its shape"):
            bool(y[0, 0] > 1)
    assert float(v) == 1
