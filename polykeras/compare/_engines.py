"""Backends seen through another dtype: `numpy:float64`, `torch:bfloat16`.

A model says its dtypes in many places: policies, inputs, casts, losses. `Recast`
changes none of them. It is a backend whose kernels hold every floating tensor in one
dtype, whatever they are asked for, so the same model with the same weights computes
in 64 bits for reference, or in 16 to see what that costs. Random numbers are drawn in
the dtype that was asked for and then converted, so that masks are the same bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from polykeras import dtypes, tree
from polykeras.backend import (
    Array,
    Backend,
    Kernel,
    KernelTable,
    Tensor,
    engine_scope,
    get_backend,
    installed_backends,
)
from polykeras.errors import ArgumentError, nearest
from polykeras.ops._registry import REGISTRY

__all__ = [
    "Delegate",
    "Recast",
    "Restricted",
    "Rounding",
    "engine_named",
    "engines_named",
    "rounding_of",
]

_WORDS: Final = ("own", "primitives", "compiled", "tf32")
_COMPLEX: Final = {"float64": "complex128"}


def engine_named(said: str | Backend) -> Backend:
    """Return the engine that ``NAME@DEVICE:WORD:WORD`` says.

    Args:
        said: The name of a backend, then perhaps a device such as ``cpu`` or
            ``cuda:1``, then, after colons, a floating dtype to compute in, ``tf32`` for
            products of that precision, ``own`` to leave out the kernels that other
            plugins supply, ``primitives`` to leave out all kernels but those of
            primitives, or ``compiled``; or a `Backend`.

    Raises:
        ArgumentError: If the word after a colon is another.
        BackendError: If there is no such backend.

    >>> engine_named("numpy@cpu:float64")
    <Backend numpy@cpu:float64>
    """
    if not isinstance(said, str):
        return get_backend(said)
    # They build on this module.
    from polykeras.compare._compiled import CompiledEngine
    from polykeras.compare._modes import OnDevice, WithProducts

    first, *words = said.split(":")
    name, at, device = first.partition("@")
    engine = get_backend(name)
    if at:
        if words and words[0].isdigit():
            device += f":{words.pop(0)}"
        engine = OnDevice(engine, device)
    for word in words:
        if word in dtypes.FLOATS:
            engine = Recast(engine, word)
        elif word == "compiled":
            engine = CompiledEngine(engine)
        elif word == "tf32":
            engine = WithProducts(engine, word)
        elif word in _WORDS:
            engine = Restricted(engine, word)
        else:
            raise ArgumentError(
                f"The engine {said!r} names neither a floating dtype nor a way to run "
                f"after the colon. {nearest(word, (*dtypes.FLOATS, *_WORDS))}"
            )
    return engine


def engines_named(said: Sequence[str | Backend] | None) -> list[Backend]:
    """Return the engines to compare with each other.

    Args:
        said: As for `engine_named`; None means all backends that are installed.

    Raises:
        ArgumentError: If it is no list, or there is no engine, or one twice.
    """
    if isinstance(said, str | Backend):
        raise ArgumentError(
            f"Expected a list of engines, such as ['numpy', 'torch'], got {said!r}."
        )
    names = installed_backends() if said is None else said
    engines = [engine_named(name) for name in names]
    if not engines:
        raise ArgumentError("There is no backend to compare. Pass backends=[...].")
    for name, count in Counter(engine.name for engine in engines).items():
        if count > 1:
            raise ArgumentError(
                f"The engine {name!r} is given {count} times. Name each engine once."
            )
    return engines


class Rounding(NamedTuple):
    """How an engine rounds.

    Args:
        forced: The dtype that it computes in whatever the model says, or None.
        products: The precision in which it multiplies float32.
    """

    forced: str | None = None
    products: str = "float32"


def rounding_of(engine: Backend) -> Rounding:
    """Return how an engine rounds."""
    if not isinstance(engine, Delegate):
        return Rounding()
    inner = rounding_of(engine.inner)
    if isinstance(engine, Recast):
        return inner._replace(forced=engine.dtype)
    return inner._replace(products=getattr(engine, "precision", inner.products))


class Delegate(Backend):
    """A backend that does as another one does; subclasses change its kernels.

    Args:
        inner: The backend that holds the tensors.
        name: What reports call it.
    """

    def __init__(self, inner: Backend, name: str) -> None:
        """Take over what the other backend declares."""
        self.inner = inner
        self.name = name
        self.tensor_type = inner.tensor_type
        self.inexact = inner.inexact
        self.array_protocol = inner.array_protocol
        self.distribution = inner.distribution
        self.capabilities = inner.capabilities
        self.kernels = _DelegateTable(self)

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return what runs an op in place of the other backend's kernel."""
        return kernel

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return nothing: the table asks the other backend."""
        return {}

    def is_tensor(self, x: object) -> bool:
        """Ask the other backend."""
        return self.inner.is_tensor(x)

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Ask the other backend."""
        return self.inner.from_numpy(x, dtype)

    def borrowed(self, x: Array) -> Tensor:
        """Ask the other backend."""
        return self.inner.borrowed(x)

    def argument(self, x: Array) -> Any:
        """Ask the other backend."""
        return self.inner.argument(x)

    def to_numpy(self, x: Tensor) -> Array:
        """Ask the other backend."""
        return self.inner.to_numpy(x)

    def dtype_name(self, x: Tensor) -> str:
        """Ask the other backend."""
        return self.inner.dtype_name(x)

    def scalar(self, value: complex, dtype: str) -> Tensor:
        """Ask the other backend."""
        return self.inner.scalar(value, dtype)

    def from_dlpack(self, x: Any) -> Tensor:
        """Ask the other backend."""
        return self.inner.from_dlpack(x)

    def vjp(
        self, fn: Callable[..., Any], primals: Sequence[Tensor]
    ) -> tuple[Any, Callable[[Any], list[Tensor]], Any]:
        """Ask the other backend."""
        return self.inner.vjp(fn, primals)

    def value_and_grad(
        self, fn: Callable[..., Any], primals: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor], Any]:
        """Ask the other backend."""
        return self.inner.value_and_grad(fn, primals)

    def custom_vjp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Ask the other backend."""
        return self.inner.custom_vjp(f)

    def with_rule(
        self,
        kernel: Callable[..., Any],
        rule: Callable[..., Any],
        tangent: Callable[..., Any] | None = None,
    ) -> Callable[..., Any]:
        """Ask the other backend."""
        return self.inner.with_rule(kernel, rule, tangent)

    def tracks(self, x: object) -> bool:
        """Ask the other backend."""
        return self.inner.tracks(x)

    def checkpoint(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Ask the other backend."""
        return self.inner.checkpoint(fn)

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Ask the other backend."""
        return self.inner.compile(fn, donate=donate)

    def vmap(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        """Ask the other backend."""
        return self.inner.vmap(fn)

    def loops_well(self, ops: Collection[str]) -> bool:
        """Ask the other backend."""
        return self.inner.loops_well(ops)

    def constant(self, x: Tensor) -> Tensor:
        """Ask the other backend."""
        return self.inner.constant(x)

    def is_concrete(self, x: Tensor) -> bool:
        """Ask the other backend."""
        return self.inner.is_concrete(x)

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Ask the other backend."""
        with self.inner.step_scope():
            yield

    @contextmanager
    def dtype_scope(self, dtype: str) -> Iterator[None]:
        """Ask the other backend."""
        with self.inner.dtype_scope(dtype):
            yield

    def library_version(self) -> str:
        """Ask the other backend."""
        return self.inner.library_version()

    def devices(self) -> list[str]:
        """Ask the other backend."""
        return self.inner.devices()

    @contextmanager
    def device_scope(self, device: str) -> Iterator[None]:
        """Ask the other backend."""
        with self.inner.device_scope(device):
            yield

    def precisions(self) -> tuple[str, ...]:
        """Ask the other backend."""
        return self.inner.precisions()

    @contextmanager
    def precision_scope(self, precision: str) -> Iterator[None]:
        """Ask the other backend."""
        with self.inner.precision_scope(precision):
            yield

    def synchronize(self) -> None:
        """Ask the other backend."""
        self.inner.synchronize()

    def release_programs(self) -> None:
        """Ask the other backend."""
        self.inner.release_programs()


class _DelegateTable(KernelTable):
    """Looks each kernel up in another backend's table on first use."""

    backend: Delegate

    def __missing__(self, name: str) -> Kernel:
        kernel = self.backend.inner.kernels[name]
        if name in REGISTRY and kernel is not REGISTRY[name].op.fn:  # type: ignore[attr-defined]
            # A composition runs as it is: the ops inside come back to this table.
            kernel = self.backend.kernel_for(name, kernel)
        self[name] = kernel
        return kernel


class Restricted(Delegate):
    """A backend without some of its kernels, whose ops run as compositions.

    Args:
        inner: The backend.
        which: ``"own"`` leaves out the kernels of other plugins, ``"primitives"``
            all kernels of ops that have a composition.
    """

    def __init__(self, inner: Backend, which: str) -> None:
        """Look up which kernels are the backend's own."""
        self._own = {} if which == "primitives" else dict(inner.own_kernels())
        self._which = which
        super().__init__(inner, f"{inner.name}:{which}")

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return the kernel, one of the backend's own, or the composition."""
        operation = REGISTRY[name].op  # type: ignore[attr-defined]
        if self._which == "primitives":
            composed = operation.has_default and not operation.is_primitive
            drawn = name.startswith("random_")
            return operation.fn if composed and not drawn else kernel
        suppliers = self.inner.kernels.suppliers
        if suppliers.get(name, self.distribution) == self.distribution:
            return kernel
        own = self._own.get(name)
        return operation.fn if own is None else own


class Recast(Delegate):
    """A backend whose floating tensors all have one dtype.

    Args:
        inner: The backend that computes.
        dtype: The floating dtype.
        name: What reports call it; by default ``NAME:DTYPE``.
    """

    def __init__(self, inner: Backend, dtype: str, name: str = "") -> None:
        """Remember the dtype."""
        self.dtype = dtype
        # Dtypes of the library, of tensors that stay as they are.
        self._settled: set[Any] = set()
        super().__init__(inner, name or f"{inner.name}:{dtype}")

    def target(self, dtype: str) -> str:
        """Return the dtype that stands in for `dtype`."""
        if dtypes.is_float(dtype):
            return self.dtype
        if dtypes.is_complex(dtype):
            return _COMPLEX.get(self.dtype, "complex64")
        return dtype

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return a kernel that is asked for, and gives, this dtype."""
        if name == "cast":
            return self._cast
        if name.startswith("random_"):
            return self._drawing(name)

        settled, said = self._settled, self._said

        def recast(*args: Any) -> Any:
            # Every op passes here, mostly with tensors that are right already.
            return kernel(
                *[a if getattr(a, "dtype", None) in settled else said(a) for a in args]
            )

        return recast

    def _said(self, argument: Any) -> Any:
        """Return an argument in the dtypes of this engine."""
        if isinstance(argument, str):
            return self.target(argument) if argument in dtypes.ALL else argument
        if type(argument) in (list, tuple):
            return type(argument)([self._said(a) for a in argument])
        # NumPy's arrays are tensors wherever they come from, whatever their dtype.
        return self._converted(argument)

    def _cast(self, x: Tensor, dtype: str) -> Tensor:
        target = self.target(dtype)
        if self.inner.dtype_name(x) == target:
            return x
        return self.inner.kernels["cast"](x, target)

    def _drawing(self, name: str) -> Kernel:
        """Return a kernel that draws in the dtype asked for, then converts."""

        def draw(*args: Any) -> Any:
            with engine_scope(self.inner):
                drawn = self.inner.kernels[name](*args)
            return tree.map_leaves(self._converted, drawn)

        return draw

    def _converted(self, x: Any) -> Any:
        if not self.inner.is_tensor(x):
            return x
        cast = self._cast(x, self.inner.dtype_name(x))
        if cast is x:
            self._settled.add(x.dtype)
        return cast

    def convert_to_tensor(self, x: object, dtype: str | None = None) -> Tensor:
        """Return a tensor of this dtype, if the values are floating."""
        return self._converted(super().convert_to_tensor(x, dtype))

    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return a tensor of this dtype, if the values are floating."""
        return self.inner.from_numpy(x, self.target(dtype))

    def scalar(self, value: complex, dtype: str) -> Tensor:
        """Return a 0-d tensor of this dtype, if the value is floating."""
        return self.inner.scalar(value, self.target(dtype))

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Let models that use the library's own operators compute in this dtype too."""
        with self.inner.step_scope(), self.inner.dtype_scope(self.dtype):
            yield
