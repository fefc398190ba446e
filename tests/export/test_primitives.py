"""Every op is exported and gives what it should in onnxruntime, or is refused."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import polykeras as keras
from polykeras.backend import current_backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_trial
from polykeras.conformance.cases import DOMAINS
from polykeras.errors import OperationNotSupported
from polykeras.export.nodes import REFUSED, RULES
from polykeras.ops._registry import REGISTRY

# Compositions that need a primitive which cannot be exported.
REFUSED_BY = {
    "angle": "imag",
    "conj": "real",
    "conjugate": "real",
    "gcd": "while_loop",
    "isreal": "imag",
    "lcm": "while_loop",
    "lstsq": "svd",
    "matrix_rank": "svd",
    "nextafter": "view",
    "pinv": "svd",
    "polar": "view_as_complex",
    "view_as_real": "real",
}
# Ops whose results have shapes that no graph of any kind can tell.
SHAPELESS = {"bincount", "nonzero", "unique"}


class Call(keras.layers.Layer):
    """Calls an op as a sample says."""

    _casts_inputs = False

    def __init__(self, trial):
        super().__init__()
        self.trial = trial
        self.autocast = False

    def call(self, tensors):
        return self.trial.run(tensors)


def exported(trial, values, path):
    inputs = [keras.Input(batch_shape=v.shape, dtype=str(v.dtype)) for v in values]
    model = keras.Model(inputs, Call(trial)(inputs))
    model.export(path, verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    named = {i.name: v for i, v in zip(session.get_inputs(), values, strict=True)}
    return session.run(None, named)


def trials_of(domain):
    for case in importlib.import_module(f"polykeras.conformance.cases.{domain}").CASES:
        for sample in case.samples:
            trial = Trial(case, sample, case.dtypes[0])
            values = trial.values()
            # Runtimes do not agree on what NaN is next to numbers.
            strange = any(v.dtype.kind == "f" and np.isnan(v).any() for v in values)
            if values and not strange:
                yield case.op, trial, values


def test_every_primitive_has_a_rule_or_a_reason():
    primitives = {n for n, op in REGISTRY.items() if not op.op.has_default}
    assert primitives - RULES.keys() - REFUSED.keys() == set()
    assert RULES.keys() & REFUSED.keys() == set()
    assert set(REFUSED_BY.values()) <= REFUSED.keys()
    text = (Path(__file__).parents[2] / "docs" / "saving.md").read_text()
    listed = text.partition("\n## ONNX\n")[2].partition("\n## ")[0]
    missing = [n for n in [*REFUSED, *REFUSED_BY, *SHAPELESS] if f"`{n}`" not in listed]
    assert missing == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_ops_give_their_values_or_are_refused(domain, tmp_path):
    path = tmp_path / "m.onnx"
    for name, trial, values in trials_of(domain):
        reason = REFUSED.get(REFUSED_BY.get(name, name))
        if name in SHAPELESS:
            reason = "depends on the values"
        if reason is None:
            check_trial(current_backend(), trial, exported(trial, values, path))
        else:
            with pytest.raises(OperationNotSupported) as caught:
                exported(trial, values, path)
            assert reason in str(caught.value)
