"""Workloads for GPUs, at sizes for a CPU: the same code with smaller descriptions."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import polykeras as keras
from benchmarks.bench_race import loss_tolerance
from benchmarks.race.contenders import CONTENDERS
from benchmarks.race.models import Perceptron
from benchmarks.race.residual import bottlenecks
from benchmarks.race.workloads import DTYPES, WORKLOADS

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

_RESNET, _TRANSFORMER = (WORKLOADS[w].model for w in ("resnet50", "transformer_base"))
_MODELS = {
    "mlp_large": Perceptron((20, 64, 64, 64, 10)),
    "resnet50": replace(
        _RESNET, side=32, stem=8, plan=bottlenecks((1, 1), 8), classes=10
    ),
    "transformer_base": replace(
        _TRANSFORMER, layers=2, width=32, heads=4, length=16, vocabulary=50
    ),
}
SMALL = {
    name: replace(WORKLOADS[name], model=model, batch=8, steps=2, epochs=1)
    for name, model in _MODELS.items()
}
CONTENDING = ("torch", "polykeras-torch", "jax-jit", "polykeras-jax", "polykeras-numpy")


@pytest.fixture(autouse=True, scope="module")
def programs_made_quickly():
    name = "jax_disable_most_optimizations"
    before = jax.config.read(name)
    jax.config.update(name, True)
    yield
    jax.config.update(name, before)
    # Other tests are about optimized ones.
    jax.clear_caches()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SMALL)
def test_contenders_compute_the_same_losses(name, dtype):
    workload = replace(SMALL[name], dtype=dtype)
    first, *others = (CONTENDERS[c](workload).losses(3) for c in CONTENDING)
    assert first[2] < first[0]
    for contender, losses in zip(CONTENDING[1:], others, strict=True):
        np.testing.assert_allclose(
            losses, first, loss_tolerance(workload), err_msg=contender
        )


@pytest.mark.parametrize("name", SMALL)
def test_a_tolerance_is_less_than_steps_change(name):
    # Otherwise a contender that does not learn would pass.
    losses = CONTENDERS["torch"](SMALL[name]).losses(3)
    exact, narrow = (loss_tolerance(replace(SMALL[name], dtype=d)) for d in DTYPES)
    assert exact < narrow < 1 - losses[2] / losses[0]


@pytest.mark.parametrize("name", SMALL)
def test_the_compiler_takes_module_and_loss_as_one_graph(name, monkeypatch):
    # Without making machine code, which takes minutes.
    whole = partial(torch.compile, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(torch, "compile", whole)
    torch.compiler.reset()
    workload = replace(SMALL[name], dtype="bfloat16")
    compiled, plain = (CONTENDERS[c](workload) for c in ("torch-compile", "torch"))
    tolerance = loss_tolerance(workload)
    np.testing.assert_allclose(compiled.losses(3), plain.losses(3), tolerance)
    np.testing.assert_allclose(compiled.evaluate(), plain.evaluate(), tolerance)


@pytest.mark.parametrize("name", SMALL)
def test_computation_is_in_the_dtype_and_variables_are_float32(name):
    workload = replace(SMALL[name], dtype="bfloat16")
    with keras.use_backend("numpy"):
        model = workload.compiled(keras)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert {layer.compute_dtype for layer in model.layers} == {"bfloat16"}
    assert keras.config.dtype_policy().name == "float32"


def test_resnet50_has_the_parameters_of_the_paper():
    model = WORKLOADS["resnet50"].model
    count = sum(
        int(np.prod(shape)) for shapes in model.shapes().values() for shape in shapes
    )
    # 25,557,032 that are trained, and the moving statistics of 26,560 features.
    assert count == 25_557_032 + 2 * 26_560
    with keras.use_backend("numpy"):
        assert model.build(keras).count_params() == count


def test_sizes_fill_a_card():
    mlp, transformer = WORKLOADS["mlp_large"], WORKLOADS["transformer_base"].model
    assert mlp.batch == 4096
    assert WORKLOADS["resnet50"].batch == 64
    assert WORKLOADS["resnet50"].model.sample == (224, 224, 3)
    assert (transformer.layers, transformer.width) == (12, 768)
    assert transformer.sample == (512,)
