"""`MLXBackend`: MLX arrays, differentiated and compiled by MLX."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Final

import mlx.core as mx
import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Array, Capabilities, Kernel
from polykeras.backend.array_api import ArrayAPIBackend
from polykeras_mlx import kernels, namespace

__all__ = ["MLXBackend"]

_DTYPES: Final = {
    "bool": mx.bool_,
    **{
        name: getattr(mx, name)
        for name in (*dtypes.INTEGERS, "bfloat16", "float16", "float32", "float64")
    },
    "complex64": mx.complex64,
}
_DEVICES: Final = {"cpu:0": mx.cpu, "gpu:0": mx.gpu}
_tracing: ContextVar[bool] = ContextVar("polykeras_mlx_tracing", default=False)


class MLXBackend(ArrayAPIBackend):
    """The kernels of the standard, with MLX's own transformations.

    Args:
        compile: Whether functions are compiled. None asks the environment variable
            ``POLYKERAS_MLX_COMPILE`` (0 or 1), and then whether there is Metal: on
            CPUs, MLX calls a C++ compiler for each kernel, minutes for a step.
    """

    capabilities = Capabilities(autodiff="native", eager=True)
    array_protocol = "__mlx_array__"
    # MLX has no derivative of factorizations, solvers, scattered products and what
    # runs on the host; those of maxima and minima do not share among equals, and those
    # of quotients, roots and powers make squares and infinities on their way.
    ruled = frozenset(
        (
            *("exp", "sin", "cos", "logaddexp", "maximum", "minimum", "fft"),
            *("arctan2", "cbrt", "divide", "hypot", "power", "sinc"),
            *("cholesky", "eigh", "lu_factor", "qr", "svd"),
            *("solve", "solve_triangular", "scatter_update"),
        )
    )

    def __init__(self, compile: bool | None = None) -> None:
        """Bind the namespace."""
        super().__init__(namespace, "mlx", _DTYPES)
        if compile is None:
            default = "1" if mx.metal.is_available() else "0"
            compile = os.environ.get("POLYKERAS_MLX_COMPILE", default) == "1"
        self.capabilities = replace(self.capabilities, compile=compile)
        # A graph can be evaluated only on threads that know the streams of its nodes.
        for device in self.devices():
            mx.set_default_stream(mx.new_thread_unsafe_stream(_DEVICES[device]))

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return op name to kernel."""
        own: dict[str, Kernel] = {**kernels.KERNELS, **kernels.indexing(self)}
        own["view"] = lambda x, dtype: x.view(self.native_dtype(dtype))
        table = {**super().own_kernels(), **own}
        kept = {name: table[name] for name in table if name not in kernels.COMPOSED}
        if len(self.devices()) > 1:
            return {name: kernels.placed(name, kept[name]) for name in kept}
        return kept

    # -- tensors ---------------------------------------------------------------

    def from_numpy(self, x: Array, dtype: str) -> mx.array:
        """Return an array with a copy of the values."""
        native = self.native_dtype(dtype)
        return mx.array(np.array(x, dtypes.as_numpy_dtype(dtype), order="C"), native)

    def to_numpy(self, x: mx.array) -> Array:
        """Return the values; bfloat16 is no dtype of the buffer protocol."""
        if x.dtype == mx.bfloat16:
            bits = np.array(x.view(mx.uint16))
            return bits.view(dtypes.as_numpy_dtype("bfloat16"))
        return np.array(x)

    def scalar(self, value: complex, dtype: str) -> mx.array:
        """Return a 0-d array."""
        return mx.array(value, self.native_dtype(dtype))

    def is_concrete(self, x: mx.array) -> bool:
        """Return False inside a function that is being compiled."""
        return not _tracing.get()

    # -- transformations -------------------------------------------------------

    def vjp(
        self, fn: Callable[..., Any], primals: Sequence[mx.array]
    ) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]], Any]:
        """Differentiate with `mx.vjp`, which wants cotangents when it evaluates."""
        outputs, aux = fn(*primals)

        def pullback(cotangents: Sequence[Any]) -> list[Any]:
            _, found = mx.vjp(
                lambda *points: list(fn(*points)[0]), list(primals), list(cotangents)
            )
            return list(found)

        return list(outputs), pullback, aux

    def value_and_grad(
        self, fn: Callable[..., Any], primals: Sequence[mx.array]
    ) -> tuple[mx.array, list[mx.array], Any]:
        """Differentiate with `mx.value_and_grad`, which evaluates once."""
        over = mx.value_and_grad(lambda points: fn(*points))
        (value, aux), grads = over(list(primals))
        return value, grads, aux

    def custom_vjp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return an `mx.custom_function`."""

        def kernel(*args: mx.array) -> Any:
            return f(*args)[0]

        def rule(points: Any, outputs: Any, cotangents: Any) -> Any:
            return f(*points)[1](*tree.flatten(cotangents))

        return self.with_rule(kernel, rule)

    def with_rule(
        self,
        kernel: Callable[..., Any],
        rule: Callable[..., Any],
        tangent: Callable[..., Any] | None = None,
    ) -> Callable[..., Any]:
        """Return an `mx.custom_function`, whose derivative is given the result."""
        forward = mx.custom_function(kernel)

        @forward.vjp
        def backward(primals: Any, cotangents: Any, outputs: Any) -> Any:
            points = primals if isinstance(primals, tuple | list) else (primals,)
            grads = rule(points, outputs, cotangents)
            return tuple(grads) if len(points) > 1 else grads[0]

        return forward

    def checkpoint(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return `fn`: `mx.checkpoint` takes what a closure holds for constant."""
        return fn

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Return `mx.compile` of the function, or itself if it looks at values."""
        if not self.capabilities.compile:
            return fn
        looks = False

        def traced(*args: Any) -> Any:
            token = _tracing.set(True)
            try:
                return fn(*args)
            finally:
                _tracing.reset(token)

        compiled = mx.compile(traced)

        def call(*args: Any) -> Any:
            nonlocal looks
            if looks:
                return fn(*args)
            try:
                return compiled(*args)
            except ValueError as error:
                looks = str(error).startswith(("[eval]", "[compile]"))
                if not looks:
                    raise
                return fn(*args)

        return call

    # -- devices ---------------------------------------------------------------

    def library_version(self) -> str:
        """Return MLX's version."""
        return version("mlx")

    def devices(self) -> list[str]:
        """Return the CPU, and the GPU if there is one."""
        return [name for name in _DEVICES if mx.is_available(_DEVICES[name])]

    @contextmanager
    def device_scope(self, device: str) -> Iterator[None]:
        """Run the block's operations on `device`; memory belongs to all of them."""
        with super().device_scope(device), mx.stream(_DEVICES[device]):
            yield

    @contextmanager
    def dtype_scope(self, dtype: str) -> Iterator[None]:
        """Run on the CPU what has 64 bits, which GPUs have not."""
        with mx.stream(mx.cpu if dtype == "float64" else mx.default_device()):
            yield

    def synchronize(self) -> None:
        """Wait until the device is done."""
        mx.synchronize()
