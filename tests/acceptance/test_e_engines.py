"""E: several engines, and where code runs."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import polykeras as pk
from polykeras import layers, ops
from polykeras.backend import get_backend, installed_backends, use_backend
from tests.acceptance._support import values, whole

ROOT = Path(__file__).parents[2]


def script(code: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_E01():
    code = """
import sys, numpy as np, polykeras as pk
model = pk.Sequential([pk.Input((2,)), pk.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
print(sorted({"torch", "jax"} & set(sys.modules)))
"""
    assert script(code, POLYKERAS_BACKEND="numpy").strip() == "[]"


def test_E02(tmp_path):
    """An installed module with one hook is an engine that trains."""
    (tmp_path / "toy_engine.py").write_text(
        """
from polykeras.backend import BackendSpec, hookimpl

def load():
    import numpy
    from polykeras.backend.array_api import ArrayAPIBackend
    return ArrayAPIBackend(numpy, "toy")

@hookimpl
def polykeras_backends():
    return [BackendSpec(name="toy", summary="An engine for a test.", load=load)]
"""
    )
    meta = tmp_path / "toy_engine-0.1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Name: toy-engine\nVersion: 0.1\n")
    (meta / "entry_points.txt").write_text("[polykeras]\ntoy = toy_engine\n")
    code = """
import numpy as np, polykeras as pk
model = pk.Sequential([pk.Input((2,)), pk.layers.Dense(3, "relu"), pk.layers.Dense(1)])
model.compile("adam", "mse")
x = np.linspace(-1, 1, 16).reshape(8, 2)
losses = model.fit(x, x.sum(axis=1), epochs=4, verbose=0).history["loss"]
print(model.backend.name, losses[-1] < losses[0])
"""
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    printed = script(code, POLYKERAS_BACKEND="toy", PYTHONPATH=path)
    assert printed.split() == ["toy", "True"]


def test_E03():
    code = """
import numpy as np, polykeras as pk
pk.utils.set_random_seed(0)
model = pk.Sequential([pk.Input((3,)), pk.layers.Dense(4, "tanh"), pk.layers.Dense(1)])
model.compile("adam", "mse")
x = np.linspace(-1, 1, 24).reshape(8, 3)
print(model.fit(x, x.sum(axis=1), epochs=3, verbose=0).history["loss"])
"""
    printed = [
        ast.literal_eval(script(code, POLYKERAS_BACKEND=name))
        for name in installed_backends()
    ]
    for losses in printed[1:]:
        np.testing.assert_allclose(losses, printed[0], rtol=1e-5)


def test_E04(backend, tmp_path):
    model = pk.Sequential([pk.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    x = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
    expected = model.predict(x, verbose=0)
    for name in installed_backends():
        with contextlib.suppress(ImportError), use_backend(get_backend(name)):
            other = pk.models.load_model(tmp_path / "model.keras")
            np.testing.assert_allclose(other.predict(x, verbose=0), expected, atol=1e-5)


def test_E05(backend):
    """User code names no device; tensors are where the engine puts them."""
    model = pk.Sequential([pk.Input((2,)), layers.Dense(1)])
    assert backend.devices()
    assert model.predict(np.ones((3, 2)), verbose=0).shape == (3, 1)


@whole
def seconds_of_a_convnet(device):
    """Return how long an epoch of a small network takes, compilation apart."""
    x = np.zeros((512, 32, 32, 3), "float32")
    y = np.zeros((512, 1), "float32")
    with pk.device(device):
        model = pk.Sequential([pk.Input((32, 32, 3))])
        for filters in (32, 64):
            model.add(layers.Conv2D(filters, 3, activation="relu"))
            model.add(layers.MaxPooling2D(2))
        model.add(layers.Flatten())
        model.add(layers.Dense(1))
        model.compile("adam", "mse")
        model.fit(x, y, batch_size=128, verbose=0)
        began = time.perf_counter()
        model.fit(x, y, batch_size=128, verbose=0)
        return time.perf_counter() - began


def test_E06(backend, capsys):
    """Needs an accelerator; the ratio is reported, not required."""
    names = [str(d).lower() for d in backend.devices()]
    fast = [n for n in names if any(k in n for k in ("cuda", "gpu", "mps", "tpu"))]
    if not fast:
        pytest.skip(f"{backend.name} has no accelerator here: {' '.join(names)}")
    ratio = seconds_of_a_convnet("cpu:0") / seconds_of_a_convnet(fast[0])
    with capsys.disabled():
        print(
            f"\n{backend.name}: {fast[0]} trains {ratio:.1f} times as fast as the CPU"
        )
    assert ratio > 0


CELLS = [
    "import numpy as np\nimport polykeras as pk",
    "model = pk.Sequential([pk.Input((2,)), pk.layers.Dense(1)])",
    "model.compile('sgd', 'mse')",
    "history = model.fit(np.ones((4, 2)), np.ones(4))",
    "tensor = model(np.ones((1, 2)))",
    "shown = [repr(x) for x in (model, model.layers[0], tensor, history)]",
]


def test_E07(backend):
    namespace: dict[str, object] = {}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for cell in [*CELLS, CELLS[1], *CELLS[1:]]:
            exec(cell, namespace)
    assert "loss: " in out.getvalue()
    assert all(namespace["shown"])
    assert namespace["model"]._repr_html_()


def test_E08():
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "linear_regression.py")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "POLYKERAS_BACKEND": "numpy"},
    )
    assert done.returncode == 0, done.stderr
    assert "numpy" in done.stdout


def test_E09():
    """The base install needs no engine but NumPy; test_packaging.py builds it."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {d.split(">")[0] for d in project["dependencies"]}
    assert "numpy" in needed
    assert not needed & {"torch", "jax", "tensorflow"}


TEN_LINES = """
from polykeras import layers, models
from polykeras.datasets import digits
from polykeras.utils import to_categorical
(x, y), (xt, yt) = digits.load_data()
x, xt = x.reshape((len(x), 64)) / 16, xt.reshape((len(xt), 64)) / 16
net = models.Sequential()
net.add(layers.Dense(64, activation="relu", input_shape=(64,)))
net.add(layers.Dense(10, activation="softmax"))
net.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
net.fit(x, to_categorical(y), epochs=5, batch_size=32, verbose=0)
loss, accuracy = net.evaluate(xt, to_categorical(yt), verbose=0)
"""


def test_E10(backend):
    assert len(TEN_LINES.strip().splitlines()) < 20
    namespace: dict[str, float] = {}
    exec(TEN_LINES, namespace)
    assert namespace["accuracy"] > 0.9


def test_E11():
    """Examples use public names only."""
    for path in (ROOT / "examples").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        private = [
            line
            for line in text.splitlines()
            if "import" in line and "polykeras" in line and "._" in line
        ]
        assert private == [], path.name


def test_E12(backend):
    """A compiled step is traced once, however many batches there are.

    Code of the user's own is compiled unasked only where it would run badly otherwise.
    """
    traced = []

    class Seen(layers.Layer):
        def call(self, x):
            traced.append(1)
            return x

    model = pk.Sequential([pk.Input((2,)), Seen(), layers.Dense(1)])
    for jit, compiled in (("auto", not backend.capabilities.eager), (True, True)):
        model.compile("sgd", "mse", jit_compile=jit)
        model.fit(np.ones((64, 2)), np.ones(64), batch_size=8, epochs=3, verbose=0)
        before = len(traced)
        model.fit(np.ones((64, 2)), np.ones(64), batch_size=8, epochs=3, verbose=0)
        assert len(traced) == before + (0 if compiled else 24)


def test_E13(backend):
    wanted = "models layers optimizers losses metrics callbacks datasets utils"
    missing = [name for name in wanted.split() if not hasattr(pk, name)]
    assert missing == []
    assert values(ops.ones(2)).tolist() == [1.0, 1.0]
