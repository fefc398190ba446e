"""Record what Keras answers: ``PEER/bin/python tests/peer/record.py [GROUP...]``.

PEER is an environment with Keras 3.15.1, JAX and TensorFlow (the packages `keras`,
`jax` and `tensorflow-cpu`). The answers go to ``tests/peer/answers``, or to the folder
after ``--to``; those that are there stay unless ``--again`` is given.

Values are those of TensorFlow in 64 bits, which Keras has nowhere else; dtypes are
those of JAX in the default precision. Where TensorFlow lacks something, or is wrong,
the values are those of JAX in 32 bits, and the other way round. Where the two differ by
more than rounding, that is printed, and the case has to say which engine answers.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.peer import _answers
from tests.peer._bounds import excess
from tests.peer._case import Case
from tests.peer._play import play
from tests.peer.tables import GROUPS, table


def of_jax(loss: Any, values: list[Any]) -> list[Any]:
    jax = importlib.import_module("jax")
    return list(jax.grad(loss, argnums=tuple(range(len(values))))(*values))


def of_tensorflow(loss: Any, values: list[Any]) -> list[Any]:
    tensorflow = importlib.import_module("tensorflow")
    values = [tensorflow.convert_to_tensor(v) for v in values]
    with tensorflow.GradientTape() as tape:
        tape.watch(values)
        value = loss(*values)
    found = tape.gradient(value, values)
    return [g if g is None else tensorflow.convert_to_tensor(g) for g in found]


def ask(cases: list[Case], precision: str, target: Path) -> None:
    """Put cases to Keras, in this process."""
    keras = importlib.import_module("keras")
    gradients = {"jax": of_jax, "tensorflow": of_tensorflow}[keras.backend.backend()]
    found: dict[str, Any] = {}
    for case in cases:
        try:
            found[str(case)] = play(keras, case, precision, gradients)
        except Exception as error:
            said = " ".join(str(error).split())
            print(f"{keras.backend.backend()}: {case}: {said}"[:400])
    target.write_bytes(pickle.dumps(found))


def asked(names: list[str], precision: str, engine: str) -> dict[str, Any]:
    """Put cases to Keras, in a process of its own."""
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "found"
        wanted = Path(folder) / "wanted"
        wanted.write_text("\n".join(names), encoding="utf-8")
        # TensorFlow waits for ever for an XLA without threads, as our tests want it.
        environment = {
            **{k: v for k, v in os.environ.items() if k != "XLA_FLAGS"},
            "KERAS_BACKEND": engine,
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        options = ["--ask", precision, str(wanted), str(target)]
        command = [sys.executable, "-W", "ignore", __file__, *options]
        subprocess.run(command, check=True, env=environment)
        found: dict[str, Any] = pickle.loads(target.read_bytes())
        return found


def record(groups: list[str], folder: Path, again: bool) -> None:
    """Write the answers for some groups."""
    known: dict[str, dict[str, Any]] = {}
    new: list[Case] = []
    for group in groups:
        path = folder / f"{group}.npz"
        known[group] = _answers.read(path) if path.exists() and not again else {}
        new += [case for case in table(group) if str(case) not in known[group]]
    names = [str(c) for c in new if c.engine != "jax"]
    wide = asked(names, "float64", "tensorflow")
    names = [str(c) for c in new if c.engine != "tensorflow"]
    narrow = asked(names, "float32", "jax")
    alone = [name for name in wide if name not in narrow]
    other = asked(alone, "float32", "tensorflow")
    for group in groups:
        answers: dict[str, Any] = {}
        for case in table(group):
            name = str(case)
            if name in known[group]:
                answers[name] = known[group][name]
            elif name in wide and name in narrow:
                answers[name] = merged(case, "both", wide[name], narrow[name])
            elif name in narrow:
                answers[name] = merged(case, "jax", narrow[name], narrow[name])
            elif name in other:
                answers[name] = merged(case, "tensorflow", wide[name], other[name])
            else:
                print(f"{name}: no engine answers")
        _answers.write(folder / f"{group}.npz", answers)
        print(f"{group}: {len(answers)} of {len(table(group))} cases")


def merged(
    case: Case, engine: str, wide: dict[str, Any], narrow: dict[str, Any]
) -> dict[str, Any]:
    """Return dtypes of 32 bits and values of 64, and say where the values differ."""
    answer: dict[str, Any] = {"by": ("str", engine)}
    for key, value in narrow.items():
        if isinstance(value, str):
            answer[key] = "str", value
            continue
        answer[key] = value.dtype.name, wide[key]
        far = excess(case, key, value, wide[key], "float32")
        if far > 1:
            print(f"{case} {key}: Keras in 32 bits is {far:.3g} bounds off")
    return answer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--ask", nargs=3)
    parser.add_argument("--to", type=Path, default=_answers.path_of("x").parent)
    options = parser.parse_args()
    if options.ask:
        precision, wanted, target = options.ask
        every = {str(case): case for group in GROUPS for case in table(group)}
        names = Path(wanted).read_text(encoding="utf-8").split("\n")
        ask([every[name] for name in names], precision, Path(target))
    else:
        np.seterr(all="ignore")
        record(options.groups or list(GROUPS), options.to, options.again)
