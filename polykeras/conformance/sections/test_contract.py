"""Contract: the backend is what `polykeras.backend.Backend` says it is."""

from __future__ import annotations

import inspect
from typing import Any, Final

import ml_dtypes
import numpy as np
import pytest

import polykeras.random  # noqa: F401 declares the ops of dropout
from polykeras import dtypes
from polykeras.backend import Backend, Capabilities, engine_scope
from polykeras.errors import ArgumentError, OperationNotSupported
from polykeras.ops._registry import REGISTRY

METHODS: Final = sorted(
    name
    for name, member in vars(Backend).items()
    if inspect.isfunction(member) and not name.startswith("_")
)
PRIMITIVES: Final = sorted(
    name
    for name, fn in REGISTRY.items()
    if fn.op.is_primitive  # type: ignore[attr-defined]
)
X: Final = np.array([[1.5, -2.0, 0.0], [3.25, 4.0, -0.5]], np.float32)


def _call_shape(fn: Any) -> list[tuple[str, Any, Any]]:
    return [
        (p.name, p.kind, p.default) for p in inspect.signature(fn).parameters.values()
    ]


@pytest.mark.parametrize("name", METHODS)
def test_methods_keep_the_signature_of_the_base(backend: Backend, name: str) -> None:
    assert _call_shape(getattr(type(backend), name)) == _call_shape(
        getattr(Backend, name)
    )


def test_attributes_have_their_types(backend: Backend) -> None:
    assert isinstance(backend.name, str)
    assert backend.name
    assert isinstance(backend.tensor_type, type)
    assert isinstance(backend.inexact, frozenset)
    assert isinstance(backend.capabilities, Capabilities)
    assert isinstance(backend.library_version(), str)
    assert backend.host is backend


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_has_a_kernel(backend: Backend, name: str) -> None:
    op = REGISTRY[name].op  # type: ignore[attr-defined]
    assert name in backend.own_kernels() or op.has_default, (
        f"The backend {backend.name!r} supplies no kernel for the primitive {name!r}"
    )


def test_kernels_belong_to_ops(backend: Backend) -> None:
    unknown = sorted(set(backend.own_kernels()) - set(REGISTRY))
    assert unknown == [], f"kernels of ops that do not exist: {unknown}"


def test_kernels_take_the_arguments_of_their_op(backend: Backend) -> None:
    unfit = {}
    for name, kernel in backend.own_kernels().items():
        op = REGISTRY[name].op  # type: ignore[attr-defined]
        try:
            signature = inspect.signature(kernel)
        except (ValueError, TypeError):
            continue  # written in C; the section "values" calls it in full
        try:
            signature.bind(*[None] * len(op.names))
        except TypeError as error:
            unfit[name] = str(error)
    assert unfit == {}, f"kernels that do not take their op's arguments: {unfit}"


def test_eager_tensors_have_the_declared_type(backend: Backend) -> None:
    x = backend.from_numpy(X, "float32")
    assert type(x) is backend.tensor_type
    assert backend.is_tensor(x)
    assert x.dtype in backend.inexact
    whole = backend.from_numpy(np.arange(3), "int32")
    assert whole.dtype not in backend.inexact
    assert tuple(x.shape) == (2, 3)


def test_only_tensors_are_tensors(backend: Backend) -> None:
    for other in (1, 2.0, [1.0], "x", None, object()):
        assert not backend.is_tensor(other)


def test_values_are_those_given(backend: Backend) -> None:
    x = backend.from_numpy(X, "float32")
    values = backend.to_numpy(x)
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, X)
    assert backend.is_concrete(x)


def test_tensors_share_no_memory_with_what_they_are_made_of(backend: Backend) -> None:
    source = X.copy()
    x = backend.from_numpy(source, "float32")
    source[:] = 9
    np.testing.assert_array_equal(backend.to_numpy(x), X)


@pytest.mark.parametrize(
    "layout",
    [
        X.T,
        X[:, ::-1],
        X[::2, 1:],
        np.broadcast_to(X[0], (4, 3)),
        X[:0],
        np.asarray(X[0, 0]),
        X.astype(X.dtype.newbyteorder()),
    ],
    ids=["transposed", "reversed", "strided", "broadcast", "empty", "0-d", "swapped"],
)
def test_arrays_of_any_layout_become_tensors(backend: Backend, layout: Any) -> None:
    x = backend.from_numpy(layout, "float32")
    assert tuple(x.shape) == layout.shape
    np.testing.assert_array_equal(backend.to_numpy(x), layout)


def test_read_only_arrays_become_tensors(backend: Backend) -> None:
    source = X.copy()
    source.flags.writeable = False
    np.testing.assert_array_equal(
        backend.to_numpy(backend.from_numpy(source, "float32")), X
    )


def test_scalars_are_accepted_by_kernels(backend: Backend) -> None:
    two = backend.scalar(2.0, "float32")
    product = backend.kernels["multiply"](backend.from_numpy(X, "float32"), two)
    np.testing.assert_array_equal(backend.to_numpy(product), 2 * X)
    assert backend.dtype_name(product) == "float32"


def test_numbers_beside_tensors_fit_or_are_infinite_or_refused(
    backend: Backend,
) -> None:
    whole = backend.from_numpy(np.array([1, 2]), "uint8")
    single = backend.from_numpy(X, "float32")
    with engine_scope(backend):
        for number in (-1, 256, 10**400):
            with pytest.raises(ArgumentError, match="does not fit into uint8"):
                REGISTRY["add"](whole, number)
        total = REGISTRY["add"](whole, 253)
        low = REGISTRY["add"](single, -1e300)
    assert backend.to_numpy(total).tolist() == [254, 255]
    np.testing.assert_array_equal(backend.to_numpy(low), np.full(X.shape, -np.inf))
    assert backend.dtype_name(low) == "float32"


def test_python_numbers_take_the_default_dtypes(backend: Backend) -> None:
    for value, dtype in ((3, "int32"), (3.0, "float32"), (True, "bool")):
        x = backend.convert_to_tensor(value)
        assert backend.dtype_name(x) == dtype
        assert tuple(x.shape) == ()
    assert backend.dtype_name(backend.convert_to_tensor([1, 2])) == "int32"
    assert backend.dtype_name(backend.convert_to_tensor([[1.0], [2.0]])) == "float32"


def test_conversion_keeps_tensors(backend: Backend) -> None:
    x = backend.from_numpy(X, "float32")
    assert backend.convert_to_tensor(x) is x
    wide = backend.convert_to_tensor(x, "int32")
    assert backend.dtype_name(wide) == "int32"
    np.testing.assert_array_equal(backend.to_numpy(wide), X.astype("int32"))


def test_ragged_lists_are_refused(backend: Backend) -> None:
    with pytest.raises(ArgumentError, match="rectangular"):
        backend.convert_to_tensor([[1.0], [2.0, 3.0]])


def test_small_floats_keep_their_bits(backend: Backend) -> None:
    if "bfloat16" not in backend.capabilities.dtypes:
        return
    source = np.array([1.0, 1 + 2**-7, -3.5], ml_dtypes.bfloat16)
    x = backend.from_numpy(source, "bfloat16")
    assert backend.dtype_name(x) == "bfloat16"
    found = backend.to_numpy(x)
    assert found.dtype == dtypes.as_numpy_dtype("bfloat16")
    np.testing.assert_array_equal(found.view("uint16"), source.view("uint16"))


def test_devices_hold_tensors(backend: Backend) -> None:
    names = backend.devices()
    assert names
    assert len(set(names)) == len(names)
    for name in names:
        with backend.device_scope(name):
            x = backend.from_numpy(X, "float32")
        np.testing.assert_array_equal(backend.to_numpy(x), X)
    backend.synchronize()


def test_unknown_devices_are_refused(backend: Backend) -> None:
    with (
        pytest.raises(ArgumentError, match="no device 'abacus:0'"),
        backend.device_scope("abacus:0"),
    ):
        pass


def test_precisions_are_scopes(backend: Backend) -> None:
    names = backend.precisions()
    assert "float32" in names
    for name in names:
        with engine_scope(backend), backend.step_scope(), backend.precision_scope(name):
            x = backend.from_numpy(X, "float32")
            y = backend.kernels["matmul"](x, backend.kernels["transpose"](x, (1, 0)))
        # TF32 rounds both factors to 11 bits.
        limit = 2 * 2.0**-11 * np.abs(X) @ np.abs(X.T)
        assert np.all(np.abs(backend.to_numpy(y) - X @ X.T) <= limit)
    with (
        pytest.raises(OperationNotSupported, match="'half' is not available"),
        backend.precision_scope("half"),
    ):
        pass


def test_scopes_nest_and_leave_on_errors(backend: Backend) -> None:
    with engine_scope(backend), backend.step_scope(), backend.dtype_scope("float64"):
        inner = backend.from_numpy(X, "float64")
        with pytest.raises(KeyError), backend.step_scope():
            raise KeyError
        total = backend.kernels["add"](inner, inner)
        assert backend.dtype_name(total) == "float64"
