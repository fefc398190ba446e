import pytest

import polykeras as keras
from polykeras import config, ops
from polykeras.errors import ArgumentError


@pytest.fixture(autouse=True)
def restored():
    kept = config.floatx(), config.epsilon(), config.image_data_format()
    yield
    config.set_floatx(kept[0])
    config.set_epsilon(kept[1])
    config.set_image_data_format(kept[2])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_floatx_is_what_floats_become(backend, dtype):
    config.set_floatx(dtype)
    assert config.floatx() == keras.backend.floatx() == dtype
    assert backend.dtype_name(ops.array(1.5)) == dtype
    assert backend.dtype_name(ops.convert_to_tensor([1.5])) == dtype
    assert backend.dtype_name(ops.ones((2,))) == dtype
    assert keras.Variable(1.5).dtype == dtype
    with keras.SymbolicScope():
        assert ops.array(1.5).dtype == dtype
        assert ops.exp(1.5).dtype == dtype
    assert keras.layers.Dense(1).compute_dtype == dtype
    assert keras.Input((2,)).dtype == dtype


def test_epsilon_and_data_format():
    config.set_epsilon(1e-3)
    assert config.epsilon() == 1e-3
    config.set_image_data_format("channels_first")
    assert config.image_data_format() == "channels_first"
    assert config.standardize_data_format(None) == "channels_first"
    assert config.standardize_data_format("CHANNELS_LAST") == "channels_last"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        (config.set_floatx, "float31", "Did you mean 'float32'"),
        (config.set_floatx, "int32", "Unknown floatx"),
        (config.set_image_data_format, "channel_last", "Did you mean 'channels_last'"),
        (config.set_epsilon, 0, "positive"),
        (config.set_epsilon, float("nan"), "positive"),
    ],
)
def test_bad_values_change_nothing(setting, value, words):
    before = config.floatx(), config.epsilon(), config.image_data_format()
    with pytest.raises(ArgumentError, match=words):
        setting(value)
    after = config.floatx(), config.epsilon(), config.image_data_format()
    assert after == before
