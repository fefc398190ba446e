import numpy as np
import pytest

from benchmarks._dispatch_cases import OPS, front_end_calls, raw_calls
from polykeras.backend import get_backend, use_backend
from tests.conftest import BACKENDS


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", BACKENDS)
def test_front_end_and_library_do_the_same(name, op):
    call, args = raw_calls(name)[op]
    engine = get_backend(name)
    with use_backend(name):
        ours = engine.to_numpy(front_end_calls()[op](*args))
    np.testing.assert_allclose(ours, engine.to_numpy(call(*args)), rtol=1e-6)
