import numpy as np
import pytest

from benchmarks import bench_feeding
from benchmarks.bench_race import run
from benchmarks.race.contenders import CONTENDERS, enters
from benchmarks.race.workloads import WORKLOADS


def test_contenders_compute_the_same_losses():
    workload = WORKLOADS["mlp_tiny"]
    by_hand = CONTENDERS["numpy"](workload).losses(3)
    ours = CONTENDERS["polykeras-numpy"](workload).losses(3)
    assert by_hand[2] < by_hand[0]
    np.testing.assert_allclose(ours, by_hand, rtol=1e-4)


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_the_workload_starts_from_the_listed_weights(name):
    import polykeras as keras

    with keras.use_backend("numpy"):
        model = WORKLOADS[name].compiled(keras)
    listed = [a for arrays in WORKLOADS[name].weights().values() for a in arrays]
    assert sum(a.size for a in listed) == model.count_params()


def test_convolutions_stay_out_of_scans():
    assert not enters("jax-scan", WORKLOADS["cnn"])
    assert enters("jax-scan", WORKLOADS["lstm"])


def test_a_race_reports_every_kind_of_time():
    (row,) = run(workloads=("mlp_tiny",), contenders=("numpy",), rounds=1)
    kinds = ("fit_ms", "call_us", "predict_us", "first_step_s", "rss_mb")
    assert all(row[kind] > 0 for kind in kinds)


def test_feeding_is_measured_on_the_engines_asked_for():
    (row,) = bench_feeding.run(("numpy",), ("mlp_tiny",), rounds=1)
    assert row["ratio"] == row["generator_ms"] / row["arrays_ms"] > 0
