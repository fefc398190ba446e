"""`OpCase`: all that the suite knows about one op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Array, Tensor, active
from polykeras.conformance._bounds import Bound
from polykeras.conformance._samples import Sample, widened
from polykeras.errors import PolykerasError
from polykeras.ops._registry import REGISTRY

__all__ = [
    "ANY",
    "FLOATS",
    "INTEGERS",
    "NUMBERS",
    "SIGNED",
    "ErrorSample",
    "OpCase",
    "Trial",
    "inexact",
]

FLOATS: Final = ("float32", "float64", "bfloat16", "float16")
"""Floating dtypes that values are tested in; the first is the default elsewhere."""
INTEGERS: Final = ("int32", "int8", "uint8", "int64")
SIGNED: Final = ("int32", "int8", "int64")
NUMBERS: Final = FLOATS + INTEGERS
ANY: Final = (*NUMBERS, "bool")


@dataclass(frozen=True)
class ErrorSample:
    """A call that must fail, and how.

    Args:
        sample: The call.
        error: The class in `polykeras.errors`, or a subclass of `TypeError`.
        words: What the message has to name. The whole message is compared with that of
            the reference backend besides.
        dtype: What placeholders without a dtype get.
    """

    sample: Sample
    error: type[Exception]
    words: tuple[str, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class OpCase:
    """One op: how it is called, what it gives, how exactly, and how it fails.

    Args:
        op: The public name in `polykeras.ops` or ``"image."`` and a name in
            `polykeras.ops.image`, or the name of a primitive.
        samples: Calls; the first is the plainest.
        reference: A function of NumPy arrays with the arguments of the op. It gets
            floats in float64, complex numbers in complex128, integers and tested
            booleans in int64, and returns arrays in the structure of the op's result.
        bound: How far results may be from the reference.
        dtypes: What the placeholders without a dtype of their own are tested in.
        result: The dtype of results by tested dtype: a dtype, a function of one, or
            None where it equals that of the tested dtype; several results give a
            tuple of these.
        gradient: The highest order of derivatives that is checked; 0 for none.
        slope_tolerance: Allowed relative error of finite differences in float64.
        errors: Calls that must fail.
        view: Maps the op's result to what is compared, where results are not unique
            (signs of singular vectors): a function of result and arguments, in ops.
        compiled: Whether the op can be compiled: False where shapes depend on values.
        call: How the op is called, where its arguments are functions: a function of
            the sample's tensors.
        elementwise: Whether each entry of the result depends on one entry of each
            tensor, so that any shapes and special values may be tried.
    """

    op: str
    samples: tuple[Sample, ...]
    reference: Callable[..., Any]
    bound: Bound
    dtypes: tuple[str, ...] = FLOATS
    result: Any = None
    gradient: int = 0
    slope_tolerance: float = 1e-7
    errors: tuple[ErrorSample, ...] = ()
    view: Callable[..., Any] | None = None
    compiled: bool = True
    elementwise: bool = False
    call: Callable[..., Any] | None = None

    @property
    def fn(self) -> Callable[..., Any]:
        """The callable that users or compositions call."""
        if self.call is not None:
            return self.call
        from polykeras import ops

        space, _, name = self.op.rpartition(".")
        home: Any = ops.image if space == "image" else ops
        found = REGISTRY.get(name) or getattr(home, name, None)
        if found is None:
            raise PolykerasError(f"The case of {self.op!r} names no op.")
        return found  # type: ignore[no-any-return]

    @property
    def is_primitive(self) -> bool:
        """Whether backends supply the op, instead of its being composed of others."""
        operation = getattr(self.fn, "op", None)
        return operation is not None and operation.is_primitive

    def result_dtypes(self, dtype: str) -> list[str]:
        """Return the dtype of each result where inputs have `dtype`."""
        rules = self.result if isinstance(self.result, tuple) else (self.result,)
        return [
            dtype if rule is None else rule if isinstance(rule, str) else rule(dtype)
            for rule in rules
        ]


def inexact(dtype: str) -> str:
    """Return the result dtype of ops that turn integers into floats."""
    return dtypes.to_inexact(dtype)


@dataclass(frozen=True)
class Trial:
    """One call of one op in one dtype: what most sections run.

    Args:
        case: The op.
        sample: The call.
        dtype: The dtype being tested.
        seed: Of the values drawn.
        compiled: Whether the call is made in a compiled function.
    """

    case: OpCase
    sample: Sample
    dtype: str
    seed: int = 0
    compiled: bool = False

    def __str__(self) -> str:
        return f"{self.case.op}/{self.dtype}/{self.sample}"

    @property
    def shapes(self) -> str:
        """The shapes of the tensors, for messages."""
        return ", ".join(str(draw.shape) for draw in self.sample.draws)

    @property
    def dtypes(self) -> set[str]:
        """The dtypes of the tensors and of the results."""
        own = {draw.dtype for draw in self.sample.draws if draw.dtype}
        return {self.dtype, *own, *self.case.result_dtypes(self.dtype)}

    @property
    def differentiated(self) -> list[int]:
        """Which tensors the op is differentiated by, in the order of the arguments."""
        return [
            i
            for i, draw in enumerate(self.sample.draws)
            if draw.differentiable and dtypes.is_float(draw.dtype or self.dtype)
        ]

    @property
    def axis_place(self) -> int | None:
        """The position of the argument ``axis`` if the call says it by a number."""
        operation = getattr(self.case.fn, "op", None)
        if operation is None or "axis" not in operation.names:
            return None
        place: int = operation.names.index("axis")
        args, kwargs = self.sample.args, self.sample.kwargs
        said = args[place] if place < len(args) else kwargs.get("axis")
        return place if type(said) is int else None

    def values(self) -> list[Array]:
        """Return the tensors of the call as NumPy arrays."""
        return self.sample.values(self.dtype, self.seed)

    def tensors(self) -> list[Tensor]:
        """Return the tensors of the call, on the active backend."""
        return [active().convert_to_tensor(x) for x in self.values()]

    def expected(self, values: Sequence[Array] | None = None) -> list[Any]:
        """Return the reference's results, each in 64 bits.

        Args:
            values: Of the tensors, in place of those that the sample draws.
        """
        args, kwargs = self._wide(values)
        with np.errstate(all="ignore"):
            return tree.flatten(self.case.reference(*args, **kwargs))

    def _wide(self, values: Sequence[Array] | None) -> tuple[tuple[Any, ...], Any]:
        if values is None:
            return self.sample.arrays(self.dtype, self.seed, wide=True)
        draws = self.sample.draws
        return self.sample.filled(
            x if draw.dtype == "bool" else widened(x)
            for draw, x in zip(draws, values, strict=True)
        )

    def scale(self, values: Sequence[Array] | None = None) -> Any:
        """Return the magnitude of the terms that the op sums, 0 where it sums none."""
        if self.case.bound.scale is None:
            return 0.0
        args, kwargs = self._wide(values)
        with np.errstate(all="ignore"):
            return self.case.bound.scale(*args, **kwargs)

    def run(self, tensors: Sequence[Any]) -> list[Any]:
        """Call the op and return what is compared, as a flat list of tensors.

        Args:
            tensors: One for each placeholder: tensors, arrays or stand-ins.
        """
        args, kwargs = self.sample.filled(tensors)
        result = self.case.fn(*args, **kwargs)
        if self.case.view is not None:
            result = self.case.view(result, *args, **kwargs)
        return tree.flatten(result)
