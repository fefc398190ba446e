"""Files made to harm: refused, with a clear error and no effect on anything.

The vulnerabilities are public ones of Keras' model loading. Each test builds a file of
that kind, loads it, and asserts that nothing was run, read or written elsewhere.
"""

from __future__ import annotations

import base64
import io
import marshal
import os
import sys
import tarfile

import pytest

import polykeras as keras
from polykeras import layers, saving
from polykeras.errors import ArgumentError, DataError, UnsafeFileError
from polykeras.utils import get_file
from tests.saving._unsafe import (
    archive_with,
    refused,
    warm,  # noqa: F401 - a fixture that runs by itself
    with_layer,
)
from tests.saving._watch import nothing_but


def code_of(fn):
    return base64.b64encode(marshal.dumps(fn.__code__)).decode()


def harm(x):
    os.system("true")
    return x


# -- code ------------------------------------------------------------------------


@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize(
    "function",
    [
        [code_of(harm), None, None],
        {"class_name": "__lambda__", "config": {"value": code_of(harm)}},
        {"class_name": "__lambda__", "config": {"code": code_of(harm)}},
    ],
    ids=["keras2", "keras3", "keras3.13"],
)
def test_cve_2024_3660_code_of_a_lambda(tmp_path, function, safe_mode):
    config = {"name": "evil", "function": function, "function_type": "lambda"}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": config}
    path = archive_with(tmp_path / "m.keras", config=with_layer(layer))
    refused(path, UnsafeFileError, "never run", safe_mode=safe_mode)


def test_cve_2026_12481_lambda_outside_of_loading():
    function = {"class_name": "__lambda__", "config": {"code": code_of(harm)}}
    config = {"name": "evil", "function": function}
    data = {"class_name": "Lambda", "module": "keras.layers", "config": config}
    for build in (
        lambda: layers.Lambda.from_config(config),
        lambda: layers.deserialize(data),
        lambda: saving.deserialize_keras_object(data, safe_mode=False),
    ):
        with nothing_but(), pytest.raises(UnsafeFileError, match="never run"):
            build()


@pytest.mark.parametrize(
    ("module", "name", "config"),
    [
        ("os", "function", "system"),
        ("builtins", "function", "eval"),
        ("subprocess", "Popen", {"args": ["true"]}),
        ("subprocess", "function", "run"),
        ("evil_module", "Thing", {}),
        ("polykeras_torch", "Backend", {}),
        ("importlib", "function", "import_module"),
    ],
)
def test_cve_2025_1550_modules_named_in_a_config(tmp_path, module, name, config):
    target = {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": name,
    }
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    sys.path.insert(0, str(tmp_path))
    try:
        path = archive_with(tmp_path / "m.keras", config=with_layer(target))
        refused(path, ArgumentError, "Unknown object")
        inside = {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {"name": "x", "function": target, "arguments": {"cmd": "true"}},
        }
        path = archive_with(tmp_path / "m.keras", config=with_layer(inside))
        refused(path)
    finally:
        sys.path.remove(str(tmp_path))
    assert "evil_module" not in sys.modules


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("keras.models", "load_model"),
        ("keras.utils", "load_img"),
        ("keras.config", "set_backend"),
        ("polykeras.utils", "get_file"),
        ("numpy", "load"),
    ],
)
def test_cve_2025_8747_functions_of_the_package_itself(tmp_path, module, name):
    function = {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }
    arguments = {"origin": "https://example.org/x", "cache_dir": str(tmp_path)}
    config = {"name": "x", "function": function, "arguments": arguments}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": config}
    path = archive_with(tmp_path / "m.keras", config=with_layer(layer))
    refused(path, ArgumentError, f"Unknown object '{name}'")


def test_cve_2025_9906_turning_safety_off_from_a_config(tmp_path):
    function = {
        "module": "keras.config",
        "class_name": "function",
        "config": "enable_unsafe_deserialization",
        "registered_name": "enable_unsafe_deserialization",
    }
    config = {"name": "x", "function": function}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": config}
    path = archive_with(tmp_path / "m.keras", config=with_layer(layer))
    refused(path, ArgumentError, "Unknown object")


def test_cve_2026_1462_layers_that_load_other_files(tmp_path):
    config = {"name": "x", "filepath": str(tmp_path), "call_endpoint": "serve"}
    layer = {"module": "keras.layers", "class_name": "TFSMLayer", "config": config}
    path = archive_with(tmp_path / "m.keras", config=with_layer(layer))
    refused(path, ArgumentError, "Unknown object 'TFSMLayer'")


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
@pytest.mark.parametrize("where", ["/etc/passwd", "https://example.org/words.txt"])
def test_cve_2025_12058_vocabularies_in_other_files(tmp_path, name, where):
    config = {"name": "x", "vocabulary": where}
    layer = {"module": "keras.layers", "class_name": name, "config": config}
    path = archive_with(tmp_path / "m.keras", config=with_layer(layer))
    refused(path, UnsafeFileError, "reads no other files")


# -- paths -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/../../evil"])
def test_cve_2026_12479_layer_names_are_no_paths(tmp_path, name):
    def change(data):
        data["config"]["layers"][1]["config"]["name"] = name

    path = archive_with(tmp_path / "m.keras", config=change)
    refused(path, ArgumentError, "without '/'")
    with pytest.raises(ArgumentError, match="without '/'"):
        layers.Dense(2, name=name)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "assets/../../evil"])
def test_archive_names_are_no_paths(tmp_path, name):
    path = archive_with(tmp_path / "m.keras", extra={name: b"evil"})
    before = sorted(tmp_path.rglob("*"))
    with nothing_but(path):
        keras.models.load_model(path)
    assert sorted(tmp_path.rglob("*")) == before


def archived(*entries):
    """Return a tar with (name, kind, content or target) entries."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, value in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(value)
                tar.addfile(info, io.BytesIO(value))
            else:
                info.linkname = value
                tar.addfile(info)
    return stream.getvalue()


def serve(monkeypatch, content):
    def download(url, target, digest=None, *, force=False):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    monkeypatch.setattr("polykeras.utils.files.download", download)


@pytest.mark.parametrize(
    "entries",
    [
        [("../evil", tarfile.REGTYPE, b"x")],
        [("a/../../../evil", tarfile.REGTYPE, b"x")],
        [("link", tarfile.SYMTYPE, "../.."), ("link/evil", tarfile.REGTYPE, b"x")],
        [("hard", tarfile.LNKTYPE, "../../evil")],
        [("pipe", tarfile.FIFOTYPE, "")],
    ],
    ids=["parent", "deep", "symlink", "hardlink", "device"],
)
def test_cve_2025_12060_downloaded_archives_stay_in_their_folder(
    tmp_path, monkeypatch, entries
):
    serve(monkeypatch, archived(*entries))
    with pytest.raises(DataError, match="Could not unpack"):
        get_file("x", "https://example.org/x.tar", extract=True, cache_dir=tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["x_archive"]


def test_cve_2025_12638_chains_of_links(tmp_path, monkeypatch):
    # Names so long that resolving them fails once hid where a link led.
    folder = "d" * 247
    steps = "abcdefghijklmnop"
    entries = []
    where = ""
    for step in steps:
        entries.append((where + folder, tarfile.DIRTYPE, ""))
        entries.append((where + step, tarfile.SYMTYPE, folder))
        where += folder + "/"
    chain = "/".join(steps)
    entries.append((f"{chain}/{'l' * 254}", tarfile.SYMTYPE, "../" * len(steps)))
    entries.append(("escape", tarfile.SYMTYPE, f"{chain}/{'l' * 254}/../../evil"))
    entries.append(("escape/evil", tarfile.REGTYPE, b"x"))
    serve(monkeypatch, archived(*entries))
    with pytest.raises(DataError, match="link or a device"):
        get_file("x", "https://example.org/x.tar", extract=True, cache_dir=tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["x_archive"]
