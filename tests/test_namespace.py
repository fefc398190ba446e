"""Names that scripts written for Keras find at the top and in small namespaces."""

import pytest

import polykeras as keras

NAMES = {
    "": "DTypePolicy FloatDTypePolicy Function Initializer Input InputSpec KerasTensor "
    "Layer Loss Metric Model Operation Optimizer Regularizer Sequential StatelessScope "
    "SymbolicScope Variable device name_scope version __version__",
    "config": "backend dtype_policy enable_unsafe_deserialization epsilon floatx "
    "image_data_format set_backend set_dtype_policy set_epsilon set_floatx "
    "set_image_data_format",
    "tree": "MAP_TO_NONE assert_same_paths assert_same_structure flatten "
    "flatten_with_path is_nested lists_to_tuples map_shape_structure map_structure "
    "map_structure_up_to pack_sequence_as traverse",
    "backend": "backend clear_session epsilon floatx get_uid image_data_format "
    "is_float_dtype is_int_dtype is_keras_tensor result_type set_epsilon set_floatx "
    "set_image_data_format standardize_dtype",
    "mixed_precision": "DTypePolicy LossScaleOptimizer Policy dtype_policy "
    "global_policy set_dtype_policy set_global_policy",
    "dtype_policies": "DTypePolicy FloatDTypePolicy deserialize get serialize",
    "utils": "clear_session set_random_seed",
}


@pytest.mark.parametrize("namespace", NAMES)
def test_names_exist(namespace):
    module = getattr(keras, namespace) if namespace else keras
    missing = [n for n in NAMES[namespace].split() if not hasattr(module, n)]
    assert not missing
    if namespace:
        public = [n for n in NAMES[namespace].split() if not n.startswith("_")]
        assert set(public) <= set(module.__all__)


def test_every_listed_name_can_be_imported():
    # Submodules that carry heavy or optional imports load one by one elsewhere.
    for name in keras._NAMES:
        assert getattr(keras, name) is not None


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'Modle'"):
        _ = keras.Modle
    with pytest.raises(AttributeError, match="no attribute 'flaotx'"):
        _ = keras.config.flaotx
    with pytest.raises(AttributeError, match="no attribute 'epsilno'"):
        _ = keras.backend.epsilno


def test_version_and_backend():
    assert keras.version() == keras.__version__
    with keras.use_backend("numpy"):
        assert keras.backend.backend() == keras.config.backend() == "numpy"


def test_uids_and_names_start_anew():
    keras.utils.clear_session()
    assert [keras.backend.get_uid("x") for _ in range(2)] == [1, 2]
    assert keras.Variable(1.0).name == "variable"
    assert keras.Variable(1.0).name == "variable_1"
    keras.backend.clear_session()
    assert keras.backend.get_uid("x") == 1
    assert keras.Variable(1.0).name == "variable"


def test_result_type_takes_python_types_as_weak():
    assert keras.backend.result_type("bfloat16", float) == "bfloat16"
    assert keras.backend.result_type(int, "uint8") == "uint8"
    assert keras.backend.result_type() == "float32"
    assert keras.backend.result_type(None, "int64") == "float32"


def test_device_scope(backend):
    with keras.device("CPU:0"):
        x = keras.ops.ones((2,))
    assert x.shape == (2,)
    with (
        pytest.raises(ValueError, match=f"'{backend.name}' has no device 'tpu:7'"),
        keras.device("tpu:7"),
    ):
        pass


def test_files_cannot_be_allowed_to_run_code():
    with pytest.raises(keras.errors.PolykerasError, match="never runs code"):
        keras.config.enable_unsafe_deserialization()
