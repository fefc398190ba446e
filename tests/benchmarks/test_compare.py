import subprocess
import sys

import pytest

import polykeras as keras
from benchmarks import _deep_models
from benchmarks._measure import child_seconds
from benchmarks.bench_compare import MODELS


@pytest.mark.parametrize("name", MODELS)
def test_data_fit_the_compared_models(name):
    with keras.use_backend("numpy"):
        model = getattr(_deep_models, name)()
    assert len(model.layers) == 50
    x, y = _deep_models.data(model)
    assert model.compute_output_shape(x.shape)[0] == len(y) == _deep_models.BATCH


def test_the_plain_run_is_timed_as_a_process_of_its_own():
    script = [sys.executable, _deep_models.__file__, "dense"]
    assert child_seconds(script, POLYKERAS_BACKEND="numpy") > 0
    with pytest.raises(subprocess.CalledProcessError):
        child_seconds(script, POLYKERAS_BACKEND="missing")
