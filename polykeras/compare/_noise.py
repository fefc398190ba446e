"""How far rounding alone may move a result: the reference, perturbed.

`Perturbed` runs the reference in 64 bits and adds to the result of each primitive an
error of random sign, as large as one rounding engine of the nominal dtype is allowed
to make there. What a whole layer, gradient or training run then moves by is the
rounding error to expect of a right engine, its amplification by the model included:
Monte Carlo arithmetic (Parker, 1997, "Monte Carlo Arithmetic: exploiting randomness in
floating-point arithmetic"). The allowance of one primitive, in units of u, the unit
roundoff (half the distance from 1 to the next number):

- moved, compared or rounded to whole numbers: 0;
- one operation of IEEE 754 (sum, product, quotient, root): 1 of the result, unless
  the dtype has that number;
- functions of a mathematical library: 8 of the result, the 4 ULP of the OpenCL table
  that `polykeras.conformance` allows too;
- a sum of n terms or products in any order: sqrt(n) + 1 of the sum of magnitudes,
  the probabilistic bound of Higham and Mary (2019, "A New Approach to Probabilistic
  Rounding Error Analysis", theorem 2.4; the worst case is n). Of matrix products and
  convolutions that sum is bounded by the product of norms (Cauchy and Schwarz);
- decompositions and solutions of linear systems: n of the largest result;
- besides, where a result is not exact, half of the dtype's smallest number, and
  infinity beyond its largest.

Compositions run as such, whatever kernels the reference has for them, so that each
rounding inside is counted.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import ml_dtypes
import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Array, Backend, Kernel, Tensor
from polykeras.compare._engines import Recast
from polykeras.ops._registry import REGISTRY
from polykeras.ops.random_normal import NORMAL_ULPS

__all__ = ["Perturbed", "allowance"]

_EXACT: Final = frozenset(
    {
        "abs",
        "arange",
        "argmax",
        "argmin",
        "argsort",
        "basic_index",
        "bitwise_and",
        "bitwise_not",
        "bitwise_or",
        "bitwise_xor",
        "broadcast_to",
        "cast",
        "concatenate",
        "cond",
        "equal",
        "flip",
        "floor",
        "floor_divide",
        "full",
        "imag",
        "left_shift",
        "less",
        "logical_and",
        "logical_not",
        "logical_or",
        "max",
        "maximum",
        "min",
        "minimum",
        "mod",
        "negative",
        "nonzero",
        "pad_constant",
        "pool_max",
        "pool_max_pick",
        "pool_max_spread",
        "real",
        "reshape",
        "right_shift",
        "round",
        "scan",
        "searchsorted",
        "slice",
        "slice_update",
        "sort",
        "stop_gradient",
        "take",
        "take_along_axis",
        "top_k",
        "transpose",
        "view",
        "view_as_complex",
        "where",
        "while_loop",
    }
)
_IEEE: Final = frozenset(("add", "subtract", "multiply", "divide", "sqrt"))
_SUMS: Final = frozenset(
    {
        "conv_general",
        "conv_general_kernel",
        "conv_general_transpose",
        "cumsum",
        "fft",
        "matmul",
        "pool_mean",
        "pool_mean_spread",
        "scatter_update",
        "sum",
    }
)
_PRODUCTS: Final = frozenset(("prod", "cumprod"))
_SYSTEMS: Final = frozenset(
    {
        "cholesky",
        "eig",
        "eigh",
        "lu_factor",
        "qr",
        "solve",
        "solve_triangular",
        "svd",
    }
)
_LIBRARY_ULP: Final = 4


class Perturbed(Recast):
    """A reference in 64 bits whose every primitive errs as much as it may.

    Attributes:
        nominal: The dtype whose rounding is imitated now: that of the layer that runs.
        forced: Whether the engines compared compute in that dtype whatever the
            model says, so that values from outside have to be rounded to it.

    Args:
        inner: The backend that computes.
        dtype: The dtype whose rounding is imitated where a layer says no other.
        seed: Of the signs.
        forced: See the attribute.
    """

    def __init__(
        self, inner: Backend, dtype: str, seed: int, *, forced: bool = False
    ) -> None:
        """Start the random signs."""
        self.nominal = dtype
        self._random = np.random.default_rng(seed)
        self.forced = forced
        self._terms: dict[Any, Array] = {}
        super().__init__(inner, "float64", f"{inner.name}:perturbed")

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return a kernel that errs; compositions run as such."""
        operation = REGISTRY[name].op  # type: ignore[attr-defined]
        if name == "random_normal":
            return self._normal(super().kernel_for(name, kernel))
        if name.startswith("random_"):
            return super().kernel_for(name, kernel)
        if operation.has_default and name != "scale_where":
            return operation.fn  # type: ignore[no-any-return]
        kernel = super().kernel_for(name, kernel)
        if name in _EXACT:
            return kernel

        def err(*args: Any) -> Any:
            result = kernel(*args)
            size = self._size(name, kernel, args, result)
            if isinstance(result, list | tuple):
                return type(result)(
                    self._moved(y, s) for y, s in zip(result, size, strict=True)
                )
            return self._moved(result, size)

        return err

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return a tensor, rounded at random if the engine has to round it."""
        tensor = super().from_numpy(x, dtype)
        return self.rounded(tensor) if self.forced else tensor

    def rounded(self, x: Tensor) -> Tensor:
        """Return values that err by one rounding."""
        if not dtypes.is_float(self.dtype_name(x)):
            return x
        return self._moved(x, np.abs(self.to_numpy(x)))

    def _normal(self, draw: Kernel) -> Kernel:
        """Return a kernel whose normals err as those of backends may."""

        def normal(*args: Any) -> Any:
            drawn = draw(*args)
            # They are drawn in the dtype asked for, whatever the engine computes in.
            dtype = next(
                (a for a in args if isinstance(a, str) and a in dtypes.FLOATS),
                self.nominal,
            )
            before, self.nominal = self.nominal, dtype
            try:
                return self._moved(
                    drawn, 2 * NORMAL_ULPS * np.abs(self.to_numpy(drawn))
                )
            finally:
                self.nominal = before

        return normal

    def _moved(self, y: Tensor, size: Any) -> Tensor:
        """Add as many roundings as `size` says, with random signs, to a result."""
        name = self.dtype_name(y)
        if not dtypes.is_inexact(name):
            return y
        values = self.to_numpy(y)
        unit, normal, largest = _limits(self.nominal)
        with np.errstate(all="ignore"):
            error = np.multiply(size, unit)
            moved = values + error * self._signs(values.shape)
            sizes = np.abs(values)
            if np.any((sizes < normal) & (sizes > 0)):
                moved = self._underflown(values, moved)
            if not np.all(sizes <= largest):
                finite = np.isfinite(values)
                beyond = np.where(np.abs(moved) > largest, values * np.inf, moved)
                moved = np.where(finite, beyond, values)
        return self.inner.from_numpy(moved, name)

    def _signs(self, shape: tuple[int, ...]) -> Array:
        """Return a random sign for each entry."""
        count = math.prod(shape)
        bits = np.frombuffer(self._random.bytes(count // 8 + 1), np.uint8)
        signs = np.unpackbits(bits, count=count).view(np.int8)
        return (2 * signs - 1).reshape(shape)

    def _underflown(self, values: Array, moved: Array) -> Array:
        """Let numbers lose up to half of the smallest number, but not their sign."""
        limits: Any = ml_dtypes.finfo(  # type: ignore[no-untyped-call]
            dtypes.as_numpy_dtype(self.nominal)
        )
        lost = float(limits.smallest_subnormal) / 2
        moved = moved + lost * self._signs(values.shape)
        return np.where(np.sign(moved) == np.sign(values), moved, 0.0)

    def _size(
        self, name: str, kernel: Kernel, args: tuple[Any, ...], result: Any
    ) -> Any:
        """Return how many units of roundoff each entry of the result may err by."""
        many = isinstance(result, list | tuple)
        leaves = [self.to_numpy(y) for y in (result if many else [result])]
        if name in _SUMS:
            return self._magnitudes(name, kernel, args)
        if name in _IEEE:
            sizes = [np.abs(y) * ~self._is_stored(y) for y in leaves]
        elif name in _PRODUCTS:
            count = self._count(args) / max(1, leaves[0].size)
            sizes = [max(1.0, count) * np.abs(y) for y in leaves]
        elif name in _SYSTEMS:
            n = max((y.shape[-1] for y in leaves if y.ndim), default=1)
            sizes = [n * np.max(np.abs(y), initial=0.0) for y in leaves]
        else:
            sizes = [2 * _LIBRARY_ULP * np.abs(y) for y in leaves]
        return sizes if many else sizes[0]

    def _is_stored(self, values: Array) -> Array:
        """Return which numbers the nominal dtype has, so that they are not rounded."""
        with np.errstate(all="ignore"):
            if np.iscomplexobj(values):
                return np.zeros(values.shape, bool)
            narrow = values.astype(dtypes.as_numpy_dtype(self.nominal))
            return np.asarray(narrow.astype(values.dtype) == values)

    def _count(self, args: tuple[Any, ...]) -> float:
        return float(max(math.prod(x.shape) for x in self._inexact(args)))

    def _magnitudes(self, name: str, kernel: Kernel, args: tuple[Any, ...]) -> Any:
        """Return ``sqrt(n) + 1`` times the sum of the magnitudes of the terms."""
        if name == "matmul":
            return _product_magnitudes(*map(self.to_numpy, args[:2]))
        if name == "conv_general":
            return self._convolved_magnitudes(kernel, args)
        absolute = kernel(*self._mapped(args, np.abs))
        key = (
            name,
            *(tuple(x.shape) if hasattr(x, "shape") else repr(x) for x in args),
        )
        if key not in self._terms:
            ones = self.to_numpy(kernel(*self._mapped(args, np.ones_like)))
            self._terms[key] = np.sqrt(np.maximum(np.abs(ones), 1.0)) + 1
        return self._terms[key] * np.abs(self.to_numpy(absolute))

    def _convolved_magnitudes(self, kernel: Kernel, args: tuple[Any, ...]) -> Any:
        """Do as `_product_magnitudes`: a convolution multiplies windows by filters."""
        x, w = self.to_numpy(args[0]), self.to_numpy(args[1])
        groups = x.shape[-1] // w.shape[-2]
        if groups > 1:
            # The norms of the windows of each group: one filter of ones for each.
            ones = np.ones((*w.shape[:-1], groups))
        else:
            ones = np.ones((*w.shape[:-1], 1))
        squares = self.inner.from_numpy(np.square(x), "float64")
        filters = self.inner.from_numpy(ones, "float64")
        windows = np.sqrt(self.to_numpy(kernel(squares, filters, *args[2:])))
        norms = np.sqrt(np.sum(np.square(w), tuple(range(w.ndim - 1))))
        windows = np.repeat(windows, w.shape[-1] // windows.shape[-1], -1)
        return (math.sqrt(math.prod(w.shape[:-1])) + 1) * windows * norms

    def _mapped(self, args: tuple[Any, ...], fn: Any) -> list[Any]:
        inexact = {id(x) for x in self._inexact(args)}
        return [
            self.inner.from_numpy(fn(self.to_numpy(a)), self.dtype_name(a))
            if id(a) in inexact
            else a
            for a in args
        ]

    def _inexact(self, args: tuple[Any, ...]) -> list[Any]:
        return [
            x
            for x in tree.flatten(list(args))
            if self.is_tensor(x) and dtypes.is_inexact(self.dtype_name(x))
        ]


def _product_magnitudes(x: Array, y: Array) -> Array:
    """Return ``sqrt(n) + 1`` times a bound on the sums of magnitudes of a product.

    By Cauchy and Schwarz they are at most the products of the norms of rows and
    columns, which cost less than a second product.
    """
    rows = np.sqrt(np.sum(np.square(x), -1))
    columns = np.sqrt(np.sum(np.square(y), -2 if y.ndim > 1 else -1))
    if x.ndim > 1 and y.ndim > 1:
        rows, columns = rows[..., :, None], columns[..., None, :]
    elif x.ndim > 1 and y.ndim == 1:
        columns = np.asarray(columns)
    elif y.ndim > 1:
        rows = np.asarray(rows)
    result: Array = (math.sqrt(x.shape[-1]) + 1) * rows * columns
    return result


@cache
def _limits(dtype: str) -> tuple[float, float, float]:
    """Return unit roundoff, the smallest normal number and the largest of a dtype."""
    limits: Any = ml_dtypes.finfo(dtypes.as_numpy_dtype(dtype))  # type: ignore[no-untyped-call]
    return float(limits.eps) / 2, float(limits.smallest_normal), float(limits.max)


def allowance(name: str) -> str:
    """Return in words how much a primitive may err, for reports.

    >>> allowance("matmul")
    'sqrt(n) + 1 roundings of the sum of n magnitudes'
    """
    if name in _EXACT:
        return "exact"
    if name in _IEEE:
        return "one rounding"
    if name in _SUMS:
        return "sqrt(n) + 1 roundings of the sum of n magnitudes"
    if name in _PRODUCTS or name in _SYSTEMS:
        return "n roundings"
    return f"a library function of {_LIBRARY_ULP} ULP"
