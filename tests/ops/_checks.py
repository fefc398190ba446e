"""Checks that the tests of all ops share: values, abstract results, derivatives.

Bounds are stated in units of the last place (ULP) of the dtype and follow from
the length of the computation; see each argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import active
from polykeras.conformance import check_gradient
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


def raised(kind: type[Exception], fn: Callable[..., Any], *args: Any) -> str:
    """Return the message of the error that a call must raise."""
    try:
        fn(*args)
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was not raised.")


def _leaves(structure: Any) -> list[Any]:
    return list(tree.flatten_leaves(structure)[0])
