"""Check derivatives: against differences in float64, and against the tape.

The truncation error of a central difference of fourth order is about ``h**4 / 30`` of
the fifth derivative, its rounding error about ``2e-16 / h`` of the value: both near
1e-12 for well-scaled functions, so the tolerance leaves room for steep ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from polykeras import dtypes, tree
from polykeras.autodiff import vjp
from polykeras.backend import REFERENCE, Array, active, use_backend

__all__ = [
    "Function",
    "check_gradient",
    "check_gradients_of",
    "library_derivatives",
]

STEP: Final = 3e-4
_EPSILON: Final = 2.0**-52

Function = Callable[..., list[Any]]


def check_gradient(
    fn: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    *,
    tolerance: float = 1e-7,
    step: float = STEP,
) -> None:
    """Check the derivatives of a function of arrays in float64.

    Args:
        fn: A function of tensors; its float results are differentiated.
        args: Float arrays are differentiated, in float64; integer arrays become
            tensors; everything else is passed as it is.
        order: 2 checks the derivative of the derivative too.
        tolerance: Allowed error relative to the largest entry, at least 1.
        step: Distance of the points of the difference; shorter beside kinks.
    """
    arrays = [np.asarray(a) if isinstance(a, np.generic) else a for a in args]
    wrt = [
        i
        for i, a in enumerate(arrays)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f"
    ]
    points = [arrays[i].astype(np.float64) for i in wrt]

    def make() -> Function:
        fixed = [_tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]

        def of_points(*at: Any) -> list[Any]:
            full = list(fixed)
            for i, p in zip(wrt, at, strict=True):
                full[i] = p
            return tree.flatten(fn(*full))

        return of_points

    name = getattr(fn, "__name__", "function")
    check_gradients_of(make, points, order, tolerance=tolerance, step=step, what=name)


def check_gradients_of(
    make: Callable[[], Function],
    points: Sequence[Array],
    order: int = 1,
    *,
    tolerance: float = 1e-7,
    step: float = STEP,
    what: str = "function",
    compiled: bool = False,
    found: Sequence[Array] | None = None,
) -> None:
    """Check the derivatives of a function of tensors.

    The tape's are compared with differences. Those of a library, value by value, with
    the tape's on the reference backend, which the suite checks in its turn.

    Args:
        make: Gives the function, for the backend that is active when it is called.
        points: Where, in float64.
        order: 2 checks the derivative of the derivative too.
        tolerance: Allowed error relative to the largest entry, at least 1.
        step: Distance of the points of the difference; shorter beside kinks.
        what: What is differentiated, for messages.
        compiled: Whether a library's are those of a compiled function.
        found: What `library_derivatives` gave, where it is known.

    Raises:
        AssertionError: With the argument, the order, and the error against its bound.
    """
    if active().capabilities.autodiff == "tape":
        _compare_with_differences(_floats(make()), points, order, tolerance, step, what)
        return
    if found is None:
        found = library_derivatives(make, points, order, compiled=compiled)
    with use_backend(REFERENCE):
        expected = _at(_derivatives(_floats(make()), order), points)
    for i, (native, taped) in enumerate(zip(found, expected, strict=True)):
        place = f"{what}: derivative of order {i // len(points) + 1}"
        place += f", argument {i % len(points)}"
        _assert_like(native, points[i % len(points)], place)
        size = max(1.0, float(np.max(np.abs(taped), initial=0.0)))
        worst = float(np.max(np.abs(native - taped), initial=0.0))
        worst = worst if np.isfinite(worst) else np.inf
        assert worst <= tolerance * size or _same(native, taped), (
            f"{place} (float64, shape {native.shape}): error {worst:.3g}, allowed "
            f"{tolerance * size:.3g}; got\n{native}\nexpected\n{taped}"
        )


def library_derivatives(
    make: Callable[[], Function],
    points: Sequence[Array],
    order: int,
    *,
    compiled: bool,
) -> list[Array]:
    """Return a library's derivatives, those of each order by each argument.

    Args:
        make: Gives the function.
        points: Where, in float64.
        order: The highest order.
        compiled: Whether they are those of a compiled function.
    """
    derivatives = _derivatives(_floats(make()), order)
    return _at(active().compile(derivatives) if compiled else derivatives, points)


def _same(a: Array, b: Array) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def _assert_like(gradient: Array, point: Array, what: str) -> None:
    assert gradient.shape == point.shape, (
        f"{what}: the gradient has shape {gradient.shape}, expected {point.shape}"
    )
    assert gradient.dtype == point.dtype, (
        f"{what}: the gradient has dtype {gradient.dtype}, expected {point.dtype}"
    )


def _tensor(x: Any) -> Any:
    return active().convert_to_tensor(x)


def _host(x: Any) -> Array:
    return active().to_numpy(x)


def _floats(fn: Function) -> Function:
    """Return `fn` without the results that have no derivative."""

    def only(*at: Any) -> list[Any]:
        return [x for x in fn(*at) if _is_float(x)]

    return only


def _is_float(x: Any) -> bool:
    name = x.dtype if isinstance(x.dtype, str) else active().dtype_name(x)
    return dtypes.is_float(name)


def _compare_with_differences(
    fn: Function,
    points: Sequence[Array],
    order: int,
    tolerance: float,
    step: float,
    what: str,
    nth: int = 1,
) -> None:
    rng = np.random.default_rng(7)
    outputs, pullback = vjp(fn, *[_tensor(p) for p in points])
    cotangents = [rng.uniform(0.5, 1.5, tuple(o.shape)) for o in outputs]
    pulled = pullback([_tensor(c) for c in cotangents])
    gradients = [_host(g) for g in tree.flatten(pulled)]

    def objective(*at: Array) -> float:
        results = fn(*[_tensor(a) for a in at])
        return sum(
            float(np.sum(c * _host(r)))
            for c, r in zip(cotangents, results, strict=True)
        )

    for i, (point, gradient) in enumerate(zip(points, gradients, strict=True)):
        place = f"{what}: derivative of order {nth}, argument {i}"
        _assert_like(gradient, point, place)
        for direction in _directions(point, rng):

            def at(t: float, i: int = i, v: Array = direction) -> float:
                return objective(*points[:i], points[i] + t * v, *points[i + 1 :])

            h = step
            numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
            analytic = float(np.sum(gradient * direction))
            # A difference rounds relative to the values that it subtracts.
            rounding = 16 * _EPSILON * abs(at(0.0)) / h
            allowed = tolerance * max(1.0, abs(numeric)) + rounding
            error = abs(analytic - numeric)
            assert error <= allowed, (
                f"{place} (float64, shape {point.shape}): error {error:.3g}, allowed "
                f"{allowed:.3g}; the tape gives {analytic!r}, a difference {numeric!r}"
            )
    if order > nth:

        def derivative(*at: Any) -> list[Any]:
            _, pull = vjp(fn, *at)
            return tree.flatten(pull([_tensor(c) for c in cotangents]))

        _compare_with_differences(
            derivative, points, order, tolerance * 10, step, what, nth + 1
        )


def _derivatives(fn: Function, order: int) -> Function:
    """Return the function that gives the gradients of every order up to `order`."""

    def derivatives(*at: Any) -> list[Any]:
        rng = np.random.default_rng(7)
        of, found = fn, []
        for _ in range(order):
            outputs, pullback = vjp(of, *at)
            cotangents = [rng.uniform(0.5, 1.5, tuple(o.shape)) for o in outputs]
            found += tree.flatten(pullback([_tensor(c) for c in cotangents]))

            def of(*at: Any, of: Function = of, given: Any = cotangents) -> list[Any]:
                _, pull = vjp(of, *at)
                return tree.flatten(pull([_tensor(c) for c in given]))

        return found

    return derivatives


def _at(fn: Function, points: Sequence[Array]) -> list[Array]:
    return [_host(x) for x in fn(*[_tensor(p) for p in points])]


def _directions(point: Array, rng: np.random.Generator) -> list[Array]:
    if point.size <= 4:
        return list(np.eye(point.size).reshape(point.size, *point.shape))
    return [rng.choice([-1.0, 1.0], point.shape) for _ in range(4)]
