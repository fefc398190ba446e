"""Backends that are wrong in one place each, and where the suite has to notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polykeras import ops, tree
from polykeras.autodiff._tape import tape_vjp
from polykeras.conformance import EXACT, OpCase, Sample, summed
from polykeras.conformance._samples import real
from polykeras.errors import ShapeError
from polykeras_numpy.backend import NumpyBackend

__all__ = ["ALL", "CASES", "Broken"]


class Base(NumpyBackend):
    """NumPy under another name, some of whose kernels are changed.

    Args:
        changes: Op name to a function of the right kernel and its arguments.
    """

    def __init__(self, changes: dict[str, Callable[..., Any]] | None = None) -> None:
        super().__init__()
        self.name = "broken"
        self.changes = changes or {}

    def own_kernels(self):
        table = dict(super().own_kernels())
        for op, change in self.changes.items():
            table[op] = _changed(table.get(op), change)
        return table


def _changed(right, change):
    return lambda *args: change(right, *args)


@dataclass(frozen=True)
class Broken:
    """One way of being wrong.

    Args:
        name: What is wrong.
        make: Gives the backend.
        section: The section that claims to notice.
        words: What the message has to say.
        ops: The ops to which the run keeps, for speed.
        case: The case that fails.
    """

    name: str
    make: Callable[[], NumpyBackend]
    section: str
    words: tuple[str, ...]
    ops: tuple[str, ...] = ()
    case: str = ""


ALL: list[Broken] = []


def kernel(op: str, section: str, *words: str, on: str = "", case: str = ""):
    """Add a backend with one wrong kernel; the function's name says what is wrong."""

    def add(change):
        ALL.append(
            Broken(
                change.__name__,
                lambda: Base({op: change}),
                section,
                words,
                ops=(on,) if on else (),
                case=case,
            )
        )
        return change

    return add


def backend(section: str, *words: str, on: str = "", case: str = ""):
    """Add a backend with a wrong method."""

    def add(cls):
        ops_run = (on,) if on else ()
        ALL.append(Broken(cls.__name__, cls, section, words, ops_run, case))
        return cls

    return add


# -- values ------------------------------------------------------------------------


@kernel("exp", "values", "exp/float32/2x3", "ULP of float32", "allowed 4", on="exp")
def slightly_wrong_values(right, x):
    return right(x) * x.dtype.type(1 + 1e-6)


@kernel("exp", "values", "exp/float32", "dtype float64, expected float32", on="exp")
def float64_leaks(right, x):
    return right(x.astype(np.float64))


@kernel("sum", "values", "sum/float16/5000", "ULP of float16", "allowed", on="sum")
def sums_accumulate_in_float16(right, x, axis, keepdims, *rest):
    if x.dtype != np.float16:
        return right(x, axis, keepdims, *rest)
    total = np.add.accumulate(x.reshape(-1))[-1:]
    return np.array(total[0], x.dtype)


@kernel("exp", "values", "exp/float32/()", "shape (1,), expected ()", on="exp")
def scalars_gain_an_axis(right, x):
    return right(np.atleast_1d(x))


@kernel("sqrt", "values", "sqrt/bfloat16", "ULP of bfloat16", "allowed 1", on="sqrt")
def bfloat16_is_cut_by_two_bits(right, x):
    found = right(x)
    if found.dtype.name != "bfloat16":
        return found
    return (found.view(np.uint16) & np.uint16(0xFFFC)).view(found.dtype)


# -- dtypes ------------------------------------------------------------------------


@kernel("add", "dtypes", "add of uint8 and int8", "dtype int32, expected int16")
def small_integers_are_widened(right, x, y):
    found = right(x, y)
    return found.astype(np.int32) if found.dtype == np.int16 else found


@backend("dtypes", "add of float16 and float*", "expected float16")
class PythonNumbersAreStrong(Base):
    def scalar(self, value, dtype):
        return np.asarray(value)


@kernel("logaddexp", "dtypes", "logaddexp of int64, float16", "float32", on="logaddexp")
def half_floats_come_back_wide(right, x, y):
    found = right(x, y)
    return found.astype(np.float32) if found.dtype == np.float16 else found


# -- edge cases --------------------------------------------------------------------


@kernel("argmax", "edge_cases", "argmax of int32", "the first of equals", "expected")
def the_last_of_equals_wins(right, x, axis, keepdims):
    if axis is not None or x.ndim != 1 or x.dtype.kind == "f":
        return right(x, axis, keepdims)
    return np.asarray(x.size - 1 - np.argmax(x[::-1]), np.int32)


@kernel("prod", "edge_cases", "prod of float32", "the product of nothing")
def the_product_of_nothing_is_zero(right, x, *rest):
    return right(x, *rest) if x.size else np.zeros_like(right(x, *rest))


@kernel("maximum", "edge_cases", "maximum of float32", "NaN propagates")
def nan_loses(right, x, y):
    return np.fmax(x, y)


@kernel("left_shift", "edge_cases", "left_shift of int32", "shifted out of the word")
def shifts_wrap(right, x, y):
    return np.left_shift(x, y & 31)


@kernel("take", "edge_cases", "take of int32", "IndexError", "expected ArgumentError")
def another_error_is_raised(right, x, indices, axis, *rest):
    if np.any(indices >= x.shape[axis]) or np.any(indices < -x.shape[axis]):
        raise IndexError("list index out of range")
    return right(x, indices, axis, *rest)


@kernel("take", "edge_cases", "take of int32", "None was raised, expected Argument")
def errors_are_swallowed(right, x, indices, axis, *rest):
    size = x.shape[axis]
    return right(x, np.clip(indices, -size, size - 1), axis, *rest)


@kernel("exp", "edge_cases", "exp/float32", "special values", "inf ULP", on="exp")
def minus_infinity_gives_nan(right, x):
    return np.where(np.isneginf(x), x.dtype.type(np.nan), right(x))


# -- layouts, axes -----------------------------------------------------------------


@kernel("exp", "layouts", "exp/float32/2x3 (strided)", "ULP of float32", on="exp")
def strides_are_ignored(right, x):
    if x.flags.c_contiguous or x.base is None or x.base.size < x.size:
        return right(x)
    return right(x.base.reshape(-1)[: x.size].reshape(x.shape))


@kernel("exp", "layouts", "read-only", on="exp")
def arguments_must_be_writeable(right, x):
    x += 0
    return right(x)


@kernel("sum", "axes", "sum/float32", "axis -1 as axis 1", on="sum")
def negative_axes_are_off_by_one(right, x, axis, keepdims, *rest):
    # The front end makes axes positive, so it is the last that is mistaken.
    if axis == (x.ndim - 1,) and x.ndim == 2 and next(_turns) % 2:
        return right(np.roll(x, 1, 0), axis, keepdims, *rest)
    return right(x, axis, keepdims, *rest)


_turns = iter(range(10**9))


@kernel("logaddexp", "axes", "logaddexp/float32", "shapes ((2, 1), (1, 3))")
def sizes_of_one_are_stretched_wrongly(right, x, y):
    found = right(x, y)
    return found[:, ::-1] if x.shape == (2, 1) and y.shape == (1, 3) else found


# -- gradients ---------------------------------------------------------------------


class Native(Base):
    """Derivatives of its own: those of the tape, changed."""

    capabilities = replace(NumpyBackend.capabilities, autodiff="native")

    def vjp(self, fn, primals):
        outputs, pullback, aux = tape_vjp(fn, primals)
        return outputs, lambda c: [self.change(g) for g in pullback(c)], aux


@backend("gradients", "exp/float64/2x3", "order 1", "error", "allowed", on="exp")
class GradientsAreScaled(Native):
    def change(self, g):
        return ops.multiply(g, 1.0001)


@backend("gradients", "exp/float64/2x3", "order 2", "error", "allowed", on="exp")
class SecondDerivativesAreCut(Native):
    def change(self, g):
        return ops.stop_gradient(g)


class NativeCompiled(Native):
    capabilities = replace(Native.capabilities, eager=False)


@backend("gradients", "softplus/float64/3x4", "order 1", "allowed", on="softplus")
class GradientsOfProgramsAreScaled(NativeCompiled):
    def change(self, g):
        return ops.multiply(g, 1.0001)


@backend("gradients", "softplus/float64/3x4", "order 2", "allowed", on="softplus")
class SecondDerivativesOfProgramsAreCut(NativeCompiled):
    def change(self, g):
        return ops.stop_gradient(g)


@backend("gradients", "sqrt/bfloat16", "the gradient has dtype float64", on="sqrt")
class GradientsAreWidened(Native):
    def change(self, g):
        return ops.cast(g, "float64")


@kernel("divide", "gradients", "sqrt/float64", "a difference", on="sqrt")
def a_derivative_rule_is_fed_wrongly(right, x, y):
    return right(x, y) * y.dtype.type(1.001)


# -- shapes without values, compilation --------------------------------------------


@kernel("exp", "abstract", "exp/float32/2x3", "without values", "float64", on="exp")
def results_are_not_what_shapes_say(right, x):
    return right(x).astype(np.float64)


@backend("compiled", "exp/float32/2x3", "compiled, call 2", "ULP", on="exp")
class CompiledFunctionsAreStale(Base):
    def compile(self, fn, *, donate=()):
        kept = []

        def call(*args):
            if not kept:
                kept.append(fn(*args))
            return kept[0]

        return call


@backend("compiled", "exp/float32", "the second call was traced again", on="exp")
class EveryCallIsTraced(Base):
    def compile(self, fn, *, donate=()):
        return fn


class OnlyCompiled(Base):
    """Runs well only compiled, and rounds what compiled functions return."""

    capabilities = replace(NumpyBackend.capabilities, eager=False)
    rounded = ""

    def compile(self, fn, *, donate=()):
        compiled = super().compile(fn, donate=donate)
        return lambda *args: tree.map_leaves(self.round, compiled(*args))

    def round(self, x):
        wrong = x.dtype.name == self.rounded and x.size > 1
        return np.asarray(x.astype(np.float16), x.dtype) if wrong else x


@backend("values", "softmax/float64/3x5", "ULP of float64", on="softmax")
class ProgramsRoundFloat64(OnlyCompiled):
    rounded = "float64"


@backend("layouts", "softplus/float32/3x4 (((33,)", "ULP of float32", on="softplus")
class ProgramsRoundLongVectors(OnlyCompiled):
    rounded = "float32"


# -- errors ------------------------------------------------------------------------


@kernel(
    "logaddexp", "errors", "logaddexp/float32", "nothing was raised", on="logaddexp"
)
def shapes_that_do_not_fit_are_cut(right, x, y):
    if x.shape == (2, 3) and y.shape == (4,):
        y = y[:3]
    return right(x, y)


@kernel("logaddexp", "errors", "on the reference backend", on="logaddexp")
def errors_have_words_of_their_own(right, x, y):
    if x.shape == (2, 3) and y.shape == (4,):
        raise ShapeError("logaddexp: (2, 3) and (4,) are unlike")
    return right(x, y)


@kernel("logaddexp", "errors", "KeyError was raised, expected ShapeE", on="logaddexp")
def errors_have_another_type(right, x, y):
    if x.shape == (2, 3) and y.shape == (4,):
        raise _Alien("(2, 3) (4,) logaddexp")
    return right(x, y)


class _Alien(ShapeError.__mro__[1]):
    """A `PolykerasError`, so the front end passes it on."""


_Alien.__name__ = "KeyError"


# -- purity, determinism -----------------------------------------------------------


@kernel("exp", "purity", "exp/float32/2x3", "the input changed", "entries", on="exp")
def inputs_are_overwritten(right, x):
    return np.exp(x, out=x) if x.dtype.kind == "f" else right(x)


_BUFFERS: dict[Any, np.ndarray] = {}


@kernel("sqrt", "purity", "sqrt/float32", "a second call changed the first", on="sqrt")
def results_share_a_buffer(right, x):
    found = right(x)
    buffer = _BUFFERS.setdefault((found.shape, found.dtype), np.empty_like(found))
    buffer[...] = found
    return buffer


@backend("purity", "float32: writing to the array changed the tensor")
class TensorsShareTheUsersMemory(Base):
    def from_numpy(self, x, dtype):
        return np.asarray(x, self._native[dtype])


@kernel("exp", "determinism", "exp/float32/2x3", "the same call again", on="exp")
def results_are_noisy(right, x):
    noise = np.random.default_rng().uniform(0.999, 1.001, x.shape)
    return np.asarray(right(x) * noise.astype(x.dtype))


_CALLS: list[int] = []


@kernel("sqrt", "determinism", "sqrt/float32", "the same call again", on="sqrt")
def results_depend_on_earlier_calls(right, x):
    _CALLS.append(x.size)
    return right(x) + x.dtype.type(len(_CALLS) % 7)


# -- what is not about single ops --------------------------------------------------


@kernel("random_bits", "random", "DESIRED", case="random/bits_are_those_of_jax")
def random_bits_are_off_by_one_bit(right, *args):
    return right(*args) ^ np.uint32(1)


@backend("capabilities", case="capabilities/compile")
class CompilationIsClaimed(EveryCallIsTraced):
    pass


@backend("capabilities", case="capabilities/inplace")
class InPlaceUpdatesAreClaimed(Base):
    def own_kernels(self):
        table = dict(super().own_kernels())
        right = table["sgd_update"]
        table["sgd_update"] = lambda *args: right(*args[:-1], False)
        return table


_LEAK: list[Any] = []


@kernel("tanh", "memory", "bytes stay behind", case="memory/ops_keep_nothing")
def results_are_never_let_go(right, x):
    _LEAK.append(np.zeros(1 << 14))
    return right(x)


@kernel("sgd_update", "training", case="training/")
def steps_of_sgd_are_too_long(right, params, grads, rate, *rest):
    return right(params, grads, rate * 1.01, *rest)


@backend("contract", case="contract/tensors_share_no_memory")
class MemoryIsShared(TensorsShareTheUsersMemory):
    pass


@kernel("concatenate", "layers", case="layers/")
def concatenation_goes_the_wrong_way(right, xs, axis):
    return right(xs[::-1], axis)


CASES = (
    OpCase(
        "sum",
        samples=(
            Sample((real(2, 3),), {"axis": 1}),
            Sample((real(5000, low=1.0, high=2.0),)),
        ),
        reference=lambda x, axis=None: np.sum(x, axis),
        bound=summed(5000, lambda x, axis=None: np.sum(np.abs(x), axis), low=1),
        dtypes=("float32", "float16"),
    ),
    OpCase(
        "relu",
        samples=(Sample((real(2, 3),)),),
        reference=lambda x: np.maximum(x, 0),
        bound=EXACT,
    ),
)
"""Cases of ops whose own are too many for a quick run."""
