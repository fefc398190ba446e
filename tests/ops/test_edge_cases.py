"""The edge cases that polykeras specifies, on every backend."""

import numpy as np
import pytest

from polykeras import errors, ops
from polykeras.autodiff import vjp
from polykeras.backend import REFERENCE, use_backend
from polykeras.ops._edge_cases import EDGE_CASES, EDGE_ERRORS, EDGE_SLOPES
from polykeras.ops._registry import REGISTRY
from tests.ops._checks import epsilon, host, raised, tensor


def arguments(case):
    """Return the arguments, those that the op takes as tensors in its dtype."""
    tensors = REGISTRY[case.op].op.single
    return [
        tensor(np.array(a), case.dtype) if i in tensors and a is not None else a
        for i, a in enumerate(case.args)
    ]


@pytest.mark.parametrize("case", EDGE_CASES, ids=lambda c: c.id)
def test_edge_case(backend, case):
    result = host(getattr(ops, case.op)(*arguments(case)))
    expected = np.array(case.result, result.dtype)
    np.testing.assert_allclose(
        result, expected, rtol=epsilon(case.dtype), atol=epsilon(case.dtype)
    )


@pytest.mark.parametrize("case", EDGE_ERRORS, ids=lambda c: c.id)
def test_edge_error(backend, case):
    kind, op = getattr(errors, case.error), getattr(ops, case.op)
    message = raised(kind, op, *arguments(case))
    assert all(words in message for words in case.words)
    with use_backend(REFERENCE):
        assert raised(kind, op, *arguments(case)) == message


@pytest.mark.parametrize("case", EDGE_ERRORS, ids=lambda c: c.id)
def test_edge_error_when_compiled(backend, case):
    kind, op = getattr(errors, case.error), getattr(ops, case.op)
    given = arguments(case)
    places = [i for i, a in enumerate(given) if backend.is_tensor(a)]

    def fn(*tensors):
        full = list(given)
        for i, x in zip(places, tensors, strict=True):
            full[i] = x
        known.append(all(map(backend.is_concrete, tensors)))
        return op(*full)

    known: list[bool] = []
    compiled = backend.compile(fn)
    values = [given[i] for i in places]
    try:
        result = host(compiled(*values))
    except kind:
        assert known[-1] or case.compiled is None
    else:
        assert not known[-1]
        np.testing.assert_array_equal(result, case.compiled)


@pytest.mark.parametrize("op, args, expected", EDGE_SLOPES, ids=lambda x: str(x)[:20])
def test_edge_slope(backend, op, args, expected):
    out, pullback = vjp(getattr(ops, op), *(tensor(np.array(a)) for a in args))
    found = pullback(ops.ones_like(out))
    found = found if isinstance(found, list | tuple) else [found]
    for gradient, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(host(gradient), wanted)
