"""What goes wrong with plugins, and what the user reads."""

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import (
    SPI_VERSION,
    Backend,
    BackendSpec,
    hookimpl,
    use_backend,
)
from polykeras.backend._discovery import release
from polykeras.errors import (
    BackendNotFound,
    BackendUnavailable,
    IncompatibleBackend,
    OperationNotSupported,
)
from tests.backend._plugins import offering, plugin, registry_of, supplying, toy


def spec(name="toy", **changes):
    return BackendSpec(
        **{"name": name, "summary": "", "load": lambda: toy(name), **changes}
    )


def test_backend_is_loaded_on_first_use_and_once():
    loads = []

    def load():
        loads.append(1)
        return toy()

    found = registry_of(a=offering(spec(load=load)))
    assert found.names() == ["toy"]
    assert not loads
    first = found.load("toy")
    assert isinstance(first, Backend)
    assert found.load("toy") is first
    assert loads == [1]
    assert first.distribution == "dist-a"


def test_names_come_by_priority():
    found = registry_of(a=offering("b", "a", spec("z", priority=5)))
    assert found.names() == ["z", "a", "b"]


def test_unknown_name_lists_the_installed_and_the_nearest():
    found = registry_of(a=offering("numpy", "torch"))
    with pytest.raises(BackendNotFound) as caught:
        found.load("toch")
    assert "named 'toch'" in str(caught.value)
    assert "Did you mean 'torch'? Allowed: 'numpy', 'torch'." in str(caught.value)
    assert isinstance(caught.value, LookupError)


def test_unknown_name_tells_of_plugins_that_failed():
    with pytest.warns(RuntimeWarning, match="'bad'"):
        found = registry_of(bad=offering(3), good=offering("numpy"))
    with pytest.raises(BackendNotFound, match="'bad' failed to load: TypeError"):
        found.load("bad")


def test_missing_library_gives_the_command():
    wanted = spec(
        requires=(("no-such-library", "2.0"),),
        install_hint="pip install 'polykeras[x]'",
    )
    found = registry_of(a=offering(wanted))
    with pytest.raises(BackendUnavailable) as caught:
        found.load("toy")
    assert "needs no-such-library >= 2.0, which is not installed" in str(caught.value)
    assert "Install it with: pip install 'polykeras[x]'" in str(caught.value)
    assert isinstance(caught.value, ImportError)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ImportError("libfoo.so: no such file"),
            "its library failed to import: libfoo",
        ),
        (OSError("no driver"), "loading it raised OSError: no driver"),
    ],
    ids=["import", "other"],
)
def test_library_that_fails_to_load(error, words):
    def load():
        raise error

    found = registry_of(a=offering(spec(load=load, install_hint="pip install x")))
    for _ in range(2):
        with pytest.raises(BackendUnavailable, match="pip install x") as caught:
            found.load("toy")
        assert words in str(caught.value)
        assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "version",
    [(SPI_VERSION[0] + 1, 0), (SPI_VERSION[0], SPI_VERSION[1] + 1), (0, 9)],
    ids=["next major", "later minor", "old major"],
)
def test_incompatible_interface_names_both_versions(version):
    found = registry_of(a=offering(spec(spi_version=version)))
    with pytest.raises(IncompatibleBackend) as caught:
        found.load("toy")
    ours = ".".join(map(str, SPI_VERSION))
    theirs = ".".join(map(str, version))
    assert f"plugin interface {theirs}; this polykeras has {ours}" in str(caught.value)
    assert "dist-a 1.2" in str(caught.value)


def test_library_that_is_too_old_names_both_versions():
    wanted = spec(requires=(("numpy", "999.0"),), install_hint="pip install -U numpy")
    found = registry_of(a=offering(wanted))
    with pytest.raises(IncompatibleBackend) as caught:
        found.load("toy")
    assert f"numpy >= 999.0; installed is {np.__version__}" in str(caught.value)
    assert "pip install -U numpy" in str(caught.value)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.13.0+cpu", (2, 13, 0)), ("0.5rc1", (0, 5)), ("unknown", ())],
)
def test_release(version, expected):
    assert release(version) == expected


def test_two_plugins_with_one_name():
    found = registry_of(a=offering("toy"), b=offering("toy"), c=offering("other"))
    with pytest.raises(IncompatibleBackend) as caught:
        found.load("toy")
    assert "dist-a 1.2 and dist-b 1.2" in str(caught.value)
    assert "Uninstall one of them" in str(caught.value)
    assert found.load("other").name == "other"


def test_plugin_that_raises_is_warned_about_and_others_work():
    @hookimpl
    def polykeras_backends():
        raise ZeroDivisionError("oh\n  no")

    broken = plugin(polykeras_backends=polykeras_backends)
    with pytest.warns(RuntimeWarning) as warned:
        found = registry_of(broken=broken, good=offering("toy"))
    (message,) = [str(w.message) for w in warned]
    assert "'broken' of distribution 'dist-broken'" in message
    assert "ZeroDivisionError: oh no. Run `polykeras backends`" in message
    (failure,) = found.failures
    assert failure.plugin == "broken"
    assert "in polykeras_backends" in failure.traceback
    assert found.load("toy").name == "toy"


@pytest.mark.parametrize(
    ("name", "hook", "words"),
    [
        ("polykeras_kernels", lambda engine: {}, ["'engine'", "polykeras_kernels"]),
        ("polykeras_backend", lambda: [], ["unknown hook 'polykeras_backend'"]),
        ("polykeras_backends", lambda: ["toy"], ["list of BackendSpec", "['toy']"]),
        ("polykeras_backends", lambda: 5, ["list of BackendSpec", "5"]),
    ],
    ids=["wrong argument", "unknown hook", "wrong items", "no list"],
)
def test_wrong_hook_is_refused_at_the_door(name, hook, words):
    wrong = plugin(**{name: hookimpl(hook)})
    with pytest.warns(RuntimeWarning, match="'wrong'") as warned:
        found = registry_of(wrong=wrong, good=offering("toy"))
    text = str(warned[0].message)
    assert all(word in text for word in words), text
    assert found.failures[0].plugin == "wrong"
    assert found.manager.get_plugin("wrong") is None
    assert found.load("toy").name == "toy"


@pytest.mark.parametrize(
    "made", [None, toy("another")], ids=["no backend", "another name"]
)
def test_loader_that_gives_something_else(made):
    found = registry_of(a=offering(spec(load=lambda: made)))
    with pytest.raises(IncompatibleBackend, match="Backend named 'toy'"):
        found.load("toy")


# -- kernel plugins --------------------------------------------------------------


def test_kernel_plugin_replaces_a_kernel_of_its_backend_only():
    def mine(x):
        return x + 100

    fast = supplying(lambda backend: {"exp": mine} if backend.name == "a" else None)
    found = registry_of(base=offering("a", "b"), fast=fast)
    first, second = found.load("a"), found.load("b")
    assert first.kernels["exp"] is mine
    assert first.kernels.suppliers["exp"] == "dist-fast 1.2"
    assert first.kernels.suppliers["log"] == "dist-base"
    assert second.kernels["exp"] is not mine
    assert second.kernels.suppliers["exp"] == "dist-base"


def test_ops_call_the_kernel_of_a_plugin():
    fast = supplying(lambda backend: {"exp": lambda x: x + 100})
    found = registry_of(base=offering("toy"), fast=fast)
    with use_backend(found.load("toy")):
        assert ops.exp(np.ones(2)).tolist() == [101, 101]
        assert ops.log(np.ones(2)).tolist() == [0, 0]


def test_first_kernel_plugin_in_the_order_of_pluggy_wins():
    def one(x):
        return x

    def two(x):
        return x

    # pluggy calls the plugin that was registered last first.
    found = registry_of(
        base=offering("toy"),
        two=supplying(lambda backend: {"exp": two, "log": two}),
        one=supplying(lambda backend: {"exp": one}),
    )
    kernels = found.load("toy").kernels
    assert kernels["exp"] is one
    assert kernels["log"] is two
    assert kernels.suppliers["exp"] == "dist-one 1.2"
    assert kernels.suppliers["log"] == "dist-two 1.2"


def test_kernel_plugin_may_ask_to_come_first():
    @hookimpl(tryfirst=True)
    def polykeras_kernels(backend):
        return {"exp": abs}

    found = registry_of(
        base=offering("toy"),
        eager=plugin(polykeras_kernels=polykeras_kernels),
        last=supplying(lambda backend: {"exp": len}),
    )
    assert found.load("toy").kernels["exp"] is abs


@pytest.mark.parametrize(
    "bad", [lambda b: 1 / 0, lambda b: ["exp"], lambda b: {"exp": 3}]
)
def test_kernel_plugin_that_fails_is_left_out(bad):
    found = registry_of(base=offering("toy"), bad=supplying(bad))
    with pytest.warns(RuntimeWarning, match="'bad'"):
        backend = found.load("toy")
    assert set(backend.kernels.suppliers.values()) == {"dist-base"}
    assert [f.plugin for f in found.failures] == ["bad"]


def test_primitive_without_a_kernel_says_what_to_do():
    kernels = registry_of(a=offering("toy")).load("toy").kernels
    with pytest.raises(OperationNotSupported, match="'toy' has no kernel"):
        kernels["no_such_primitive"](1)
