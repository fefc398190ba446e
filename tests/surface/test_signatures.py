"""Our names and signatures are Keras', apart from what docs/differences.md declares.

`keras_api.json` holds the public names of Keras 3.15.1 with a tier (1: every book uses
it, 2: common, 3: rare) and signature, the members of classes that users subclass or
drive, and the strings that each `get` accepts.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

import polykeras as keras
from polykeras.errors import ArgumentError
from tests.surface import _compare

# Base classes, which Keras' `get` makes by name though nothing can be done with them,
# and optimizers of tier 3.
NOT_BY_NAME = {"Initializer", "Regularizer", "Constraint", "Optimizer"} | {
    "MultiOptimizer",
    "OptimizerMap",
    "ScheduleFreeAdamW",
}


def rows_for(name: str) -> list[str]:
    return [p for p in _compare.declared() if fnmatchcase(name, p)]


def test_every_difference_is_declared_with_its_parameters():
    wrong = {}
    for name, found in _compare.differences().items():
        said = set().union(*(_compare.declared()[p] for p in rows_for(name)))
        if not found <= said:
            wrong[name] = sorted(found - said)
    assert wrong == {}, "declare them in docs/differences.md, or remove them"


def test_every_declared_difference_exists():
    found = _compare.differences()
    idle = {}
    for pattern, said in _compare.declared().items():
        matching = [d for name, d in found.items() if fnmatchcase(name, pattern)]
        if not said or not said <= set().union(*matching):
            idle[pattern] = sorted(said)
    assert idle == {}, "remove them from docs/differences.md"


def test_differences_are_seen():
    ours = _compare.parameters('a, b=1, c="x, y", d=[2, 2], **kwargs')
    assert ours == [
        ("a", None),
        ("b", "1"),
        ("c", '"x, y"'),
        ("d", "[2, 2]"),
        ("**kwargs", None),
    ]
    same = _compare.parameters('a, b=1, @c="x, y", d=2, **kwargs')
    assert _compare.differing(ours, same) == set()
    for theirs, names in (
        ('b=1, a, c="x, y", d=2, **kwargs', {"a", "b"}),
        ('a, b=2, c="x, y", d=2, **kwargs', {"b"}),
        ('a, b, c="x, y", d=2, **kwargs', {"b"}),
        ('a, b=1, c="x, y", d=2', {"kwargs"}),
        ('a, b=1, c="x, y", d=2, e=null, **kwargs', {"e"}),
    ):
        assert _compare.differing(ours, _compare.parameters(theirs)) == names


@pytest.mark.parametrize("kind", sorted(_compare.API["strings"]))
def test_strings_choose_what_they_choose_in_keras(kind):
    get = getattr(keras, kind).get
    for name, wanted in _compare.API["strings"][kind].items():
        if wanted in NOT_BY_NAME:
            continue
        try:
            found = get(name)
        except ArgumentError as error:
            # These classes have arguments without defaults.
            assert f"{wanted!r} cannot be chosen by name alone" in str(error)  # noqa: PT017
        else:
            assert getattr(found, "__name__", type(found).__name__) == wanted
