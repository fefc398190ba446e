"""With Keras at hand: the recorded answers are its own, and all backends give them.

    POLYKERAS_KERAS_PYTHON=PEER/bin/python pytest tests/peer/test_recording.py

PEER is the environment that `record.py` describes. It takes about ten minutes.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.peer import _answers
from tests.peer._bounds import excess
from tests.peer.tables import GROUPS, table
from tests.peer.test_answers import NAMES, check_all

PYTHON = os.environ.get("POLYKERAS_KERAS_PYTHON")
pytestmark = pytest.mark.skipif(
    PYTHON is None, reason="POLYKERAS_KERAS_PYTHON names no Python with Keras 3.15.1"
)


def test_keras_answers_as_recorded(tmp_path):
    script = Path(__file__).with_name("record.py")
    subprocess.run([PYTHON, str(script), "--to", str(tmp_path)], check=True)
    other = {}
    for group in GROUPS:
        recorded = _answers.read(_answers.path_of(group))
        fresh = _answers.read(tmp_path / f"{group}.npz")
        assert list(fresh) == list(recorded)
        for case in table(group):
            for key, (dtype, value) in recorded[str(case)].items():
                found_dtype, found = fresh[str(case)][key]
                if isinstance(value, str):
                    same = found == value
                else:
                    # Another processor may round otherwise, in 32 bits here and there.
                    same = excess(case, key, found, value, "float32") <= 1
                if found_dtype != dtype or not same:
                    other[f"{case} {key}"] = found
    assert not other, np.array2string(np.array(list(other)))


# One test a name, since compiled programs are dropped between tests.
@pytest.mark.parametrize(("group", "name"), NAMES if PYTHON else NAMES[:1])
def test_every_backend_gives_all_answers(backend, group, name):
    check_all(group, name, "float32")
