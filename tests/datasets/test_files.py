import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from polykeras.datasets._files import RemoteFile, find, locate, read_json
from polykeras.errors import ArgumentError, DataError
from polykeras.utils.files import download

CONTENT = b"published content"


@pytest.fixture
def server(monkeypatch):
    """Serve CONTENT on this machine, and count the requests."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *args):
            """Keep the test's output clean."""

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", requests
        http.shutdown()
        thread.join()


def remote(base, name="data.npz", content=CONTENT):
    digest = hashlib.sha256(content).hexdigest()
    return RemoteFile("data.npz", f"{base}/{name}", f"sha256:{digest}")


ABSENT = RemoteFile("data.npz", "https://example.org/data.npz", "md5:0")


def test_own_folder_comes_before_the_cache(folders, offline):
    own, cache = folders
    cache.mkdir()
    (cache / "data.npz").write_bytes(b"cached")
    assert locate(ABSENT) == cache / "data.npz"
    (own / "data.npz").write_bytes(b"own")
    assert locate(ABSENT) == own / "data.npz"


def test_cache_is_searched_without_own_folder(folders, offline, monkeypatch):
    _, cache = folders
    monkeypatch.delenv("POLYKERAS_DATA_DIR")
    cache.mkdir()
    (cache / "data.npz").write_bytes(b"cached")
    assert locate(ABSENT) == cache / "data.npz"


def test_absolute_path_is_taken_alone(folders, offline, tmp_path):
    own, _ = folders
    (own / "data.npz").write_bytes(b"own")
    mine = tmp_path / "mine.npz"
    with pytest.raises(DataError, match=r"mine\.npz' is not in the folders searched"):
        locate(ABSENT, mine)
    mine.write_bytes(b"mine")
    assert locate(ABSENT, str(mine)) == mine


def test_other_name_and_accepted_names_are_found(folders, offline):
    own, _ = folders
    (own / "other.npz").write_bytes(b"other")
    assert locate(ABSENT, "other.npz") == own / "other.npz"
    assert locate(ABSENT, None, "other.npz") == own / "other.npz"
    assert find(["nothing.npz"]) is None


def test_offline_error_names_file_folders_and_variable(folders, offline):
    own, cache = folders
    with pytest.raises(DataError) as caught:
        locate(ABSENT, None, "subset.npz")
    message = str(caught.value)
    assert "'data.npz' or 'subset.npz'" in message
    assert str(own) in message
    assert str(cache) in message
    assert "POLYKERAS_DATA_DIR" in message
    assert "no network" in message


def test_download_is_checked_and_made_once(folders, server):
    base, requests = server
    _, cache = folders
    for _ in range(2):
        path = locate(remote(base))
        assert path == cache / "data.npz"
        assert path.read_bytes() == CONTENT
    assert requests == ["/data.npz"]
    assert [file.name for file in cache.iterdir()] == ["data.npz"]


def test_wrong_digest_is_refused_and_nothing_is_left(folders, server):
    base, _ = server
    _, cache = folders
    with pytest.raises(DataError, match="hash"):
        locate(remote(base, content=b"something else"))
    assert list(cache.iterdir()) == []


def test_server_error_is_reported(folders, server):
    base, _ = server
    with pytest.raises(DataError, match="404"):
        locate(remote(base, "missing.npz"))


def test_refused_connection_is_reported(folders, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(DataError, match="downloading it failed"):
        locate(remote("http://127.0.0.1:1"))


def test_forced_download_replaces_only_when_complete(server, tmp_path):
    base, requests = server
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(DataError):
        download(f"{base}/missing", target, force=True)
    assert target.read_bytes() == b"old"
    download(f"{base}/file", target, force=True)
    assert target.read_bytes() == CONTENT
    assert len(requests) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://example.org/x", "x.npz"])
def test_other_addresses_are_refused(url, tmp_path):
    with pytest.raises(ArgumentError, match="http or https"):
        download(url, tmp_path / "file")


def test_json_errors_name_the_file(tmp_path):
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"the": 1}))
    assert read_json(path) == {"the": 1}
    path.write_text("<html>")
    with pytest.raises(DataError, match=r"words\.json is not a JSON file"):
        read_json(path)
