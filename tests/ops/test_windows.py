"""Convolution and pooling, against sums written out cell by cell."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from polykeras import config, ops
from polykeras.autodiff import vjp
from polykeras.autodiff._tape import tape_vjp
from polykeras.ops._window_geometry import resolve_padding
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    tensor,
)

RNG = np.random.default_rng(3)
SIZES = (7, 6, 5)


def apart(shape):
    """Return values that a small step cannot put in another order."""
    return RNG.permutation(np.linspace(-3, 3, math.prod(shape))).reshape(shape)


def windows(x, window, strides, padding, dilation, fill):
    """Yield the index of each window with its cells ``(B, *window, C)``."""
    pairs = resolve_padding("", padding, x.shape[1:-1], window, strides, dilation)
    x = np.pad(x, [(0, 0), *pairs, (0, 0)], constant_values=fill)
    counts = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    for index in itertools.product(*map(range, counts)):
        cells = tuple(
            slice(i * s, i * s + (k - 1) * d + 1, d)
            for i, k, s, d in zip(index, window, strides, dilation, strict=True)
        )
        yield tuple(counts), index, x[(slice(None), *cells)]


def reference_conv(x, kernel, strides, padding, dilation):
    rank = x.ndim - 2
    window, (per_group, filters) = kernel.shape[:-2], kernel.shape[-2:]
    groups = x.shape[-1] // per_group
    out = None
    for counts, index, cells in windows(x, window, strides, padding, dilation, 0):
        if out is None:
            out = np.zeros((x.shape[0], *counts, filters))
        for f in range(filters):
            g = f // (filters // groups)
            part = cells[..., g * per_group : (g + 1) * per_group]
            axes = tuple(range(1, rank + 2))
            out[(slice(None), *index, f)] = np.sum(part * kernel[..., f], axis=axes)
    return out


def reference_pool(x, window, strides, padding, reduce):
    out = None
    ones = (1,) * len(window)
    for counts, index, cells in windows(x, window, strides, padding, ones, np.nan):
        if out is None:
            out = np.zeros((x.shape[0], *counts, x.shape[-1]))
        axes = tuple(range(1, x.ndim - 1))
        out[(slice(None), *index)] = reduce(cells, axis=axes)
    return out


CONVS = [
    # rank, channels, groups, filters, window, stride, dilation
    (1, 3, 1, 4, 3, 1, 1),
    (1, 4, 2, 6, 2, 2, 1),
    (2, 3, 1, 4, 1, 1, 1),
    (2, 3, 1, 4, 1, 2, 1),
    (2, 3, 1, 5, 3, 1, 1),
    (2, 3, 1, 5, 3, 2, 1),
    (2, 2, 1, 3, 2, 3, 2),
    (2, 4, 4, 8, 3, 1, 1),
    (2, 4, 2, 4, 2, 2, 1),
    (3, 2, 1, 3, 2, 2, 1),
    (3, 2, 2, 2, 2, 1, 1),
]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("case", CONVS, ids=str)
def test_conv(backend, case, padding):
    rank, channels, groups, filters, k, s, d = case
    x = RNG.normal(size=(2, *SIZES[:rank], channels)).astype(np.float32)
    kernel = RNG.normal(size=(*(k,) * rank, channels // groups, filters))
    kernel = kernel.astype(np.float32)
    strides, dilation = (s,) * rank, (d,) * rank
    out = check_abstract(
        lambda x, w: ops.conv(x, w, s, padding, "channels_last", d), x, kernel
    )
    wide = x.astype(np.float64), kernel.astype(np.float64)
    expected = reference_conv(*wide, strides, padding, dilation)
    size = reference_conv(abs(wide[0]), abs(wide[1]), strides, padding, dilation)
    check_values(out, expected, ulp=k**rank * channels, scale=size, dtype="float32")
    first = ops.conv(np.moveaxis(x, -1, 1), kernel, s, padding, "channels_first", d)
    check_values(
        first, np.moveaxis(expected, -1, 1), ulp=k**rank * channels, scale=size.max()
    )


@pytest.mark.parametrize("case", CONVS, ids=str)
def test_conv_gradient(backend, case):
    rank, channels, groups, filters, k, s, d = case
    x = RNG.normal(size=(2, *SIZES[:rank], channels))
    kernel = RNG.normal(size=(*(k,) * rank, channels // groups, filters))
    for padding in ("valid", "same"):
        check_gradient(
            lambda x, w, p=padding: ops.conv(x, w, s, p, "channels_last", d),
            [x, kernel],
        )


def on_tape(fn, points, cotangents):
    _, pullback, _ = tape_vjp(lambda *p: ([fn(*p)], None), points)
    return pullback([cotangents])


def test_rules_agree_with_engines(backend):
    """Our derivative rules give what the backend's own autodiff gives."""
    x = tensor(RNG.normal(size=(2, 7, 6, 4)))
    kernel = tensor(RNG.normal(size=(3, 2, 2, 6)))
    for fn, points in [
        (lambda x, w: ops.conv(x, w, 2, "same"), [x, kernel]),
        (lambda x: ops.max_pool(x, 3, 2, "same"), [x]),
        (lambda x: ops.average_pool(x, (3, 2), 2, "same"), [x]),
        (
            lambda x, w: ops.conv_transpose(x, w, 2, "same"),
            [x, tensor(RNG.normal(size=(3, 2, 5, 4)))],
        ),
    ]:
        out, pullback = vjp(fn, *points)
        g = tensor(RNG.normal(size=tuple(out.shape)))
        native = pullback(g)
        native = native if isinstance(native, list | tuple) else [native]
        for ours, theirs in zip(on_tape(fn, points, g), native, strict=True):
            check_values(ours, host(theirs), ulp=200, scale=10)


@pytest.mark.parametrize("name", ["conv", "conv_transpose", "pool"])
def test_second_derivatives(backend, name):
    x = apart((1, 5, 4, 2))
    kernel = RNG.normal(size=(2, 2, 2, 2))
    cases = {
        "conv": lambda x, w: ops.square(ops.conv(x, w, 2, "same")),
        "conv_transpose": lambda x, w: ops.square(ops.conv_transpose(x, w, 2)),
        "pool": lambda x, w: ops.multiply(
            ops.square(ops.max_pool(x, 2)), ops.square(ops.average_pool(x, 2))
        ),
    }
    check_gradient(cases[name], [x, kernel], order=2)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("output_padding", [None, 0, 1])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose(backend, rank, padding, output_padding):
    """The result is the adjoint of a convolution: <conv(y), x> = <y, transpose(x)>."""
    for k, s, d in ((3, 2, 1), (2, 3, 1), (1, 2, 1), (3, 1, 1), (4, 2, 1), (3, 2, 2)):
        if output_padding is not None and output_padding >= s:
            continue
        x = RNG.normal(size=(2, *(4, 3, 2)[:rank], 3))
        kernel = RNG.normal(size=(*(k,) * rank, 2, 3))
        out = check_abstract(
            lambda x, w, s=s, d=d: ops.conv_transpose(
                x, w, s, padding, output_padding, None, d
            ),
            x,
            kernel,
        )
        span = (k - 1) * d + 1
        if output_padding is None:
            extra = max(span - s, 0) if padding == "valid" else 0
            sizes = [n * s + extra for n in x.shape[1:-1]]
        else:
            crop = 0 if padding == "valid" else span // 2
            sizes = [
                (n - 1) * s + span - 2 * crop + output_padding for n in x.shape[1:-1]
            ]
        assert tuple(out.shape) == (2, *sizes, 2)
        if padding == "valid" and output_padding in (None, 0):
            y = RNG.normal(size=out.shape)
            forward = reference_conv(y, kernel, (s,) * rank, "valid", (d,) * rank)
            # More cells than windows reach may be there; they are zeros.
            reached = forward[tuple(slice(0, n) for n in x.shape[:-1])]
            np.testing.assert_allclose(
                np.sum(host(out) * y), np.sum(reached * x), rtol=1e-10
            )


def test_conv_transpose_aligns_as_keras_does(backend):
    """Values that Keras 3.15 gives, for an odd and an even window."""
    x = np.array([[[1.0], [2.0], [3.0]]])
    for k, padding, expected in [
        (3, "same", [1, 1, 3, 2, 5, 3]),
        (2, "same", [1, 1, 2, 2, 3, 3]),
        (3, "valid", [1, 1, 3, 2, 5, 3, 3]),
    ]:
        out = ops.conv_transpose(x, np.ones((k, 1, 1)), 2, padding)
        check_values(out, np.array(expected, float).reshape(1, -1, 1))


POOLS = [(1, 2, 2), (1, 3, 1), (2, 2, 2), (2, 3, 2), (2, 3, 1), (3, 2, 2), (3, 2, 1)]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pool(backend, case, padding):
    rank, k, s = case
    x = apart((2, *SIZES[:rank], 3)).astype(np.float32)
    args = (k,) * rank, (s,) * rank, padding
    largest = check_abstract(lambda x: ops.max_pool(x, k, s, padding), x)
    check_values(largest, reference_pool(x, *args, np.nanmax), ulp=0, dtype="float32")
    mean = check_abstract(lambda x: ops.average_pool(x, k, s, padding), x)
    expected = reference_pool(x.astype(np.float64), *args, np.nanmean)
    check_values(mean, expected, ulp=k**rank + 2, scale=np.abs(x).max())
    first = np.moveaxis(x, -1, 1)
    check_values(
        ops.max_pool(first, k, s, padding, "channels_first"),
        np.moveaxis(host(largest), -1, 1),
        ulp=0,
    )
    check_gradient(lambda x: ops.max_pool(x, k, s, padding), [x])
    check_gradient(lambda x: ops.average_pool(x, k, s, padding), [x])


def test_max_pool_gradient_goes_to_the_first_maximum(backend):
    x = np.array([1.0, 1.0, 0.0, 2.0, 2.0, 2.0]).reshape(1, 6, 1)
    _, pullback = vjp(lambda x: ops.max_pool(x, 3), tensor(x))
    found = pullback(tensor(np.ones((1, 2, 1))))
    found = found[0] if isinstance(found, list | tuple) else found
    assert host(found)[0, :, 0].tolist() == [1, 0, 0, 1, 0, 0]


def test_max_pool_of_integers_and_nan(backend):
    x = np.array([-5, -3, -9], np.int32).reshape(1, 3, 1)
    out = ops.max_pool(x, 2, padding="same")
    check_values(out, np.array([-3, -9]).reshape(1, 2, 1), dtype="int32")
    holes = np.array([1, np.nan, 2, 3], np.float32).reshape(1, 4, 1)
    found = host(ops.max_pool(holes, 2))[0, :, 0]
    assert np.isnan(found[0])
    assert found[1] == 3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_dtypes(backend, dtype):
    x = ops.cast(RNG.normal(size=(1, 4, 4, 2)), dtype)
    kernel = ops.cast(RNG.normal(size=(3, 3, 2, 2)), dtype)
    exact = reference_conv(
        host(x).astype(float), host(kernel).astype(float), (1, 1), "same", (1, 1)
    )
    check_values(ops.conv(x, kernel, 1, "same"), exact, ulp=18, scale=8, dtype=dtype)
    for fn in (ops.max_pool, ops.average_pool):
        assert ops.dtype(fn(x, 2)) == dtype
    assert ops.dtype(ops.conv(np.ones((1, 3, 1), int), np.ones((1, 1, 1)))) == "float64"


def test_depthwise_and_separable(backend):
    x = RNG.normal(size=(2, 6, 5, 3))
    depthwise = RNG.normal(size=(3, 2, 3, 2))
    pointwise = RNG.normal(size=(1, 1, 6, 4))
    mid = np.concatenate(
        [
            reference_conv(
                x[..., c : c + 1], depthwise[:, :, c : c + 1], (2, 2), "same", (1, 1)
            )
            for c in range(3)
        ],
        axis=-1,
    )
    check_values(ops.depthwise_conv(x, depthwise, 2, "same"), mid, ulp=20, scale=8)
    out = ops.separable_conv(x, depthwise, pointwise, 2, "same")
    check_values(out, mid @ pointwise[0, 0], ulp=40, scale=30)
    check_gradient(
        lambda x, d, p: ops.separable_conv(x, d, p, 2, "same"),
        [x, depthwise, pointwise],
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5, (4, 3), (None, 2)], ids=str)
def test_adaptive_pools(backend, size):
    x = RNG.normal(size=(2, 7, 6, 3))
    wanted = size if isinstance(size, tuple) else (size, size)
    wanted = [m or n for m, n in zip(wanted, x.shape[1:3], strict=True)]
    spans = [
        [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        for n, m in zip(x.shape[1:3], wanted, strict=True)
    ]
    for op, reduce in [
        (ops.adaptive_average_pool, np.mean),
        (ops.adaptive_max_pool, np.max),
    ]:
        expected = np.stack(
            [
                np.stack(
                    [reduce(x[:, a:b, c:d], axis=(1, 2)) for c, d in spans[1]], axis=1
                )
                for a, b in spans[0]
            ],
            axis=1,
        )
        out = check_abstract(lambda x, op=op: op(x, size), x)
        check_values(out, expected, ulp=20, scale=2)
        first = op(np.moveaxis(x, -1, 1), size, "channels_first")
        check_values(first, np.moveaxis(expected, -1, 1), ulp=20, scale=2)


def test_unfold_and_fold(backend):
    x = RNG.normal(size=(2, 3, 5, 6))
    settings = {"dilation": 1, "padding": (1, 0), "stride": (2, 1)}
    columns = check_abstract(lambda x: ops.unfold(x, (3, 2), **settings), x)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    expected = np.stack(
        [
            padded[:, :, i : i + 3, j : j + 2].reshape(2, -1)
            for i in range(0, 5, 2)
            for j in range(5)
        ],
        axis=-1,
    )
    check_values(columns, expected, ulp=0)
    y = RNG.normal(size=columns.shape)
    image = check_abstract(lambda y: ops.fold(y, (5, 6), (3, 2), **settings), y)
    np.testing.assert_allclose(
        np.sum(host(image) * x), np.sum(expected * y), rtol=1e-10
    )
    check_gradient(lambda y: ops.fold(y, (5, 6), (3, 2), **settings), [y])


def test_data_format_defaults_to_the_setting(backend, monkeypatch):
    monkeypatch.setattr(config, "_image_data_format", "channels_first")
    assert tuple(ops.max_pool(np.ones((1, 3, 4, 4)), 2).shape) == (1, 3, 2, 2)
