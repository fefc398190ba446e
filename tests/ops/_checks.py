"""Checks that the tests of all ops share: values, abstract results, derivatives.

Bounds are stated in units of the last place (ULP) of the dtype and follow from
the length of the computation; see each argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import REFERENCE, active, use_backend
from polykeras.ops._abstract import Spec, evaluate, specs_like

__all__ = [
    "check_abstract",
    "check_gradient",
    "check_values",
    "epsilon",
    "host",
    "raised",
    "tensor",
]


def tensor(x: Any, dtype: str | None = None) -> Any:
    """Return a tensor of the active backend; arrays keep their dtype."""
    return active().convert_to_tensor(x, dtype)


def host(x: Any) -> np.ndarray:
    """Return a tensor's values as a NumPy array."""
    engine = active()
    return engine.to_numpy(x) if engine.is_tensor(x) else np.asarray(x)


def epsilon(dtype: str) -> float:
    """Return the spacing of a dtype at one; 0 for integers and booleans."""
    if not dtypes.is_inexact(dtype):
        return 0.0
    return float(ml_dtypes.finfo(dtypes.as_numpy_dtype(dtype)).eps)


def check_values(
    actual: Any,
    expected: Any,
    *,
    ulp: float = 4,
    scale: Any = 0.0,
    dtype: str | None = None,
) -> None:
    """Compare tensors with a reference.

    Args:
        actual: Tensors, possibly nested.
        expected: Arrays or numbers in the same order, best in float64.
        ulp: Allowed error in units of the last place of the result.
        scale: Magnitude of the terms that were summed, where they cancel: the
            unit is then that of ``max(abs(expected), scale)``.
        dtype: Canonical name that every result must have.
    """
    found, wanted = _leaves(actual), _leaves(expected)
    assert len(found) == len(wanted), f"{len(found)} results, expected {len(wanted)}"
    for a, e in zip(found, wanted, strict=True):
        name = active().dtype_name(a) if active().is_tensor(a) else str(a.dtype)
        if dtype is not None:
            assert name == dtype
        got, want = host(a), np.asarray(e)
        assert got.shape == want.shape
        if not dtypes.is_inexact(name):
            np.testing.assert_array_equal(got, want)
            continue
        wide = np.complex128 if dtypes.is_complex(name) else np.float64
        limits = ml_dtypes.finfo(dtypes.as_numpy_dtype(name))
        got, want = got.astype(wide), want.astype(wide)
        with np.errstate(all="ignore"):
            unit = float(limits.eps) * np.maximum(np.abs(want), scale)
            bound = ulp * (unit + float(limits.smallest_normal))
            close = np.abs(got - want) <= bound
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        assert np.all(close | same), (
            f"{name}: got\n{got}\nexpected\n{want}\nlargest error "
            f"{np.nanmax(np.abs(got - want) / bound, initial=0) * ulp:.3g} ULP of {ulp}"
        )


def check_abstract(fn: Callable[..., Any], *args: Any) -> Any:
    """Check that shapes and dtypes come out abstractly as they do eagerly.

    Args:
        fn: A function of tensors.
        args: Arrays become tensors; everything else is passed as it is.

    Returns:
        The eager results.
    """
    given = [tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    eager = fn(*given)
    abstract = evaluate(fn, [specs_like(a) for a in given])
    found = [Spec(tuple(x.shape), active().dtype_name(x)) for x in _leaves(eager)]
    assert [repr(s) for s in _leaves(abstract)] == [repr(s) for s in found]
    return eager


def check_gradient(
    fn: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    *,
    tolerance: float = 1e-7,
    step: float = 3e-4,
) -> None:
    """Check derivatives in float64.

    The tape's are compared with central differences of fourth order. Those of a
    library, value by value, with the tape's on the reference backend, which the
    same test checks in its turn.

    The truncation error is about ``step**4 / 30`` of the fifth derivative, the
    rounding error about ``2e-16 / step`` of the value: both near 1e-12 for
    well-scaled functions, so the tolerance leaves room for steep ones.

    Args:
        fn: A function of tensors; its float results are differentiated.
        args: Float arrays are differentiated, in float64; integer arrays become
            tensors; everything else is passed as it is.
        order: 2 checks the derivative of the derivative too.
        tolerance: Allowed error relative to the largest entry, at least 1.
        step: Distance of the points of the difference.
    """
    arrays = [np.asarray(a) if isinstance(a, np.generic) else a for a in args]
    wrt = [
        i
        for i, a in enumerate(arrays)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f"
    ]
    points = [arrays[i].astype(np.float64) for i in wrt]

    def of_wrt() -> Callable[..., list[Any]]:
        fixed = [tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]

        def call(*at: Any) -> list[Any]:
            full = list(fixed)
            for i, p in zip(wrt, at, strict=True):
                full[i] = p
            return [x for x in _leaves(fn(*full)) if _is_float(x)]

        return call

    if active().capabilities.autodiff == "tape":
        _check(of_wrt(), points, order, tolerance, step)
        return
    found = _derivatives(of_wrt(), points, order)
    with use_backend(REFERENCE):
        expected = _derivatives(of_wrt(), points, order)
    for i, (native, taped) in enumerate(zip(found, expected, strict=True)):
        assert native.shape == taped.shape
        assert native.dtype == np.float64
        size = max(1.0, np.max(np.abs(taped), initial=0.0))
        worst = np.max(np.abs(native - taped), initial=0.0)
        assert worst <= tolerance * size, f"{i}: got\n{native}\nexpected\n{taped}"


def raised(kind: type[Exception], fn: Callable[..., Any], *args: Any) -> str:
    """Return the message of the error that a call must raise."""
    try:
        fn(*args)
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was not raised.")


def _check(
    fn: Callable[..., list[Any]],
    points: list[np.ndarray],
    order: int,
    tolerance: float,
    step: float,
) -> None:
    from polykeras.autodiff import vjp

    rng = np.random.default_rng(7)
    outputs, pullback = vjp(fn, *[tensor(p) for p in points])
    cotangents = [rng.uniform(0.5, 1.5, tuple(o.shape)) for o in outputs]
    pulled = pullback([tensor(c) for c in cotangents])
    gradients = [host(g) for g in _leaves(pulled)]

    def objective(*at: np.ndarray) -> float:
        results = fn(*[tensor(a) for a in at])
        return sum(
            float(np.sum(c * host(r))) for c, r in zip(cotangents, results, strict=True)
        )

    for i, (point, gradient) in enumerate(zip(points, gradients, strict=True)):
        assert gradient.shape == point.shape
        assert gradient.dtype == np.float64
        for direction in _directions(point, rng):

            def at(t: float, i: int = i, v: np.ndarray = direction) -> float:
                return objective(*points[:i], points[i] + t * v, *points[i + 1 :])

            h = step
            numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
            analytic = float(np.sum(gradient * direction))
            size = max(1.0, abs(numeric))
            assert abs(analytic - numeric) <= tolerance * size, (
                f"argument {i}: derivative {analytic!r}, difference {numeric!r}"
            )
    if order > 1:

        def derivative(*at: Any) -> list[Any]:
            _, pull = vjp(fn, *at)
            return _leaves(pull([tensor(c) for c in cotangents]))

        _check(derivative, points, order - 1, tolerance * 10, step)


def _derivatives(
    fn: Callable[..., list[Any]], points: list[np.ndarray], order: int
) -> list[np.ndarray]:
    """Return the gradients of every order up to `order`."""
    from polykeras.autodiff import vjp

    rng = np.random.default_rng(7)
    found: list[np.ndarray] = []
    for _ in range(order):
        outputs, pullback = vjp(fn, *[tensor(p) for p in points])
        cotangents = [rng.uniform(0.5, 1.5, tuple(o.shape)) for o in outputs]
        found += [host(g) for g in _leaves(pullback([tensor(c) for c in cotangents]))]

        def fn(*at: Any, fn: Any = fn, cotangents: Any = cotangents) -> list[Any]:
            _, pull = vjp(fn, *at)
            return _leaves(pull([tensor(c) for c in cotangents]))

    return found


def _directions(point: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    if point.size <= 8:
        units = np.eye(point.size).reshape(point.size, *point.shape)
        return list(units)
    return [rng.choice([-1.0, 1.0], point.shape) for _ in range(6)]


def _is_float(x: Any) -> bool:
    name = x.dtype if isinstance(x.dtype, str) else active().dtype_name(x)
    return dtypes.is_float(name)


def _leaves(structure: Any) -> list[Any]:
    return list(tree.flatten_leaves(structure)[0])
