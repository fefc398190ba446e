import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from polykeras.errors import ArgumentError, DataError
from polykeras.utils import get_file

ORIGIN = "https://example.org/folder/data.bin?version=2"


@pytest.fixture
def published(monkeypatch):
    """Serve `published.content` in place of the network; record what was asked."""

    class Published:
        content = b"content"
        asked = []  # noqa: RUF012 (one instance per test)

    def download(url, target, digest=None, *, force=False):
        Published.asked.append((url, digest, force))
        if force or not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Published.content)
        return target

    monkeypatch.setattr("polykeras.utils.files.download", download)
    return Published


def tar_of(**files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def zip_of(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


@pytest.mark.parametrize("fname, name", [(None, "data.bin"), ("other.x", "other.x")])
def test_file_lies_in_the_cache(published, tmp_path, fname, name):
    path = get_file(fname, ORIGIN, cache_dir=tmp_path)
    assert path == str(tmp_path / "datasets" / name)
    assert Path(path).read_bytes() == b"content"


def test_absolute_subfolder_stands_by_itself(published, tmp_path):
    path = get_file("x", ORIGIN, cache_subdir=str(tmp_path / "here"))
    assert path == str(tmp_path / "here" / "x")


@pytest.mark.parametrize(
    "arguments, algorithm",
    [
        ({"file_hash": hashlib.sha256(b"content").hexdigest()}, "sha256"),
        ({"file_hash": "0" * 32}, "md5"),
        ({"md5_hash": "0" * 32}, "md5"),
        ({"file_hash": "0" * 32, "hash_algorithm": "md5"}, "md5"),
    ],
)
def test_digest_is_passed_on(published, tmp_path, arguments, algorithm):
    get_file("x", ORIGIN, cache_dir=tmp_path, **arguments)
    ((_, digest, force),) = published.asked
    value = arguments.get("file_hash") or arguments["md5_hash"]
    assert digest == f"{algorithm}:{value}"
    assert force is False
    published.asked.clear()


@pytest.mark.parametrize(
    "arguments",
    [
        {"file_hash": "123"},
        {"file_hash": "0" * 64, "hash_algorithm": "sha1"},
        {"fname": "folder/x"},
        {"fname": "../x"},
        {"origin": None},
        {"origin": "https://example.org/"},
        {"extract": True, "archive_format": "rar"},
    ],
)
def test_bad_arguments(published, tmp_path, arguments):
    with pytest.raises(ArgumentError):
        get_file(**{"origin": ORIGIN, "cache_dir": tmp_path} | arguments)


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize(
    "fname, folder", [(None, "data.bin"), ("name", "name"), ("a.tgz", "a_extracted")]
)
def test_archives_are_unpacked(published, tmp_path, make, fname, folder):
    published.content = make(a=b"1", sub__b=b"2")
    path = Path(get_file(fname, ORIGIN, cache_dir=tmp_path, extract=True))
    assert path == tmp_path / "datasets" / folder
    assert (path / "a").read_bytes() == b"1"
    assert (path / "sub" / "b").read_bytes() == b"2"


def test_a_new_archive_replaces_the_folder(published, tmp_path):
    published.content = tar_of(a=b"1")
    get_file("x", ORIGIN, cache_dir=tmp_path, untar=True)
    published.content = tar_of(b=b"22")
    path = get_file("x", ORIGIN, cache_dir=tmp_path, untar=True)
    assert [file.name for file in Path(path).iterdir()] == ["a"]
    path = get_file("x", ORIGIN, cache_dir=tmp_path, untar=True, force_download=True)
    assert [file.name for file in Path(path).iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["..__outside", "__outside"])
def test_members_outside_are_refused(published, tmp_path, name):
    published.content = tar_of(**{name: b"1"})
    if name.startswith(".."):
        with pytest.raises(DataError, match="Could not unpack"):
            get_file("x", ORIGIN, cache_dir=tmp_path, extract=True)
    else:
        get_file("x", ORIGIN, cache_dir=tmp_path, extract=True)
    assert {file.name for file in tmp_path.rglob("outside")} <= {"outside"}
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "datasets" / "outside").exists()
    assert not Path("/outside").exists()


@pytest.mark.parametrize(
    "make, archive_format",
    [(lambda **_: b"no archive", "auto"), (zip_of, "tar"), (tar_of, None)],
    ids=["text", "zip", "tar"],
)
def test_other_formats_are_refused(published, tmp_path, make, archive_format):
    published.content = make(a=b"1")
    with pytest.raises(DataError, match="no archive of the formats"):
        get_file(
            "x", ORIGIN, cache_dir=tmp_path, extract=True, archive_format=archive_format
        )
    assert [file.name for file in (tmp_path / "datasets").iterdir()] == ["x_archive"]
