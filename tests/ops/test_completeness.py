"""Nothing is missing: every op of Keras, every rule and every kernel.

``data/surface.json`` holds the names and signatures of Keras 3.15's ops, and the
primitives of which polykeras was planned to consist, each with what it says of its
derivative.
"""

import importlib
import inspect
import json
from pathlib import Path
from typing import Final

import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend
from polykeras.ops._registry import REGISTRY

SURFACE: Final = json.loads(
    (Path(__file__).parent / "data" / "surface.json").read_text(encoding="utf-8")
)
NAMES: Final = [
    (space, name)
    for space in ("keras.ops", "keras.ops.image")
    for name in SURFACE[space]
]
# Arguments that Keras takes and we refuse; docs/differences.md gives the reasons.
LEFT_OUT: Final = {
    "einsum": "**kwargs",
    "layer_normalization": "**kwargs",
    "multi_hot": "**kwargs",
}
# Planned primitives that are plain functions here: they look at tensors or make them.
FUNCTIONS: Final = {
    "convert_to_numpy": ops.convert_to_numpy,
    "convert_to_tensor": ops.convert_to_tensor,
    "custom_gradient": keras.custom_gradient,
    "dtype": ops.dtype,
    "is_tensor": ops.is_tensor,
    "shape": ops.shape,
}
# Planned primitives that users reach through a composition, under the kernel's name.
INTERNAL: Final = {
    "average_pool": "pool_mean",
    "conv": "conv_general",
    "conv_transpose": "conv_general_transpose",
    "get_item": "basic_index",
    "max_pool": "pool_max",
    "pad": "pad_constant",
}
# Tensors on which a result depends in steps only, so their gradient is zero.
STEPS: Final = {("pool_max_pick", "inputs"), ("pool_max_spread", "inputs")}
PRIMITIVES: Final = sorted(n for n, f in REGISTRY.items() if f.op.is_primitive)


def declared(name):
    return REGISTRY[INTERNAL.get(name, name)].op


@pytest.mark.parametrize("space, name", NAMES, ids=[n for _, n in NAMES])
def test_signatures_are_those_of_keras(space, name) -> None:
    home = ops.image if space == "keras.ops.image" else ops
    expected = [tuple(p) for p in SURFACE[space][name] if p[0] != LEFT_OUT.get(name)]
    marks = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    found = [
        (marks.get(p.kind, "") + p.name,)
        + (() if p.default is p.empty else (json.loads(json.dumps(p.default)),))
        for p in inspect.signature(getattr(home, name)).parameters.values()
    ]
    assert found == [tuple(json.loads(json.dumps(p))) for p in expected]


@pytest.mark.parametrize("space", ["linalg", "nn", "numpy"])
def test_namespaces_hold_the_names_of_keras(space) -> None:
    module = importlib.import_module(f"polykeras.ops.{space}")
    assert set(SURFACE[f"keras.ops.{space}"]) <= set(dir(module))


@pytest.mark.parametrize("name", SURFACE["primitives"])
def test_planned_primitives_exist(name) -> None:
    if name in FUNCTIONS:
        assert callable(FUNCTIONS[name])
        assert name not in REGISTRY
        return
    op = declared(name)
    assert op.is_primitive
    if SURFACE["primitives"][name] == "yes":
        assert op.differentiable


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitives_have_their_rules(name) -> None:
    op = REGISTRY[name].op
    assert op.abstract_rule is not None
    # Eager defaults are differentiated through the ops that they call.
    if not op.differentiable or (op.has_default and not op.vjp_rules):
        return
    exact = {i for kind in ("boolean", "integer") for i in op.positions.get(kind, ())}
    tensors = {*op.single, *op.positions.get("sequence", ())} - exact
    missing = {op.names[i] for i in tensors - set(op.vjp_rules)}
    assert missing == {n for primitive, n in STEPS if primitive == name}
    assert op.vjp_rules


def test_every_backend_has_every_primitive(backend: Backend) -> None:
    missing = [
        name
        for name in PRIMITIVES
        if name not in backend.kernels and not REGISTRY[name].op.has_default
    ]
    assert not missing


def test_kernels_belong_to_ops(backend: Backend) -> None:
    assert set(backend.own_kernels()) <= set(REGISTRY)


def test_kernels_take_the_arguments_of_their_op(backend: Backend) -> None:
    unfit = {}
    for name, kernel in backend.own_kernels().items():
        op = REGISTRY[name].op
        try:
            signature = inspect.signature(kernel)
        except ValueError:  # written in C: the tests of its values call it in full
            continue
        try:
            signature.bind(*[None] * len(op.names))
        except TypeError as error:
            unfit[name] = str(error)
    assert not unfit
