from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import polykeras as keras
from benchmarks import bench_synchronization
from benchmarks.bench_synchronization import waits_a_step
from benchmarks.race.traces import waits
from benchmarks.race.workloads import WORKLOADS

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")

_TIMES = 5
_READS = {
    "float": float,
    "bool": bool,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
    "to_numpy": keras.ops.convert_to_numpy,
}
_ADDED = {
    "torch": lambda: torch.ones(3).sum(),
    "jax": lambda: jax.numpy.ones(3).sum(),
}


@pytest.mark.parametrize("read", _READS)
@pytest.mark.parametrize("library", _ADDED)
def test_every_way_to_read_a_number_is_one_wait(library, read):
    def act():
        with keras.use_backend(library):
            for _ in range(_TIMES):
                _READS[read](_ADDED[library]())

    assert waits(library, act) == _TIMES


@pytest.mark.parametrize("library", _ADDED)
def test_computing_is_no_wait(library):
    assert waits(library, lambda: [_ADDED[library]() for _ in range(_TIMES)]) == 0


def test_blocking_is_a_wait():
    def act():
        for _ in range(_TIMES):
            jax.block_until_ready([_ADDED["jax"]()] * 2)
            _ADDED["jax"]().block_until_ready()

    assert waits("jax", act) == 2 * _TIMES


def test_tracing_leaves_the_libraries_as_they_were():
    doors = np.asarray, np.array, jax.block_until_ready
    with pytest.raises(ArithmeticError):
        waits("jax", lambda: 1 / 0)
    assert doors == (np.asarray, np.array, jax.block_until_ready)


def test_a_fused_update_reads_its_numbers_itself():
    weight = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.Adam([weight], fused=True)

    def act():
        for _ in range(_TIMES):
            weight.grad = torch.ones(3)
            optimizer.step()

    act()
    assert waits("torch", act) == 0


@pytest.mark.parametrize("library", _ADDED)
def test_a_callback_that_reads_the_loss_waits_in_every_step(library):
    def prepared(steps, callbacks):
        workload = replace(WORKLOADS["mlp_tiny"], steps=steps)
        with keras.use_backend(library):
            model = workload.compiled(keras)
        x, y = workload.data()
        options = {"batch_size": workload.batch, "verbose": 0}
        return partial(model.fit, x, y, **options, callbacks=callbacks)

    read = []
    reading = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: read.append(float(logs["loss"]))
    )
    without, found = (
        waits_a_step(library, partial(prepared, callbacks=callbacks), 8)
        for callbacks in ([], [reading])
    )
    assert len(read) > 8
    # On JAX, a dispatch of one step waits for the one before, besides.
    assert found - without == {"torch": 1, "jax": 2}[library]


@pytest.mark.parametrize("library", _ADDED)
def test_steps_add_no_waits(library):
    rows = bench_synchronization.run((library,), ("mlp_tiny",))
    (ours,) = (row for row in rows if row["contender"] == f"polykeras-{library}")
    # PyTorch's fused Adam takes the rate and the number of the step as numbers, which
    # are read where they are on the CPU.
    reads = 2 if library == "torch" and not torch.cuda.is_available() else 0
    assert ours["fit"] == reads
    assert ours["evaluate"] == ours["predict"] == 0
