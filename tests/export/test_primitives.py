"""Every op is exported and gives what it should in onnxruntime, or is refused."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import current_backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_trial
from polykeras.conformance.cases import DOMAINS
from polykeras.errors import OperationNotSupported
from polykeras.export.nodes import REFUSED, RULES
from polykeras.ops._registry import REGISTRY

ROOT = Path(__file__).parents[2]
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


class Inside(keras.layers.Layer):
    """Calls a function of tensors."""

    _casts_inputs = False

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, tensors):
        return self.function(*tensors)


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


def listed():
    """Return the table of what is not exported in the documentation."""
    text = (ROOT / "docs" / "saving.md").read_text()
    part = text.partition("\n## ONNX\n")[2].partition("\n## ")[0]
    return "\n".join(row for row in part.splitlines() if row.startswith("|"))


def test_the_documentation_lists_the_refused_ops_and_no_others():
    named = set(re.findall(r"`(\w+)`", listed()))
    assert named == {*REFUSED, *REFUSED_BY, *SHAPELESS, "erfinv"}


def refusals():
    """Return how the messages of the rules begin."""
    for path in (ROOT / "polykeras" / "export" / "nodes").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "NotSupported" in ast.unparse(node.func):
                (text,) = node.args
                first = text.values[0] if isinstance(text, ast.JoinedStr) else text
                yield first.value


# What the documentation says of arguments that are refused: dtype, shapes, and a call.
ARGUMENTS = {
    "the inverse error function in float64": ("float64", [(3,)], ops.erfinv),
    "matrices of more than 128 rows": ("float32", [(129, 129)], ops.inv),
    "matrices with the batch as an axis": (
        "float32",
        [(3,)],
        lambda x: ops.det(ops.matmul(x, ops.transpose(x))),
    ),
    "windows with negative padding": (
        "float32",
        [(8, 2)],
        lambda x: ops.conv_general(x, ops.ones((3, 2, 2)), (1,), ((-1, 0),), (1,)),
    ),
    "blocks that start within the batch": (
        "float32",
        [(3,), (1,)],
        lambda x, n: ops.slice(x, (ops.cast(ops.sum(n), "int32"), 0), (1, 3)),
    ),
    "products along the batch": ("float32", [(3,)], lambda x: ops.cumprod(x, axis=0)),
}


def test_the_documentation_lists_the_refused_arguments_and_no_others(tmp_path):
    found = []
    for words, (dtype, shapes, call) in ARGUMENTS.items():
        assert words in listed()
        inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
        model = keras.Model(inputs, Inside(call)(inputs))
        with pytest.raises(OperationNotSupported) as caught:
            model.export(tmp_path / "m.onnx", verbose=False)
        found.append(str(caught.value))
    untold = [r for r in refusals() if not any(f.startswith(r) for f in found)]
    assert untold == []


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
