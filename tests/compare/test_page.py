"""The page of a comparison: its graph, its pictures, its table."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

import polykeras as keras
from polykeras import layers, ops
from polykeras.cli import app
from polykeras.compare._graph import Placed, edges_of, placed
from polykeras.compare._page import page
from polykeras.errors import PolykerasError
from tests.compare._models import Faulty, mlp

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
VOID = {"meta", "input"}


class Page(HTMLParser):
    """Collects what a page holds, and that its elements are closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.classes: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.classes += (found.get("class") or "").split()
        self.links += [found[k] for k in ("src", "href") if k in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    change = {"relu": lambda right, x: right(x) * x.dtype.type(1.01)}
    model = mlp()
    report = keras.compare(model, backends=[Faulty(change), "numpy"], steps=3)
    path = tmp_path_factory.mktemp("page") / "page.html"
    report.write_html(str(path))
    return path


def test_the_page_holds_everything_and_needs_nothing(wrong):
    text = wrong.read_text(encoding="utf-8")
    found = Page(text)
    assert found.links == []
    assert "http" not in text.replace("http://www.w3.org", "")
    assert {"wrong", "identical", "line"} <= set(found.classes)
    assert "First divergence: layer 'mlp/first'" in " ".join(found.texts["p"])
    assert "mlp/first" in " ".join(found.texts["title"])
    boxes = [words.strip() for words in found.texts["text"]]
    assert {"first", "second", "step 3"} <= set(boxes)
    (data,) = [json.loads(t) for t in found.texts["script"] if t.startswith("[")]
    (worst,) = [
        r
        for r in data
        if r["name"] == "mlp/first"
        and r["verdict"] == "wrong"
        and r["mode"] == "inference"
    ]
    assert worst["engine"] == "faulty"
    assert worst["max_abs"] > worst["bound"]
    assert found.classes.count("line") == 3 + 2 * 3


def test_names_are_escaped():
    first = layers.Dense(2, name="a<script>b")
    model = keras.Sequential([keras.Input((2,)), first], name="<b>")
    report = keras.compare(model, backends=["numpy"])
    text = page(report)
    assert "<b>" not in text.replace("<b>—</b>", "")
    assert "a&lt;script&gt;b" in text
    Page(text)


def test_infinite_errors_are_shown():
    model = mlp()
    bad = Faulty({"relu": lambda right, x: right(x) / x.dtype.type(0)})
    report = keras.compare(model, backends=[bad], steps=0)
    assert "NaN or infinite on faulty" in page(report)


@pytest.mark.skipif(BROWSER is None, reason="needs a browser: Chromium or Chrome")
def test_a_browser_fills_the_table_in(wrong, tmp_path):
    done = subprocess.run(
        [
            *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu"),
            *(f"--user-data-dir={tmp_path}", "--dump-dom", wrong.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    body = done.stdout.partition('id="items"')[2].partition("</tbody>")[0]
    assert "mlp/first" in body
    assert " rows." in done.stdout


def test_graphs_go_through_ops_and_into_models():
    x = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="in")], name="m")
    y = ops.tanh(shared(x))
    z = inner(y)
    model = keras.Model(x, layers.Add(name="sum")([shared(z), y]), name="net")
    assert edges_of(model) == [
        ("net/shared", "net/m/in"),
        ("net/m/in", "net/shared[1]"),
        ("net/shared[1]", "net/sum"),
        ("net/shared", "net/sum"),
    ]


def test_calls_stand_below_what_feeds_them():
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("a", "d")]
    assert placed(list("abcd"), edges) == [
        *(Placed("a", 0, 0), Placed("b", 0, 1), Placed("c", 1, 1), Placed("d", 0, 2)),
    ]
    assert placed(["a", "b"], []) == [Placed("a", 0, 0), Placed("b", 0, 1)]


def test_a_model_that_is_code_has_no_edges():
    class Code(keras.Model):
        def __init__(self):
            super().__init__(name="code")
            self.dense = layers.Dense(2, name="dense")

        def call(self, x):
            return self.dense(x)

    model = Code()
    model.build((None, 3))
    assert edges_of(model) == []


def test_without_jinja_it_says_what_to_install(monkeypatch, tmp_path):
    report = keras.compare(mlp(), backends=["numpy"], steps=0)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(PolykerasError, match=r"polykeras\[conformance\]"):
        report.write_html(str(tmp_path / "page.html"))
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_it(tmp_path):
    path = tmp_path / "model.keras"
    mlp().save(path)
    written = tmp_path / "page.html"
    arguments = ["compare", str(path), "--backends", "numpy", "--html", str(written)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "mlp" in " ".join(Page(written.read_text(encoding="utf-8")).texts["h1"])
