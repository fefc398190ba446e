"""`TorchBackend`: eager PyTorch with its own autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
import torch.utils.checkpoint

from polykeras import dtypes
from polykeras.backend import Array, Backend, Capabilities, Kernel, refusing_state
from polykeras.errors import ArgumentError
from polykeras_torch import (
    control,
    creation,
    elementwise,
    indexing,
    linalg,
    nn,
    optimizers,
    random,
    recurrence,
    reductions,
    shaping,
    sorting,
    spectral,
    statistics,
    windows,
)
from polykeras_torch.compilation import Replaying
from polykeras_torch.dtype_names import DTYPE_NAMES, TORCH_DTYPES
from polykeras_torch.surroundings import (
    default_device,
    derivative_depth,
    device_choice,
    is_mapped,
)
from polykeras_torch.tracing import depends_on_arguments

__all__ = ["TorchBackend"]

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
    recurrence,
    random,
    optimizers,
)

_CPU: Final = torch.device("cpu")
_AMPERE: Final = (8, 0)
# NumPy's dtypes that PyTorch takes as they are.
_SHARED: Final = {
    np.dtype(name): TORCH_DTYPES[name]
    for name in ("float32", "float64", "int32", "int64", "uint8", "uint32", "bool")
}


class TorchBackend(Backend):
    """PyTorch tensors, autograd and kernels."""

    name = "torch"
    tensor_type = torch.Tensor
    inexact = frozenset(
        TORCH_DTYPES[name]
        for name in dtypes.FLOATS + dtypes.COMPLEX
        if name in TORCH_DTYPES
    )
    # PyTorch takes the third power of one over the root, which is 0 where numbers are
    # beyond some 1e13, and the squares of what it is to divide by; of `cbrt` at 0 it
    # takes 0 times infinity, of equal infinities the difference, and of `sinc` near 0
    # that of terms that cancel.
    ruled = frozenset(
        {
            "arctan2",
            "cbrt",
            "logaddexp",
            "logaddexp2",
            "rms_normalization",
            "rsqrt",
            "sinc",
        }
    )
    capabilities = Capabilities(
        autodiff="native",
        dtypes=frozenset(TORCH_DTYPES),
        compile=True,
        inplace=True,
        eager=True,
    )

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return the kernels of every domain."""
        table: dict[str, Kernel] = {}
        for domain in _DOMAINS:
            table.update(domain.KERNELS)
        return table

    def is_tensor(self, x: object) -> bool:
        """Return whether `x` is a torch tensor."""
        return isinstance(x, torch.Tensor)

    def from_numpy(self, x: Array, dtype: str) -> torch.Tensor:
        """Return a tensor on the default device with a copy of the values."""
        native = TORCH_DTYPES[dtype]
        if _SHARED.get(x.dtype) is native:
            same = torch.from_numpy(x.copy())
            return same if default_device() == _CPU else same.to(default_device())
        if x.dtype.name not in TORCH_DTYPES:
            raise ArgumentError(f"PyTorch has no dtype {x.dtype}.")
        if x.dtype.name.startswith(("bfloat16", "float8")):
            # The small floats of ml_dtypes are bits to PyTorch.
            bits = np.array(x, order="C").view(f"u{x.dtype.itemsize}")
            same = torch.from_numpy(bits).view(TORCH_DTYPES[x.dtype.name])
            return same.to(device=default_device(), dtype=native)
        if not (x.flags.writeable and x.flags.c_contiguous and x.dtype.isnative):
            x = np.array(x, x.dtype.newbyteorder("="), order="C", copy=True)
        # Another dtype is another memory.
        return torch.from_numpy(x).to(device=default_device(), dtype=native, copy=True)

    def borrowed(self, x: Array) -> torch.Tensor:
        """Return a tensor over the array's own memory where PyTorch can read it."""
        readable = x.flags.writeable and x.flags.c_contiguous and x.dtype in _SHARED
        if readable and default_device() == _CPU:
            return torch.from_numpy(x)
        copied: torch.Tensor = super().borrowed(x)
        return copied

    def to_numpy(self, x: torch.Tensor) -> Array:
        """Return the values as a NumPy array."""
        x = x.detach().cpu().resolve_conj().resolve_neg()
        name = DTYPE_NAMES[x.dtype]
        if name == "bfloat16" or name.startswith("float8"):
            width = torch.uint8 if x.element_size() == 1 else torch.uint16
            bits: Array = x.contiguous().view(width).numpy()
            return bits.view(dtypes.as_numpy_dtype(name))
        values: Array = x.numpy(force=True)
        return values

    def from_dlpack(self, x: Any) -> torch.Tensor:
        """Return a tensor that shares memory with another library's."""
        return torch.from_dlpack(x)  # type: ignore[attr-defined]

    def dtype_name(self, x: torch.Tensor) -> str:
        """Return the canonical dtype name."""
        return DTYPE_NAMES[x.dtype]

    def scalar(self, value: complex, dtype: str) -> torch.Tensor:
        """Return a 0-d tensor."""
        return torch.tensor(value, dtype=TORCH_DTYPES[dtype], device=default_device())

    def vjp(
        self, fn: Callable[..., Any], primals: Sequence[torch.Tensor]
    ) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]], Any]:
        """Differentiate with autograd; inner derivatives stay differentiable."""
        depth = derivative_depth.get() + 1
        token = derivative_depth.set(depth)
        try:
            with torch.enable_grad():
                inputs = [_leaf(p) for p in primals]
                outputs, aux = fn(*inputs)
        finally:
            derivative_depth.reset(token)
        nested = depth > 1

        def pullback(cotangents: Sequence[Any]) -> list[Any]:
            pairs = [
                (o, c)
                for o, c in zip(outputs, cotangents, strict=True)
                if isinstance(o, torch.Tensor) and o.requires_grad
            ]
            if not pairs:
                return [torch.zeros_like(p) for p in primals]
            outs, cots = zip(*pairs, strict=True)
            wanted = [i for i, x in enumerate(inputs) if x.requires_grad]
            found = torch.autograd.grad(
                outs,
                [inputs[i] for i in wanted],
                cots,
                create_graph=nested,
                retain_graph=True,
                allow_unused=True,
            )
            known = dict(zip(wanted, found, strict=True))
            return [
                torch.zeros_like(p) if known.get(i) is None else known[i]
                for i, p in enumerate(primals)
            ]

        if nested:
            return list(outputs), pullback, aux
        return [_detached(o) for o in outputs], pullback, _detached(aux)

    def custom_vjp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function backed by `torch.autograd.Function`."""
        form: Any = None

        class Custom(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *args: Any) -> Any:
                nonlocal form
                ctx.save_for_backward(*args)
                outputs, ctx.pullback = f(*args)
                leaves, form = torch.utils._pytree.tree_flatten(outputs)
                return tuple(leaves)

            @staticmethod
            def backward(ctx: Any, *cotangents: Any) -> Any:
                if torch.is_grad_enabled():
                    # A second derivative: the pullback must depend on the arguments.
                    return f(*ctx.saved_tensors)[1](*cotangents)
                return ctx.pullback(*cotangents)

        class Mapped(torch.autograd.Function):
            generate_vmap_rule = True

            @staticmethod
            def forward(*args: Any) -> Any:
                nonlocal form
                leaves, form = torch.utils._pytree.tree_flatten(f(*args)[0])
                return tuple(leaves)

            @staticmethod
            def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx: Any, *cotangents: Any) -> Any:
                # What the first pullback holds is of a map that has ended.
                return f(*ctx.saved_tensors)[1](*cotangents)

        def call(*args: Any) -> Any:
            function = Mapped if is_mapped() else Custom
            leaves = function.apply(*args)  # type: ignore[no-untyped-call]
            return torch.utils._pytree.tree_unflatten(list(leaves), form)

        return call

    def tracks(self, x: object) -> bool:
        """Return whether autograd records what is done with a tensor."""
        return isinstance(x, torch.Tensor) and x.requires_grad

    def checkpoint(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function run by `torch.utils.checkpoint`."""

        def call(*args: Any) -> Any:
            return torch.utils.checkpoint.checkpoint(fn, *args, use_reentrant=False)

        return call

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Return the function traced once for each form of its arguments."""
        return Replaying(fn, donate)

    def is_concrete(self, x: torch.Tensor) -> bool:
        """Return False for what depends on the arguments of a function being traced."""
        return not depends_on_arguments(x)

    def vmap(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return `torch.vmap` of the function, which must assign no variable."""
        return refusing_state(torch.vmap(fn))

    def library_version(self) -> str:
        """Return PyTorch's version."""
        return str(torch.__version__)

    def devices(self) -> list[str]:
        """Return the CPU and the accelerators."""
        found = ["cpu:0"]
        if torch.accelerator.is_available():
            kind = torch.accelerator.current_accelerator()
            count = torch.accelerator.device_count()
            found += [f"{kind}:{i}" for i in range(count)]
        return found

    @contextmanager
    def device_scope(self, device: str) -> Iterator[None]:
        """Create the block's tensors on `device`."""
        with super().device_scope(device):
            token = device_choice.set(torch.device(device))
            try:
                yield
            finally:
                device_choice.reset(token)

    def precisions(self) -> tuple[str, ...]:
        """Return float32, and TF32 on NVIDIA's devices since Ampere."""
        if torch.cuda.is_available() and torch.cuda.get_device_capability() >= _AMPERE:
            return ("float32", "tf32")
        return ("float32",)

    @contextmanager
    def precision_scope(self, precision: str) -> Iterator[None]:
        """Compute the block's products of float32 in a precision."""
        with super().precision_scope(precision):
            before = torch.get_float32_matmul_precision()
            cudnn = torch.backends.cudnn
            narrow = precision == "tf32"
            # Both are settings of the process, so they hold for the block alone.
            torch.set_float32_matmul_precision("high" if narrow else "highest")
            try:
                with cudnn.flags(
                    enabled=cudnn.enabled,
                    benchmark=cudnn.benchmark,
                    deterministic=cudnn.deterministic,
                    allow_tf32=narrow,
                ):
                    yield
            finally:
                torch.set_float32_matmul_precision(before)

    def synchronize(self) -> None:
        """Wait for the accelerator."""
        if torch.accelerator.is_available():
            torch.accelerator.synchronize()


def _leaf(x: torch.Tensor) -> torch.Tensor:
    if not (x.is_floating_point() or x.is_complex()):
        return x
    if x.requires_grad:
        return x.view_as(x)
    return x.detach().requires_grad_()


def _detached(structure: Any) -> Any:
    def leaf(x: Any) -> Any:
        return x.detach() if isinstance(x, torch.Tensor) else x

    return torch.utils._pytree.tree_map(leaf, structure)
