"""Public derivatives: of functions of tensors, and of a model's variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from polykeras import dtypes, tree
from polykeras.autodiff._tape import tape_vjp
from polykeras.backend import Tensor, active, is_abstract_engine
from polykeras.errors import GradientError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._registry import REGISTRY
from polykeras.state import RepeatableScope, StateScope
from polykeras.variables import Variable, autocast_scope

__all__ = ["grad", "jacobian", "value_and_grad", "vjp"]

Pullback = Callable[[Sequence[Any]], list[Any]]


def _flat_vjp(
    fn: Callable[..., Any], primals: Sequence[Any], *, once: bool = False
) -> tuple[list[Any], Pullback, Any]:
    """Dispatch to the backend's own derivative, the tape, or shapes only."""
    engine = active()
    if is_abstract_engine():
        outputs, aux = fn(*primals)
        return outputs, lambda cotangents: list(primals), aux
    if engine.capabilities.autodiff == "native":
        return engine.vjp(fn, primals)
    return tape_vjp(fn, primals, once=once)


def _value_and_grad(
    fn: Callable[..., Any], primals: Sequence[Any]
) -> tuple[Any, list[Any], Any]:
    """Dispatch as `_flat_vjp` does, for a scalar function."""
    engine = active()
    if engine.capabilities.autodiff == "native" and not is_abstract_engine():
        return engine.value_and_grad(fn, primals)

    def listed(*points: Any) -> tuple[list[Any], Any]:
        value, aux = fn(*points)
        return [value], aux

    (value,), pull, aux = _flat_vjp(listed, primals, once=True)
    return value, pull([REGISTRY["ones_like"](value)]), aux


def _as_tensor(x: Any) -> Any:
    x = x.operand() if isinstance(x, Operand) else x
    engine = active()
    if isinstance(x, Traced | Spec) or engine.is_tensor(x):
        return x
    return engine.convert_to_tensor(x)


def _dtype(x: Any) -> str:
    return x.dtype if isinstance(x, Operand) else active().dtype_name(x)


def _check_inexact(x: Any, what: str) -> None:
    if not dtypes.is_inexact(_dtype(x)):
        raise GradientError(
            f"{what} must be floating point to be differentiated, got dtype "
            f"{_dtype(x)} with shape {tuple(x.shape)}. Cast it to 'float32'."
        )


def vjp(fn: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Evaluate a function and return the pullback of its derivative.

    Args:
        fn: A function of tensors that returns a structure of tensors.
        primals: Where to evaluate it: structures of floating-point tensors.

    Returns:
        ``fn(*primals)``, and a function that takes cotangents in the form of that
        result and returns one gradient per primal (as a tuple if there are several).

    Raises:
        GradientError: If a primal is not floating point.

    >>> import polykeras as keras
    >>> out, pull = keras.vjp(lambda x: x * x, keras.ops.array([1.0, 3.0]))
    >>> [float(g) for g in pull(keras.ops.ones((2,)))]
    [2.0, 6.0]
    """
    leaves, form = tree.flatten_leaves(primals)
    leaves = [_as_tensor(x) for x in leaves]
    for x in leaves:
        _check_inexact(x, "A primal of vjp")
    forms: list[Any] = []

    def run(*points: Any) -> tuple[list[Any], None]:
        outputs, form_of_result = tree.flatten_leaves(
            fn(*tree.unflatten_leaves(form, points))
        )
        forms.append(form_of_result)
        return [_as_tensor(o) for o in outputs], None

    outputs, pull, _ = _keeping_writes(_repeatable_vjp, run, leaves)
    result_form = forms[-1]

    def pullback(cotangents: Any) -> Any:
        given, given_form = tree.flatten_leaves(cotangents)
        if given_form != result_form:
            raise ShapeError(
                f"The cotangents must have the form of the result, {result_form}; "
                f"got {given_form}."
            )
        grads = tree.unflatten_leaves(form, pull([_as_tensor(c) for c in given]))
        return grads if len(primals) != 1 else grads[0]

    return tree.unflatten_leaves(result_form, outputs), pullback


def value_and_grad(
    fn: Callable[..., Any],
    variables: Sequence[Variable] | None = None,
    *,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives `fn`'s value and its gradient.

    Args:
        fn: Returns a scalar, or with `has_aux` a scalar and anything else.
        variables: If given, the gradient is with respect to these variables;
            variables that `fn` assigns (moving averages, seeds) keep their new
            values.
        argnums: Otherwise, the positions of the arguments to differentiate.
        has_aux: Whether `fn` returns ``(value, aux)``.

    Returns:
        A function of `fn`'s arguments that returns ``(value, gradient)`` or
        ``((value, aux), gradient)``; the gradient is a list in the order of
        `variables`, or has the form of the argument(s).

    Raises:
        GradientError: If the value is no scalar or an argument no float.

    >>> import polykeras as keras
    >>> w = keras.Variable(3.0)
    >>> value, (dw,) = keras.value_and_grad(lambda x: w * w * x, [w])(2.0)
    >>> float(value), float(dw)
    (18.0, 12.0)
    """

    def call(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if variables is not None:
            return _of_variables(fn, list(variables), has_aux, args, kwargs)
        return _of_arguments(fn, argnums, has_aux, args, kwargs)

    return call


def grad(
    fn: Callable[..., Any],
    variables: Sequence[Variable] | None = None,
    *,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return a function that gives the gradient of `fn`.

    Args:
        fn: Returns a scalar, or with `has_aux` a scalar and anything else.
        variables: As for `value_and_grad`.
        argnums: As for `value_and_grad`.
        has_aux: Whether `fn` returns ``(value, aux)``.

    Returns:
        A function that returns the gradient, or ``(gradient, aux)``.

    >>> import polykeras as keras
    >>> third = keras.grad(keras.grad(keras.grad(lambda x: x**4)))
    >>> float(third(2.0))
    48.0
    """
    both = value_and_grad(fn, variables, argnums=argnums, has_aux=has_aux)

    def call(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return call


def _scalar(value: Any) -> Any:
    value = _as_tensor(value)
    if tuple(value.shape) != ():
        raise GradientError(
            f"Only scalars have a gradient, but the function returned a tensor of "
            f"shape {tuple(value.shape)}. Reduce it with ops.mean or ops.sum, or use "
            "jacobian."
        )
    _check_inexact(value, "The value")
    return value


def _split(result: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise GradientError(
            f"With has_aux=True the function returns (value, aux), got {type(result)}."
        )
    return result


def _repeatable_vjp(
    fn: Callable[..., Any], primals: Sequence[Any]
) -> tuple[list[Any], Pullback, Any]:
    """Differentiate `fn`, which sees the same variables when it is called again."""
    scope = RepeatableScope()

    def repeatable(*points: Any) -> Any:
        with scope():
            return fn(*points)

    return _flat_vjp(repeatable, primals)


def _keeping_writes(
    transform: Callable[..., tuple[Any, Any, Any]],
    run: Callable[..., tuple[Any, Any]],
    points: Sequence[Any],
) -> tuple[Any, Any, Any]:
    """Differentiate `run`; variables it assigns keep their new values.

    Inside, values belong to the trace and would leak if stored, so they travel
    out as auxiliary results and are assigned outside.
    """
    assigned: list[Variable] = []

    def flat(*inner: Any) -> tuple[list[Any], Any]:
        with StateScope()() as scope:
            outputs, aux = run(*inner)
            assigned[:] = scope.written.values()
            return outputs, (aux, [scope.values[id(v)] for v in assigned])

    outputs, derivative, (aux, writes) = transform(flat, points)
    for variable, new in zip(assigned, writes, strict=True):
        variable.assign(new)
    return outputs, derivative, aux


def _differentiate(
    fn: Callable[..., Any], points: list[Any], has_aux: bool
) -> tuple[Any, list[Any]]:
    def run(*inner: Any) -> tuple[Any, Any]:
        value, aux = _split(fn(*inner), has_aux)
        return _scalar(value), aux

    value, grads, aux = _keeping_writes(_value_and_grad, run, points)
    return ((value, aux) if has_aux else value), grads


def _of_variables(
    fn: Callable[..., Any],
    variables: list[Variable],
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, list[Any]]:
    with autocast_scope(None):
        points = [v.value for v in variables]
    for v, p in zip(variables, points, strict=True):
        _check_inexact(p, f"The variable {v.path!r}")

    def run(*inner: Any) -> Any:
        with StateScope(variables, inner)() as scope:
            result = fn(*args, **kwargs)
            for key, variable in scope.written.items():
                scope.parent.write(variable, scope.values[key])  # type: ignore[union-attr]
        return result

    return _differentiate(run, points, has_aux)


def _of_arguments(
    fn: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, Any]:
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    chosen = [args[i] for i in numbers]
    leaves, form = tree.flatten_leaves(chosen)
    points = [_as_tensor(x) for x in leaves]
    for p in points:
        _check_inexact(p, "An argument")

    def run(*inner: Any) -> Any:
        full = list(args)
        for i, value in zip(numbers, tree.unflatten_leaves(form, inner), strict=True):
            full[i] = value
        return fn(*full, **kwargs)

    value, grads = _differentiate(run, points, has_aux)
    shaped = tree.unflatten_leaves(form, grads)
    return value, (shaped[0] if isinstance(argnums, int) else tuple(shaped))


def jacobian(fn: Callable[..., Any], *, argnums: int = 0) -> Callable[..., Tensor]:
    """Return a function that gives the matrix of first derivatives.

    Args:
        fn: A function that returns one tensor.
        argnums: The position of the tensor argument to differentiate.

    Returns:
        A function that returns a tensor of shape ``output.shape + input.shape``.

    >>> import polykeras as keras
    >>> keras.jacobian(lambda x: x * x)(keras.ops.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    def call(*args: Any, **kwargs: Any) -> Tensor:
        point = _as_tensor(args[argnums])

        def of_one(x: Any) -> Any:
            return fn(*args[:argnums], x, *args[argnums + 1 :], **kwargs)

        out, pull = vjp(of_one, point)
        size = 1
        for n in out.shape:
            size *= n
        basis = REGISTRY["reshape"](
            REGISTRY["eye"](size, dtype=_dtype(out)), (size, *out.shape)
        )
        rows = [pull(basis[i]) for i in range(size)]
        return REGISTRY["reshape"](REGISTRY["stack"](rows), (*out.shape, *point.shape))

    return call
