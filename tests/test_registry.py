import json
import sys

import numpy as np
import pytest

import polykeras as keras
from polykeras import saving
from polykeras.errors import ArgumentError, PolykerasError, UnsafeFileError
from polykeras.registry import resolve
from polykeras.registry._names import _BY_NAME, _NAME_OF


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Forget what a test registers."""
    monkeypatch.setattr("polykeras.registry._names._BY_NAME", dict(_BY_NAME))
    monkeypatch.setattr("polykeras.registry._names._NAME_OF", dict(_NAME_OF))
    monkeypatch.setattr("polykeras.registry._names._globals", {})


class Scale(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def named_function(x):
    return x


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        [1, [2]],
        (1, (2, 3)),
        {"a": [1], "b": {"c": None}},
        slice(1, None, 2),
        Ellipsis,
    ],
    ids=str,
)
def test_plain_values_return(value):
    data = saving.serialize_keras_object(value)
    assert saving.deserialize_keras_object(data) == value


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "bfloat16"])
def test_arrays_return(dtype):
    array = np.array([[1, 0], [0, 1]]).astype(keras.dtypes.as_numpy_dtype(dtype))
    data = json.loads(json.dumps(saving.serialize_keras_object(array)))
    back = saving.deserialize_keras_object(data)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_arrays_of_words_return():
    data = saving.serialize_keras_object(np.array(["a", "bcd"]))
    assert saving.deserialize_keras_object(data).tolist() == ["a", "bcd"]


def test_structures_survive_json():
    value = {"layers": [keras.layers.Dense(3, activation="relu", name="d")]}
    data = json.loads(json.dumps(saving.serialize_keras_object(value)))
    back = saving.deserialize_keras_object(data)["layers"][0]
    assert isinstance(back, keras.layers.Dense)
    assert back.get_config() == value["layers"][0].get_config()


def test_registered_class_returns_under_its_name():
    saving.register_keras_serializable("mine", name="Times")(Scale)
    assert saving.get_registered_name(Scale) == "mine>Times"
    assert saving.get_registered_object("mine>Times") is Scale
    data = json.loads(json.dumps(saving.serialize_keras_object(Scale(3.0))))
    assert data["registered_name"] == "mine>Times"
    back = saving.deserialize_keras_object(data)
    assert type(back) is Scale
    assert back.factor == 3


def test_function_returns_under_its_name():
    saving.register_keras_serializable("mine")(named_function)
    data = json.loads(json.dumps(saving.serialize_keras_object(named_function)))
    assert saving.deserialize_keras_object(data) is named_function


def test_lambdas_are_refused():
    with pytest.raises(PolykerasError, match="A lambda is code"):
        saving.serialize_keras_object({"f": lambda x: x})
    for thing in (object(), np.array([object()])):
        with pytest.raises(PolykerasError, match="no get_config"):
            saving.serialize_keras_object(thing)


def test_class_without_a_config_cannot_be_registered():
    with pytest.raises(ArgumentError, match=r"'Plain'.*get_config"):
        saving.register_keras_serializable()(type("Plain", (), {}))


HOSTILE = [
    {"class_name": "system", "module": "os", "config": {"command": "true"}},
    {"class_name": "os.system", "config": {}},
    {"class_name": "function", "module": "builtins", "config": "eval"},
    {"class_name": "function", "config": "exec", "registered_name": "builtins>exec"},
    {"class_name": "Thing", "module": "evil_module", "config": {}},
    {"class_name": "__typespec__", "config": {}},
    {"class_name": "Dense", "registered_name": "x>y", "module": "evil_module"},
    {"class_name": "Dense", "config": "units"},
    {"class_name": "Dense", "config": ["units"]},
    {"class_name": 3, "config": {}},
    {"class_name": ["Dense"], "config": {}},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}},
    {"class_name": "__numpy__", "config": None},
    {"class_name": "__slice__", "config": {}},
    {"class_name": "__slice__", "config": {"value": [1, 2, 3, 4]}},
    {"class_name": "__slice__", "config": [1, 2]},
    {"class_name": "__tuple__", "items": 3},
    {"class_name": "function", "config": "Dense"},
    {"class_name": "function", "config": {"code": 1}},
]


@pytest.mark.parametrize("data", HOSTILE, ids=str)
def test_data_imports_and_runs_nothing(data, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    with pytest.raises(ArgumentError):
        saving.deserialize_keras_object(data)
    assert "evil_module" not in set(sys.modules) - before


def test_code_in_data_is_refused():
    data = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    with pytest.raises(UnsafeFileError, match="never run"):
        saving.deserialize_keras_object(data)


def test_unknown_name_names_the_nearest_and_the_cure():
    with pytest.raises(ArgumentError) as caught:
        saving.deserialize_keras_object({"class_name": "Densse", "config": {}})
    assert "Unknown object 'Densse'. Did you mean 'Dense'" in str(caught.value)
    assert "@register_keras_serializable" in str(caught.value)


def test_custom_objects_by_argument_block_and_table():
    data = saving.serialize_keras_object(Scale(4.0))
    with pytest.raises(ArgumentError, match="Unknown object 'Scale'"):
        saving.deserialize_keras_object(data)
    names = {"Scale": Scale}
    assert saving.deserialize_keras_object(data, custom_objects=names).factor == 4
    with saving.custom_object_scope(names):
        assert saving.deserialize_keras_object(data).factor == 4
        with saving.CustomObjectScope({"Other": Scale}):
            assert saving.get_registered_object("Scale") is Scale
            assert saving.get_registered_object("Other") is Scale
    assert saving.get_registered_object("Scale") is None
    saving.get_custom_objects()["Scale"] = Scale
    assert saving.deserialize_keras_object(data).factor == 4


def test_scope_ends_with_an_exception():
    with pytest.raises(KeyError), saving.custom_object_scope({"Scale": Scale}):
        raise KeyError
    assert saving.get_registered_object("Scale") is None


def test_resolve_takes_names_configs_classes_and_instances():
    table = {"L2": keras.regularizers.L2, "l2": keras.regularizers.L2}
    one = keras.regularizers.L2(0.5)
    assert resolve(None, "regularizer", table) is None
    assert resolve(one, "regularizer", table) is one
    assert isinstance(resolve("l2", "regularizer", table), keras.regularizers.L2)
    assert isinstance(resolve(keras.regularizers.L2, "r", table), keras.regularizers.L2)
    data = saving.serialize_keras_object(one)
    assert resolve(data, "regularizer", table).get_config() == one.get_config()
    with pytest.raises(
        ArgumentError, match=r"Unknown regularizer 'l3'.*Allowed: 'L2', 'l2'"
    ):
        resolve("l3", "regularizer", table)
    with pytest.raises(
        ArgumentError, match=r"Expected a regularizer: .* got 3 of type"
    ):
        resolve(3, "regularizer", table)
