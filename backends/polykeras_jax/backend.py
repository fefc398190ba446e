"""`JaxBackend`: JAX arrays, transformations and compilation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from polykeras import dtypes
from polykeras.backend import (
    ALIGNMENT,
    Array,
    Backend,
    Buffers,
    Capabilities,
    Kernel,
    refusing_state,
)
from polykeras_jax import (
    control,
    creation,
    elementwise,
    indexing,
    linalg,
    nn,
    optimizers,
    random,
    reductions,
    shaping,
    sorting,
    spectral,
    statistics,
    windows,
)
from polykeras_jax.naming import name_of

__all__ = ["JaxBackend"]

_DOMAINS: Final = (
    creation,
    elementwise,
    reductions,
    shaping,
    sorting,
    statistics,
    indexing,
    linalg,
    spectral,
    windows,
    control,
    nn,
    random,
    optimizers,
)
_WIDE: Final = frozenset({"float64", "int64", "uint64", "complex128"})
# On CPUs XLA has a library's kernels for convolutions, but not inside of loops.
_SLOW_IN_LOOPS: Final = frozenset(
    {"conv_general", "conv_general_kernel", "conv_general_transpose"}
)
_LARGE_BYTES: Final = 2**16
# A run on the same data as before finds its memory again.
_copies: Final = Buffers(2**26, 2)
_wide_dtypes: Final = frozenset(np.dtype(name) for name in _WIDE)


class JaxBackend(Backend):
    """JAX, with 64-bit dtypes where they are asked for.

    JAX has 64 bits only under a switch. It is never set for the process: calls
    that meet a 64-bit dtype run inside `jax.enable_x64`.
    """

    name = "jax"
    tensor_type = type(jax.device_put(np.zeros((), np.float32)))
    inexact = frozenset(
        dtypes.as_numpy_dtype(name) for name in dtypes.FLOATS + dtypes.COMPLEX
    )
    # Of recurrences, JAX keeps more of each step than the rules, and adds to the
    # gradient of the recurrent kernel in each. Of normalizations and `rsqrt`, it takes
    # the third power of one over the root, which is 0 where numbers are beyond 1e13; of
    # quotients and `arctan2` squares that are 0, of `logaddexp` a difference from the
    # rounded result, of `power` 0 times infinity, of `sinc` terms that cancel near 0.
    ruled = frozenset(
        {
            "arctan2",
            "divide",
            "gru_steps",
            "layer_normalization",
            "logaddexp",
            "logaddexp2",
            "lstm_steps",
            "power",
            "rms_normalization",
            "rnn_steps",
            "rsqrt",
            "sinc",
        }
    )
    capabilities = Capabilities(
        autodiff="native", compile=True, dynamic_shapes=False, inplace=False
    )

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return the kernels of every domain, each safe for 64-bit dtypes."""
        table: dict[str, Kernel] = {}
        for domain in _DOMAINS:
            table.update(domain.KERNELS)
        return {name: _wide_aware(kernel) for name, kernel in table.items()}

    def adapt_kernel(self, kernel: Kernel) -> Kernel:
        """Make a plugin's kernel safe for 64-bit dtypes."""
        return _wide_aware(kernel)

    def is_tensor(self, x: object) -> bool:
        """Return whether `x` is a JAX array or tracer."""
        return isinstance(x, jax.Array)

    def is_concrete(self, x: Any) -> bool:
        """Return False for tracers."""
        return not isinstance(x, jax.core.Tracer)

    def from_numpy(self, x: Array, dtype: str) -> jax.Array:
        """Return an array on the default device with a copy of the values."""
        kind = dtypes.as_numpy_dtype(dtype)
        large = x.nbytes >= _LARGE_BYTES
        values = _aligned_copy(x, kind) if large else np.array(x, kind)
        # Unlike `jnp.asarray` it compiles no program for the shape.
        put: Callable[[Any], jax.Array] = jax.device_put
        if dtype in _WIDE:
            with jax.enable_x64(True):
                return put(values)
        return put(values)

    def argument(self, x: Array) -> Any:
        """Return an array: calls move it, at a tenth of what a tensor of it costs."""
        if x.dtype in _wide_dtypes:
            # Calls would make 32 bits of it.
            return self.from_numpy(x, name_of(x.dtype))
        if x.nbytes < _LARGE_BYTES:
            return x
        if jax.default_backend() != "cpu":
            return self.borrowed(x)
        # XLA reads it where it is, in each call.
        aligned = x.flags.c_contiguous and x.ctypes.data % ALIGNMENT == 0
        return x if aligned else _aligned_copy(x, x.dtype)

    def to_numpy(self, x: Any) -> Array:
        """Return the values as a NumPy array."""
        return np.asarray(x)

    def from_dlpack(self, x: Any) -> jax.Array:
        """Return an array that shares memory with another library's."""
        with jax.enable_x64(True):
            return jnp.from_dlpack(x)

    def dtype_name(self, x: Any) -> str:
        """Return the canonical dtype name."""
        return name_of(x.dtype)

    def scalar(self, value: complex, dtype: str) -> Any:
        """Return a NumPy scalar: no device transfer, and constant under tracing."""
        return dtypes.as_numpy_dtype(dtype).type(value)

    def vjp(
        self, fn: Callable[..., Any], primals: Sequence[Any]
    ) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]], Any]:
        """Differentiate with `jax.vjp`."""
        inexact = [i for i, p in enumerate(primals) if p.dtype in self.inexact]

        def of_inexact(*points: Any) -> tuple[list[Any], Any]:
            full = list(primals)
            for i, p in zip(inexact, points, strict=True):
                full[i] = p
            outputs, aux = fn(*full)
            return list(outputs), aux

        with _x64_if(primals):
            outputs, pull, aux = jax.vjp(
                of_inexact, *(primals[i] for i in inexact), has_aux=True
            )

        def pullback(cotangents: Sequence[Any]) -> list[Any]:
            with _x64_if([*primals, *cotangents]):
                found = pull(list(cotangents))
                grads: list[Any] = [jnp.zeros_like(p) for p in primals]
            for i, g in zip(inexact, found, strict=True):
                grads[i] = g
            return grads

        return outputs, pullback, aux

    def custom_vjp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `jax.custom_gradient`."""

        def forward(*args: Any) -> tuple[Any, Callable[[Any], Any]]:
            outputs, pullback = f(*args)

            def backward(cotangents: Any) -> Any:
                grads = pullback(*jax.tree.leaves(cotangents))
                return grads if len(args) > 1 else grads[0]

            return outputs, backward

        wrapped: Callable[..., Any] = jax.custom_gradient(  # type: ignore[no-untyped-call]
            forward
        )
        return wrapped

    def with_rule(
        self,
        kernel: Callable[..., Any],
        rule: Callable[..., Any],
        tangent: Callable[..., Any] | None = None,
    ) -> Callable[..., Any]:
        """Return a `jax.custom_jvp` where there is a rule for it."""
        if tangent is None:
            return super().with_rule(kernel, rule)
        call = jax.custom_jvp(kernel)

        def slope(primals: Any, tangents: Any) -> tuple[Any, Any]:
            out = call(*primals)
            moves = [None if type(t) is SymbolicZero else t for t in tangents]
            return out, tangent(primals, out, moves)

        call.defjvp(slope, symbolic_zeros=True)
        return call

    def tracks(self, x: object) -> bool:
        """Return True for tracers."""
        return isinstance(x, jax.core.Tracer)

    def checkpoint(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return `jax.checkpoint` of the function."""
        return jax.checkpoint(fn)

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Return `jax.jit` of the function.

        It is traced in 32 bits, and from then on in 64 where a trace meets a dtype of
        64 bits, among its arguments or inside.
        """
        met_wide = False

        @functools.wraps(fn)
        def traced(*args: Any) -> Any:
            if _inside.get():
                return fn(*args)
            if _any_wide(jax.tree.leaves(args)):
                raise _MetWide
            token = _in_32_bits.set(True)
            try:
                return fn(*args)
            finally:
                _in_32_bits.reset(token)

        jitted = jax.jit(traced, donate_argnums=tuple(donate))

        @functools.wraps(fn)
        def call(*args: Any) -> Any:
            nonlocal met_wide
            if not (met_wide or _inside.get()):
                try:
                    return jitted(*args)
                except _MetWide:
                    met_wide = True
            with _x64():
                return jitted(*args)

        return call

    def loops_well(self, ops: Collection[str]) -> bool:
        """Return whether XLA has no slower code for any of the ops inside loops."""
        return jax.default_backend() != "cpu" or _SLOW_IN_LOOPS.isdisjoint(ops)

    def vmap(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return `jax.vmap` of the function, which must assign no variable."""
        return refusing_state(jax.vmap(fn))

    def library_version(self) -> str:
        """Return JAX's version."""
        return jax.__version__

    @contextmanager
    def dtype_scope(self, dtype: str) -> Iterator[None]:
        """Allow 64 bits in the block if `dtype` has them."""
        with _x64_if([np.empty((), dtypes.as_numpy_dtype(dtype))]):
            yield

    def devices(self) -> list[str]:
        """Return the names of JAX's devices."""
        return [f"{d.platform}:{d.id}" for d in jax.devices()]

    @contextmanager
    def device_scope(self, device: str) -> Iterator[None]:
        """Create the block's arrays on `device`."""
        with super().device_scope(device):
            found = jax.devices()[self.devices().index(device)]
            with jax.default_device(found):
                yield

    def precisions(self) -> tuple[str, ...]:
        """Return float32, and TF32 on GPUs."""
        narrow = any(d.platform in ("gpu", "cuda") for d in jax.devices())
        return ("float32", "tf32") if narrow else ("float32",)

    @contextmanager
    def precision_scope(self, precision: str) -> Iterator[None]:
        """Compute the block's products of float32 in a precision."""
        said = {"float32": "float32", "tf32": "tensorfloat32"}
        with (
            super().precision_scope(precision),
            jax.default_matmul_precision(said[precision]),
        ):
            yield

    def synchronize(self) -> None:
        """Wait for all devices."""
        jax.effects_barrier()  # type: ignore[no-untyped-call]
        for array in jax.live_arrays():  # type: ignore[no-untyped-call]
            array.block_until_ready()

    def release_programs(self) -> None:
        """Empty the library's caches."""
        jax.clear_caches()  # type: ignore[no-untyped-call]


_inside: ContextVar[bool] = ContextVar("polykeras_jax_x64", default=False)


# Whether a function is traced that is to be compiled without 64-bit dtypes.
_in_32_bits: ContextVar[bool] = ContextVar("polykeras_jax_x32", default=False)


class _MetWide(BaseException):
    """A trace in 32 bits met a dtype of 64: it has to start again."""


@contextmanager
def _x64() -> Iterator[None]:
    """Allow 64-bit dtypes in the block."""
    tokens = _inside.set(True), _in_32_bits.set(False)
    try:
        with jax.enable_x64(True):
            yield
    finally:
        _inside.reset(tokens[0])
        _in_32_bits.reset(tokens[1])


@contextmanager
def _x64_if(values: Sequence[Any]) -> Iterator[None]:
    """Allow 64-bit dtypes in the block if any of the values has one."""
    if _inside.get() or not _any_wide(values):
        yield
        return
    with _x64():
        yield


def _aligned_copy(x: Array, kind: np.dtype[Any]) -> Array:
    """Return a copy where XLA can use it on CPUs without making one more."""
    copy = _copies.empty(x.shape, kind)
    copy[...] = x
    return copy


def _wide_aware(kernel: Kernel) -> Kernel:
    def call(*args: Any) -> Any:
        for a in args:
            kind = type(a)
            if (
                (kind is str and a in _WIDE)
                or (kind in (list, tuple) and _any_wide(a))
                or getattr(a, "dtype", None) in _wide_dtypes
            ):
                if _in_32_bits.get():
                    raise _MetWide
                with jax.enable_x64(True):
                    return kernel(*args)
        return kernel(*args)

    return functools.wraps(kernel)(call) if hasattr(kernel, "__name__") else call


def _any_wide(values: Sequence[Any]) -> bool:
    return any(getattr(v, "dtype", None) in _wide_dtypes for v in values)
