"""Archives with some of their parts replaced, and what refuses to load them."""

from __future__ import annotations

import codecs
import json
import zipfile

import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import PolykerasError
from tests.saving._watch import nothing_but


def make():
    return keras.Sequential(
        [layers.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2)]
    )


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory):
    """Load a file once, so that what is imported on first use is imported."""
    codecs.lookup("ascii")
    path = tmp_path_factory.mktemp("warm") / "m.keras"
    model = make()
    model.compile("adam", "mse", metrics=["AUC"])
    model.save(path)
    keras.models.load_model(path)
    with pytest.raises(PolykerasError):
        keras.models.model_from_json('{"class_name": "No", "config": {}}')


def archive_with(path, *, config=None, weights=None, extra=()):
    """Write an archive of a small model with some of it replaced."""
    model = make()
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    if config is not None:
        data = json.loads(members["config.json"])
        members["config.json"] = json.dumps(config(data) or data).encode()
    if weights is not None:
        members["model.weights.h5"] = weights(members["model.weights.h5"])
    members |= dict(extra)
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    return path


def with_layer(layer):
    """Return a change of a config that puts data in place of the first Dense."""

    def change(data):
        data["config"]["layers"][1] = layer

    return change


def refused(path, error=PolykerasError, match=None, **kwargs):
    before = sorted(path.parent.rglob("*"))
    with nothing_but(path), pytest.raises(error, match=match) as caught:
        keras.models.load_model(path, **kwargs)
    assert sorted(path.parent.rglob("*")) == before
    return caught.value
