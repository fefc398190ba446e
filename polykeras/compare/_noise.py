"""How far rounding alone may move a result: the reference, perturbed.

`Perturbed` runs the reference once more and adds to the result of each primitive an
error of random sign, half to all of what a rounding engine of the nominal dtype is
allowed to make there. What a whole layer, gradient or training run then moves by is the
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
  TF32 rounds their factors too, to 10 bits;
- decompositions and solutions of linear systems: n of the largest result;
- besides, where a result is not exact, half of the dtype's smallest number, and
  infinity beyond its largest.

Compositions run as such, whatever kernels the reference has for them, so that each
rounding inside is counted.

Unless some layer computes in 64 bits, `Perturbed` computes in float32: its own
roundings are at most those to imitate. Where float32 itself is the nominal dtype, an
operation of IEEE 754 rounds as in any right engine, and nothing is added.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Array, Backend, Kernel, Tensor
from polykeras.compare._engines import Recast
from polykeras.compare._measures import BLOCK
from polykeras.compare._norms import product_magnitudes, scaled, sums_of_squares
from polykeras.ops._registry import REGISTRY
from polykeras.ops.random_normal import NORMAL_ULPS
from polykeras.precision import epsilon_of, limits_of

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
_CONVOLUTIONS: Final = {"conv_general_kernel": 3, "conv_general_transpose": 2}
"""Convolutions to the place of their number of groups."""
_PRODUCTS_OF_TENSORS: Final = frozenset(("matmul", "conv_general", *_CONVOLUTIONS))
_TF32: Final = 2.0**13
"""TF32 rounds the factors to 10 bits of 23."""
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
_SAMPLE: Final = 64
_ERRORS: Final = 2 * BLOCK
"""Errors are drawn once; each block takes some from a random place on. They have
sizes from half to all of what is allowed: errors of one size would often cancel.
In 64 bits they are all of it."""


class Perturbed(Recast):
    """A reference whose every primitive errs as much as it may.

    Attributes:
        nominal: The dtype whose rounding is imitated now: that of the layer that runs.
        forced: Whether the engines compared compute in that dtype whatever the
            model says, so that values from outside have to be rounded to it.

    Args:
        inner: The backend that computes.
        dtype: The dtype whose rounding is imitated where a layer says no other.
        seed: Of the signs.
        forced: See the attribute.
        products: The precision of products of float32: ``"float32"`` or ``"tf32"``.
        finest: The finest dtype that is imitated, if it is not `dtype`.
    """

    def __init__(
        self,
        inner: Backend,
        dtype: str,
        seed: int,
        *,
        forced: bool = False,
        products: str = "float32",
        finest: str = "",
    ) -> None:
        """Start the random signs."""
        fine = epsilon_of(finest or dtype) < epsilon_of("float32")
        held = "float64" if fine else "float32"
        self.nominal = dtype
        self._random = np.random.default_rng(seed)
        signs = 2 * self._random.integers(0, 2, _ERRORS) - 1
        # Less than a unit is lost where that is what it computes with.
        least = 1.0 if fine else 0.5
        self._pool = (signs * self._random.uniform(least, 1, _ERRORS)).astype(held)
        self.forced = forced
        self.products = products
        self._scaled: dict[float, Array] = {}
        self._terms: dict[Any, Array] = {}
        super().__init__(inner, held, f"{inner.name}:perturbed")

    @property
    def _rounds_itself(self) -> bool:
        """Whether it computes in the nominal dtype, coarser than the reference's."""
        return self.nominal == self.dtype == "float32"

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
        is_rounded = name in _IEEE

        def err(*args: Any) -> Any:
            result = kernel(*args)
            if is_rounded and self._rounds_itself:
                return result
            if isinstance(result, list | tuple):
                return type(result)(self._erring(name, kernel, args, y) for y in result)
            return self._erring(name, kernel, args, result)

        return err

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return a tensor, rounded at random if the engine has to round it."""
        tensor = super().from_numpy(x, dtype)
        return self.rounded(tensor) if self.forced else tensor

    def rounded(self, x: Tensor) -> Tensor:
        """Return values that err by one rounding."""
        if self._rounds_itself or not dtypes.is_float(self.dtype_name(x)):
            return x
        return self._moved(x, relative=1.0)

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
                return self._moved(drawn, relative=2.0 * NORMAL_ULPS)
            finally:
                self.nominal = before

        return normal

    def _erring(
        self, name: str, kernel: Kernel, args: tuple[Any, ...], y: Tensor
    ) -> Tensor:
        """Add the error that a primitive may make to one of its results."""
        if not dtypes.is_inexact(self.dtype_name(y)):
            return y
        if name in _IEEE:
            return self._moved(y, relative=1.0, stored=True)
        if name in _SUMS:
            sizes = self._magnitudes(name, kernel, args)
            if self.products == "tf32" and name in _PRODUCTS_OF_TENSORS:
                sizes = sizes * _TF32
            return self._moved(y, sizes)
        values = self.to_numpy(y)
        if name in _PRODUCTS:
            count = self._count(args) / max(1, values.size)
            return self._moved(y, relative=max(1.0, count))
        if name in _SYSTEMS:
            n = values.shape[-1] if values.ndim else 1
            return self._moved(y, n * np.max(np.abs(values), initial=0.0))
        return self._moved(y, relative=2.0 * _LIBRARY_ULP)

    def _moved(
        self,
        y: Tensor,
        size: Any = None,
        *,
        relative: float = 0.0,
        stored: bool = False,
    ) -> Tensor:
        """Add roundings, with random signs, to a result.

        Args:
            y: The result.
            size: How many units of roundoff each entry may err by, or None.
            relative: How many it may err by in units of its magnitude.
            stored: Whether entries that the nominal dtype has do not err.
        """
        name = self.dtype_name(y)
        if not dtypes.is_inexact(name):
            return y
        values = self.to_numpy(y)
        flat = values.reshape(-1)
        sizes = None
        if size is not None:
            if np.shape(size) != values.shape:
                size = np.broadcast_to(size, values.shape)
            sizes = size.reshape(-1)
        moved = np.empty_like(flat)
        roundoff = limits_of(self.nominal).epsilon / 2
        unit = roundoff * (relative if sizes is None else 1.0)
        errors = self._errors(unit)
        with np.errstate(all="ignore"):
            stored = stored and self._has(flat)
            for at in range(0, flat.size, BLOCK):
                part = slice(at, at + BLOCK)
                block, out = flat[part], moved[part]
                scale = block if sizes is None else sizes[part]
                np.multiply(scale, self._some(errors, block.size), out=out)
                if stored:
                    out *= self._is_rounded(block)
                out += block
                if not self._rounds_itself:
                    self._limit(block, out)
                elif not np.isfinite(np.add.reduce(out)):
                    # Infinity less an infinite error is NaN.
                    np.copyto(out, block, where=~np.isfinite(block))
        return self.inner.borrowed(moved.reshape(values.shape))

    def _limit(self, values: Array, moved: Array) -> None:
        """Let numbers beyond the limits of the nominal dtype under- or overflow."""
        limits = limits_of(self.nominal)
        normal, largest = limits.smallest_normal, limits.largest
        sizes = np.abs(values)
        small = np.count_nonzero(sizes < normal)
        if small and small > sizes.size - np.count_nonzero(sizes):
            moved[...] = self._underflown(values, moved)
        if not sizes.max() <= largest:
            finite = np.isfinite(values)
            beyond = np.where(np.abs(moved) > largest, values * np.inf, moved)
            moved[...] = np.where(finite, beyond, values)

    def _errors(self, unit: float) -> Array:
        """Return roundings of a size, of random sign."""
        if unit not in self._scaled:
            self._scaled[unit] = self._pool * unit
        return self._scaled[unit]

    def _some(self, pool: Array, count: int) -> Array:
        """Return as many entries of a pool, from a random place on."""
        at = int(self._random.random() * (_ERRORS - count))
        return pool[at : at + count]

    def _underflown(self, values: Array, moved: Array) -> Array:
        """Let numbers move by up to half of the smallest number, but not beyond 0.

        What is smaller than that half is 0.
        """
        lost = limits_of(self.nominal).smallest / 2
        moved = moved + lost * self._some(self._pool, values.size)
        kept = (np.sign(moved) == np.sign(values)) & (np.abs(values) >= lost)
        return np.where(kept, moved, 0.0)

    def _has(self, values: Array) -> bool:
        """Return whether the nominal dtype has all of some entries."""
        if np.iscomplexobj(values):
            return False
        return not np.any(self._is_rounded(values[:: 1 + values.size // _SAMPLE]))

    def _is_rounded(self, values: Array) -> Array:
        """Return which numbers the nominal dtype does not have."""
        narrow = values.astype(dtypes.as_numpy_dtype(self.nominal))
        return np.asarray(narrow.astype(values.dtype) != values)

    def _count(self, args: tuple[Any, ...]) -> float:
        return float(max(math.prod(x.shape) for x in self._inexact(args)))

    def _magnitudes(self, name: str, kernel: Kernel, args: tuple[Any, ...]) -> Any:
        """Return ``sqrt(n) + 1`` times the sum of the magnitudes of the terms."""
        if name == "matmul":
            return product_magnitudes(*map(self.to_numpy, args[:2]))
        if name == "conv_general" or (
            name in _CONVOLUTIONS and args[_CONVOLUTIONS[name]] == 1
        ):
            return self._convolved_magnitudes(name, kernel, args)
        absolute = kernel(*self._mapped(args, np.abs))
        key = (
            name,
            *(tuple(x.shape) if hasattr(x, "shape") else repr(x) for x in args),
        )
        if key not in self._terms:
            ones = self.to_numpy(kernel(*self._mapped(args, np.ones_like)))
            # In 64 bits: more roundings of the largest number would overflow.
            terms = np.sqrt(np.maximum(np.abs(ones), 1.0)) + 1
            self._terms[key] = terms.astype(np.float64)
        return self._terms[key] * np.abs(self.to_numpy(absolute))

    def _convolved_magnitudes(
        self, name: str, kernel: Kernel, args: tuple[Any, ...]
    ) -> Any:
        """Do as `product_magnitudes`: a convolution multiplies windows by filters."""
        x, w = self.to_numpy(args[0]), self.to_numpy(args[1])
        if name == "conv_general_kernel":
            # Each entry is the product of one channel of inputs and one of outputs.
            rows, columns = (np.sqrt(sums_of_squares(a, -1)) for a in (x, w))
            return (math.sqrt(w.size / w.shape[-1]) + 1) * rows[:, None] * columns
        back = name == "conv_general_transpose"
        groups = 1 if back else x.shape[-1] // w.shape[-2]
        # The kernel that sums windows computes in the dtype of the engine alone.
        x, scale = scaled(x)
        if groups == 1:
            squares = np.einsum("...i,...i->...", x, x)[..., None]
        else:
            squares = np.square(x)
        # The norms of the windows of each group: one filter of ones for each.
        ones = np.ones((*w.shape[:-2], squares.shape[-1] // groups, groups), x.dtype)
        wide = [self.inner.borrowed(a) for a in (squares, ones)]
        windows = np.sqrt(self.to_numpy(kernel(*wide, *args[2:])))
        norms = np.sqrt(sums_of_squares(w, -2 if back else -1))
        terms = w.size / w.shape[-2 if back else -1]
        windows *= math.sqrt(terms) + 1
        if scale != 1:
            windows = windows.astype(np.float64) * scale
        if groups > 1:
            windows = np.repeat(windows, norms.size // groups, -1)
        return windows * norms

    def _mapped(self, args: tuple[Any, ...], fn: Any) -> list[Any]:
        def mapped(x: Any) -> Any:
            if not (self.is_tensor(x) and dtypes.is_inexact(self.dtype_name(x))):
                return x
            values = self.to_numpy(x)
            return self.inner.borrowed(np.asarray(fn(values), values.dtype))

        return list(map(mapped, args))

    def _inexact(self, args: tuple[Any, ...]) -> list[Any]:
        return [
            x
            for x in tree.flatten(list(args))
            if self.is_tensor(x) and dtypes.is_inexact(self.dtype_name(x))
        ]


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
