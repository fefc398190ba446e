import io
import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bench_feeding, bench_race
from benchmarks.bench_race import run, title
from benchmarks.race import worker
from benchmarks.race.contenders import CONTENDERS, enters, usual
from benchmarks.race.workloads import WORKLOADS
from polykeras import dtype_policies


def test_contenders_compute_the_same_losses():
    workload = WORKLOADS["mlp_tiny"]
    by_hand = CONTENDERS["numpy"](workload).losses(3)
    ours = CONTENDERS["polykeras-numpy"](workload).losses(3)
    assert by_hand[2] < by_hand[0]
    np.testing.assert_allclose(ours, by_hand, rtol=1e-4)


@pytest.mark.parametrize("name", ["mlp_tiny", "mlp_small"])
def test_contenders_evaluate_alike(name):
    by_hand = CONTENDERS["numpy"](WORKLOADS[name]).evaluate()
    ours = CONTENDERS["polykeras-numpy"](WORKLOADS[name]).evaluate()
    assert by_hand > 0.1
    np.testing.assert_allclose(ours, by_hand, rtol=1e-4)


@pytest.mark.parametrize("name", [w.name for w in WORKLOADS.values() if not w.large])
def test_the_workload_starts_from_the_listed_weights(name):
    import polykeras as keras

    with keras.use_backend("numpy"):
        model = WORKLOADS[name].compiled(keras)
    listed = [a for arrays in WORKLOADS[name].weights().values() for a in arrays]
    assert sum(a.size for a in listed) == model.count_params()


def test_building_sets_no_dtype_policy():
    import polykeras as keras

    with keras.use_backend("numpy"):
        WORKLOADS["mlp_tiny"].compiled(keras)
    # One that is set, even to the default, no longer follows the default float.
    assert dtype_policies._global is None


def test_convolutions_stay_out_of_scans_on_the_cpu():
    assert not enters("jax-scan", WORKLOADS["cnn"])
    assert enters("jax-scan", WORKLOADS["cnn"], "cuda")
    assert enters("jax-scan", WORKLOADS["lstm"])


def test_numpy_has_no_gpu():
    assert enters("numpy", WORKLOADS["mlp_large"])
    assert not enters("numpy", WORKLOADS["mlp_large"], "cuda")
    assert not enters("polykeras-numpy", WORKLOADS["mlp_large"], "cuda")


def test_the_compiler_of_pytorch_is_usual_on_a_gpu_only():
    assert set(usual("cuda")) - set(usual("cpu")) == {"torch-compile"}


def test_the_title_says_which_clock_counts():
    assert "CPU time" in title()
    assert "time of the clock" in title("cuda", "bfloat16")
    assert "bfloat16" in title("cuda", "bfloat16")


def test_a_race_reports_every_kind_of_time():
    (row,) = run(workloads=("mlp_tiny",), contenders=("numpy",), rounds=1)
    kinds = ("fit_ms", "evaluate_us", "call_us", "predict_us", "first_step_s", "rss_mb")
    assert all(row[kind] > 0 for kind in kinds)


def test_a_worker_computes_in_the_dtype_asked_for(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("fit 1\n"))
    words = ["worker", "polykeras-numpy", "mlp_tiny", "bfloat16"]
    monkeypatch.setattr("sys.argv", words)
    worker.main()
    start, taken = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    narrow = replace(WORKLOADS["mlp_tiny"], dtype="bfloat16")
    assert start["losses"] == CONTENDERS["polykeras-numpy"](narrow).losses(3)
    assert start["losses"] != CONTENDERS["polykeras-numpy"](
        WORKLOADS["mlp_tiny"]
    ).losses(3)
    assert taken["wall"] > 0


@pytest.mark.parametrize("device", ["cuda", "gpu"])
@pytest.mark.parametrize("contender", ["torch", "polykeras-jax"])
def test_a_gpu_that_is_missing_is_said(device, contender, monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    words = ["bench_race", "--device", device, "--contenders", contender]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        bench_race.main()
    assert ended.value.code == 2
    library = contender.removeprefix("polykeras-")
    message = capsys.readouterr().err
    assert f"There is no GPU that {library} can use, which {contender}" in message


def test_feeding_is_measured_on_the_engines_asked_for():
    (row,) = bench_feeding.run(("numpy",), ("mlp_tiny",), rounds=1)
    assert row["ratio"] == row["generator_ms"] / row["arrays_ms"] > 0
