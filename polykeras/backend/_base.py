"""The `Backend` base class: what an array library must offer to train models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from polykeras import config, dtypes
from polykeras.backend._replay import ReplayKernel
from polykeras.errors import (
    ArgumentError,
    BackendError,
    DTypeError,
    ForeignTensorError,
    OperationNotSupported,
)

if TYPE_CHECKING:
    from polykeras.backend._kernels import Kernel, KernelTable

__all__ = ["Array", "Backend", "Capabilities", "Tensor", "host_array"]

Tensor: TypeAlias = Any
"""A tensor of the active backend, or anything that stands for one.

Every backend has a class of its own, and while a function is traced its tensors
are stand-ins, so no common base class exists; ops accept and return this.
"""
Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Capabilities:
    """Declared facts about a backend, checked both ways by the conformance suite.

    Args:
        autodiff: Whether gradients come from the library or from polykeras' tape.
        compile: Whether `Backend.compile` does more than return its argument.
        dtypes: Canonical names of the dtypes that tensors can have.
        complex: Whether complex dtypes work.
        dynamic_shapes: Whether ops may have results whose shape depends on data
            inside a compiled function.
        inplace: Whether donated state is updated in place.
        eager: Whether code runs well uncompiled. Training then compiles unasked only
            what holds no code of the user's, whose effects in Python might be missed.
            Where it does not, the conformance suite makes most calls compiled.
    """

    autodiff: Literal["native", "tape"] = "tape"
    compile: bool = False
    dtypes: frozenset[str] = field(default_factory=lambda: frozenset(dtypes.ALL))
    complex: bool = True
    dynamic_shapes: bool = True
    inplace: bool = False
    eager: bool = False


class Backend(ABC):
    """An array library as polykeras sees it.

    Subclasses set the class attributes, supply kernels, and override those
    transformations that their library does better than the defaults.

    Attributes:
        name: What users write to choose this backend.
        tensor_type: The exact class of eager tensors; ops on it take the fast path.
        inexact: The library's own dtype objects that are floating or complex.
        ruled: Names of the ops that polykeras' own rules differentiate although
            ``capabilities.autodiff`` is ``"native"``, because the library has no
            derivative of their kernels, or a wrong or a slower one. Ops that are
            composed may be named too, if they have a rule.
        array_protocol: Name of the method by which the library's operators ask a
            variable on their right for an array, where they do not leave the
            operation to the variable.
        distribution: The installed distribution that supplies the backend.
        kernels: The kernel table, bound when the backend is activated.
        capabilities: Declared facts.
    """

    name: str
    tensor_type: type[Any]
    inexact: frozenset[Any] = frozenset()
    ruled: frozenset[str] = frozenset()
    array_protocol: str = ""
    distribution: str = ""
    kernels: KernelTable
    capabilities: Capabilities = Capabilities()

    @property
    def host(self) -> Backend:
        """The backend that holds values; a symbolic evaluator names another one."""
        return self

    def __repr__(self) -> str:
        return f"<Backend {self.name}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Backend:
        return self

    # -- tensors ---------------------------------------------------------------

    @abstractmethod
    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return op name to kernel, without the kernels of other plugins.

        A kernel gets every parameter of the op by position, after the front end
        converted tensors, applied the promotion table and made axes, strides and
        dtypes explicit (see each op's ``prepare``).
        """

    def adapt_kernel(self, kernel: Kernel) -> Kernel:
        """Return a kernel of another plugin as this backend has to call it.

        Overridden where the library needs settings around each call.
        """
        return kernel

    @abstractmethod
    def is_tensor(self, x: object) -> bool:
        """Return whether `x` is a tensor of this library, traced ones included."""

    @abstractmethod
    def from_numpy(self, x: Array, dtype: str) -> Tensor:
        """Return a tensor that holds `x` as `dtype` on the default device.

        The result must not share memory that a later write could change.
        """

    def borrowed(self, x: Array) -> Tensor:
        """Return a tensor for reading only, which may share memory with an array."""
        return self.convert_to_tensor(x)

    def argument(self, x: Array) -> Any:
        """Return what a compiled function takes for an array it reads: a tensor.

        It may share memory with the array. Overridden where the library moves arrays
        as part of a call.
        """
        return self.borrowed(x)

    @abstractmethod
    def to_numpy(self, x: Tensor) -> Array:
        """Return the values of a tensor as a NumPy array; waits until they exist."""

    @abstractmethod
    def dtype_name(self, x: Tensor) -> str:
        """Return the canonical dtype name of a tensor."""

    def scalar(self, value: complex, dtype: str) -> Tensor:
        """Return a 0-d tensor for a Python number; a backend may cache or fake it.

        The result need only be accepted by this backend's kernels.
        """
        return self.from_numpy(np.asarray(value, dtypes.as_numpy_dtype(dtype)), dtype)

    def from_dlpack(self, x: Any) -> Tensor:
        """Return a tensor for another library's tensor that speaks DLPack."""
        array = np.from_dlpack(x)
        return self.from_numpy(array, array.dtype.name)

    def convert_to_tensor(self, x: object, dtype: str | None = None) -> Tensor:
        """Return `x` as a tensor of this backend.

        Args:
            x: A tensor of this or another library, a NumPy array, a pandas object,
                a number, or nested lists of numbers.
            dtype: Canonical name; None keeps the dtype of arrays and gives int32
                and floatx to Python numbers.

        Raises:
            ForeignTensorError: If another library's tensor cannot be converted.
            ArgumentError: If `x` cannot become a rectangular numeric array.
        """
        if not self.is_tensor(x):
            weak = dtypes.weak_dtype(x)
            if weak is not None:
                name = dtype or dtypes.result_type(weak, floatx=config.floatx())
                return self.from_numpy(np.asarray(x, dtypes.as_numpy_dtype(name)), name)
            if hasattr(x, "__dlpack__") and not isinstance(x, np.ndarray | np.generic):
                x = self._from_foreign(x)
            else:
                array = host_array(x)
                name = dtype or dtypes.standardize_dtype(array.dtype)
                return self.from_numpy(array, name)
        if dtype is not None and self.dtype_name(x) != dtype:
            x = self.kernels["cast"](x, dtype)
        return x

    def _from_foreign(self, x: Any) -> Tensor:
        try:
            return self.from_dlpack(x)
        except Exception as error:
            owner = type(x).__module__.partition(".")[0]
            raise ForeignTensorError(
                f"The active backend is {self.name!r}, but a tensor of {owner!r} was "
                f"given ({type(x).__name__}, shape {tuple(getattr(x, 'shape', ()))}), "
                f"and it cannot be converted: {error}. Convert it to NumPy first, or "
                f"run this code under use_backend for {owner!r}."
            ) from error

    # -- transformations -------------------------------------------------------

    def vjp(
        self, fn: Callable[..., Any], primals: Sequence[Tensor]
    ) -> tuple[Any, Callable[[Any], list[Tensor]], Any]:
        """Evaluate `fn` and return the pullback of its derivative.

        Only called where ``capabilities.autodiff`` is ``"native"``; other
        backends are differentiated by the tape. Calls nest.

        Args:
            fn: A pure function of tensors that returns ``(outputs, aux)``: a list
                of tensors to differentiate, and anything else. The pullback may
                call it again.
            primals: The point of evaluation.

        Returns:
            The outputs, a function from a list of cotangents to a list with one
            gradient a primal (zeros where independent), and aux.
        """
        raise NotImplementedError(f"{self!r} is differentiated by the tape.")

    def value_and_grad(
        self, fn: Callable[..., Any], primals: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor], Any]:
        """Evaluate a scalar function and its gradient; as `vjp`, native only.

        Overridden where the library needs to know the cotangent beforehand.

        Args:
            fn: A pure function of tensors that returns ``(value, aux)``: a 0-d
                tensor to differentiate, and anything else.
            primals: The point of evaluation.

        Returns:
            The value, one gradient a primal (zeros where independent), and aux.
        """

        def listed(*points: Tensor) -> tuple[list[Tensor], Any]:
            value, aux = fn(*points)
            return [value], aux

        (value,), pullback, aux = self.vjp(listed, primals)
        one = self.kernels["ones_like"](value, self.dtype_name(value))
        return value, pullback([one]), aux

    def custom_vjp(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function with a derivative of its own; as `vjp`, native only.

        Args:
            f: Takes tensors, returns ``(outputs, pullback)``; ``pullback(*cotangents)``
                returns a tuple with one gradient an argument.

        Returns:
            A function that returns the outputs.
        """
        raise NotImplementedError(f"{self!r} is differentiated by the tape.")

    def with_rule(
        self,
        kernel: Callable[..., Any],
        rule: Callable[..., Any],
        tangent: Callable[..., Any] | None = None,
    ) -> Callable[..., Any]:
        """Return a kernel with a derivative of its own; as `vjp`, native only.

        Args:
            kernel: Takes tensors, returns a tensor or a tuple of tensors.
            rule: Called with the arguments, the result and its cotangent, the last
                two in the same form; returns a tuple with one gradient an argument.
            tangent: The same forwards, where it is known, for libraries that go that
                way too: called with the arguments, the result, and how far each
                argument moves, None if it does not; returns how far the result does.
        """

        def f(*args: Tensor) -> tuple[Any, Callable[..., Any]]:
            def pullback(*cotangents: Tensor) -> Any:
                # The derivative of this result is the rule's, as second ones need.
                out = call(*args)
                several = isinstance(out, tuple | list)
                return rule(args, out, cotangents if several else cotangents[0])

            return kernel(*args), pullback

        call = self.custom_vjp(f)
        return call

    def tracks(self, x: object) -> bool:
        """Return whether a derivative may be taken through an argument of a kernel.

        Overridden where the library tells: other arguments need no `with_rule`.
        """
        return True

    def checkpoint(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return `fn` computing its inside anew backwards; as `vjp`, native only.

        Args:
            fn: Takes tensors, returns a structure of tensors; its closure may hold
                tensors to differentiate too.
        """
        raise NotImplementedError(f"{self!r} is differentiated by the tape.")

    def compile(
        self, fn: Callable[..., Any], *, donate: Sequence[int] = ()
    ) -> Callable[..., Any]:
        """Return a faster function that gives the same results.

        The function may have a method ``repeat`` for many calls in a row; see
        `polykeras.backend.repeated`.

        Args:
            fn: A pure function of trees of tensors.
            donate: Positions of arguments whose tensors the caller gives up.
        """
        return fn

    def loops_well(self, ops: Collection[str]) -> bool:
        """Return whether a compiled loop runs steps at least as fast as single calls.

        Many steps then become one call of the compiled function.

        Args:
            ops: Names of all ops in a step, compositions and primitives.
        """
        return False

    def replay_kernel(self, name: str) -> ReplayKernel:
        """Return what a recorded program calls for an op.

        Only asked where `compile` records. Overridden where a kernel needs less care
        inside a program, or its results are known to be in memory of their own.
        """
        return ReplayKernel(self.kernels[name])

    def constant(self, x: Tensor) -> Tensor:
        """Return a tensor with the values of `x` that nothing will change.

        Recorded programs keep it. Overridden where kernels overwrite tensors.
        """
        return x

    def vmap(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        """Return `fn` mapped over axis 0 of its tensors, or None for the default."""
        return None

    def is_concrete(self, x: Tensor) -> bool:
        """Return whether the tensor's values exist now, so Python may branch on it."""
        return True

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Hold settings of the library that a whole model call or step needs."""
        yield

    @contextmanager
    def dtype_scope(self, dtype: str) -> Iterator[None]:
        """Let the library's own operators work on tensors of `dtype` in the block.

        Ops see to this themselves; code that writes ``1.0 - x`` needs the scope where
        the library has some dtypes only under a setting.
        """
        yield

    # -- devices ---------------------------------------------------------------

    def library_version(self) -> str:
        """Return the version of the array library."""
        return ""

    def devices(self) -> list[str]:
        """Return the names of the devices that tensors can live on."""
        return ["cpu:0"]

    @contextmanager
    def device_scope(self, device: str) -> Iterator[None]:
        """Create the block's tensors on `device`."""
        if device not in self.devices():
            raise ArgumentError(
                f"The backend {self.name!r} has no device {device!r}. "
                f"It has: {', '.join(self.devices())}."
            )
        yield

    def precisions(self) -> tuple[str, ...]:
        """Return how precisely products of float32 may be computed on this machine.

        ``"float32"`` is always among them, ``"tf32"`` (factors of 10 bits, sums in
        float32) where a device has it.
        """
        return ("float32",)

    @contextmanager
    def precision_scope(self, precision: str) -> Iterator[None]:
        """Compute the block's products of float32 in a precision.

        Raises:
            OperationNotSupported: If no device here has it.
        """
        if precision not in self.precisions():
            raise OperationNotSupported(
                f"The precision {precision!r} is not available on this device: "
                f"{self.name!r} has {', '.join(self.precisions())} on "
                f"{', '.join(self.devices())}."
            )
        yield

    def synchronize(self) -> None:  # noqa: B027 eager libraries have nothing to do
        """Wait until all work given to the devices is done."""

    def release_programs(self) -> None:  # noqa: B027 eager libraries keep none
        """Let go of programs compiled so far; those still needed are compiled again.

        Libraries that compile keep a program for each shape that they met. A process
        that meets ever new ones, as the conformance suite does, calls this from time to
        time.
        """


def host_array(x: object) -> Array:
    """Return nested lists, scalars, pandas objects and the like as a NumPy array.

    Python ints become int32 and floats floatx; arrays keep their dtype.
    """
    if isinstance(x, np.ndarray) and x.dtype.kind in "biufcV":
        return x
    try:
        array = np.asarray(x)
    except BackendError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"Expected numbers in a rectangular array, got {type(x).__name__}, which "
            f"NumPy cannot convert: {error}"
        ) from error
    if array.dtype.kind not in "biufcVO":
        raise DTypeError(
            f"Expected numbers, got an array of shape {array.shape} and dtype "
            f"{array.dtype}, which holds text or times. Encode it as numbers first."
        )
    if array.dtype == object:
        raise ArgumentError(
            f"Expected numbers in a rectangular array, got {type(x).__name__} with "
            "rows of unequal length or objects that are not numbers. Pad the rows "
            "or convert the values first."
        )
    if isinstance(x, list | tuple):
        # NumPy gives 64 bits to Python numbers; only arrays ask for a width.
        holds_arrays = any(hasattr(leaf, "dtype") for leaf in _leaves(x))
        if not holds_arrays and array.dtype == np.int64:
            small = array.astype(np.int32)
            return small if np.array_equal(small, array) else array
        if not holds_arrays and array.dtype == np.float64:
            return array.astype(dtypes.as_numpy_dtype(config.floatx()))
    return array


def _leaves(x: object) -> Iterator[object]:
    if isinstance(x, list | tuple):
        for item in x:
            yield from _leaves(item)
    else:
        yield x
