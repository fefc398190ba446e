"""Control flow that can be traced: conditions, loops and scans.

Libraries that run eagerly use the Python loops below, through which the tape and
native autograd differentiate. What goes round a loop (the carry) must keep its
structure, shapes and dtypes, on every backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from polykeras import tree
from polykeras.backend import active
from polykeras.dtypes import weak_dtype
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec, evaluate, specs_like
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._values import as_tensor, dtype_of, known_values
from polykeras.ops.joining import stack, unstack

__all__ = ["cond", "fori_loop", "scan", "switch", "while_loop"]

Function = Callable[..., Any]


def tensors(structure: Any) -> Any:
    """Return the structure with every leaf but None a tensor."""
    return tree.map_leaves(lambda x: x if x is None else as_tensor(x), structure)


def shown(structure: Any) -> str:
    """Return the shapes and dtypes of a structure for an error message."""
    return str(
        tree.map_leaves(
            lambda x: Spec(tuple(x.shape), dtype_of(x)) if hasattr(x, "shape") else x,
            structure,
        )
    )


def like_carry(name: str, carry: Any, new: Any) -> Any:
    """Return the new carry in the form of the old one.

    Args:
        name: The op, for the error.
        carry: A structure of tensors.
        new: What a loop's body returned for it.

    Raises:
        ShapeError: If the number of tensors or a shape differs.
        DTypeError: If a dtype differs.
    """
    old, form = tree.flatten_leaves(carry)
    leaves = tree.flatten_leaves(new)[0]
    if len(leaves) != len(old):
        raise ShapeError(
            f"polykeras.ops.{name}: the body must return as many tensors as it "
            f"carries, {shown(carry)}; it returned {shown(new)}."
        )
    return tree.unflatten_leaves(
        form, [_like(name, a, b) for a, b in zip(old, leaves, strict=True)]
    )


def _like(name: str, old: Any, new: Any) -> Any:
    if old is None and new is None:
        return None
    if old is None or new is None:
        raise ShapeError(
            f"polykeras.ops.{name}: what is carried must stay None or a tensor; it was "
            f"{shown(old)} and became {shown(new)}."
        )
    if weak_dtype(new) is not None:
        new = active().convert_to_tensor(new, dtype_of(old))
    new = as_tensor(new)
    if tuple(new.shape) != tuple(old.shape):
        raise ShapeError(
            f"polykeras.ops.{name}: what is carried must keep its shape; it was "
            f"{shown(old)} and became {shown(new)}. Give the first value the shape "
            "that the body returns."
        )
    if dtype_of(new) != dtype_of(old):
        raise DTypeError(
            f"polykeras.ops.{name}: what is carried must keep its dtype; it was "
            f"{shown(old)} and became {shown(new)}. Cast the first value, or the "
            "body's result, with ops.cast."
        )
    return new


# -- conditions ----------------------------------------------------------------


@primitive(has_default=True, tree="pred")
def cond(pred: Any, true_fn: Function, false_fn: Function) -> Any:
    """Return the result of one of two functions.

    Args:
        pred: A truth value: Python's or a tensor without axes.
        true_fn: Called without arguments where `pred` is true.
        false_fn: Called otherwise; must return a structure of the same shapes and
            dtypes, which is checked where both are traced.

    Returns:
        What the function called returns, numbers as tensors.

    Raises:
        ShapeError: If the results of traced functions differ in form or shape.
        DTypeError: If they differ in dtype.

    >>> import polykeras as keras
    >>> x = keras.ops.array(3.0)
    >>> float(keras.ops.cond(x > 2, lambda: x * 2, lambda: x))
    6.0
    """
    _check_scalar("cond", pred)
    return tensors(true_fn() if bool(pred) else false_fn())


def _check_scalar(name: str, pred: Any) -> None:
    shape = tuple(getattr(pred, "shape", ()))
    if shape:
        raise ShapeError(
            f"polykeras.ops.{name} expected one truth value, got a tensor of shape "
            f"{shape}. Use ops.where to choose value by value, or reduce it with "
            "ops.all or ops.any."
        )


@cond.prepare
def _(pred: Any, true_fn: Function, false_fn: Function) -> tuple[Any, ...]:
    _check_scalar("cond", pred)
    known = known_values(pred)
    pred = pred if known is None else bool(known)
    return pred, lambda: tensors(true_fn()), lambda: tensors(false_fn())


@cond.abstract
def _(pred: Any, true_fn: Function, false_fn: Function) -> Any:
    first, second = true_fn(), false_fn()
    leaves, form = tree.flatten_leaves(first)
    others, other_form = tree.flatten_leaves(second)
    text = (
        "polykeras.ops.cond: both functions must return the same structure, shapes and "
        f"dtypes; true_fn returned {shown(first)} and false_fn {shown(second)}."
    )
    if form != other_form or any(
        (a is None) != (b is None) or (a is not None and a.shape != b.shape)
        for a, b in zip(leaves, others, strict=True)
    ):
        raise ShapeError(text)
    if any(
        a is not None and a.dtype != b.dtype
        for a, b in zip(leaves, others, strict=True)
    ):
        raise DTypeError(text)
    return first


@op(tree="index operands")
def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """Return the result of one of several functions.

    Args:
        index: An integer without axes; moved into the range of `branches`.
        branches: Functions of `operands` whose results have the same form, shapes
            and dtypes.
        operands: Passed to the function chosen.

    Returns:
        What the function chosen returns.

    Raises:
        ArgumentError: If there are no branches.

    >>> import polykeras as keras
    >>> double, negate = lambda x: x * 2, lambda x: -x
    >>> int(keras.ops.switch(1, [double, negate], keras.ops.array(3)))
    -3
    """
    if not branches:
        raise ArgumentError("polykeras.ops.switch expected at least one branch.")
    _check_scalar("switch", index)
    last = len(branches) - 1
    known = known_values(index)
    if known is not None:
        return branches[min(max(int(known), 0), last)](*operands)

    def choose(i: int) -> Any:
        if i == last:
            return branches[last](*operands)
        return cond(
            REGISTRY["less"](index, i + 1),
            lambda: branches[i](*operands),
            lambda: choose(i + 1),
        )

    return choose(0)


# -- loops ---------------------------------------------------------------------


@primitive(has_default=True, tree="loop_vars")
def while_loop(
    cond: Function,
    body: Function,
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Return loop variables after a body ran as long as a condition holds.

    Backends that compile differentiate through it only if `maximum_iterations` is
    given.

    Args:
        cond: A function of the loop variables that returns one truth value.
        body: A function of the loop variables that returns their next values, of
            the same shapes and dtypes.
        loop_vars: A list or tuple of structures of tensors, or one structure.
        maximum_iterations: Where to stop at the latest.

    Returns:
        The last values, in the form of `loop_vars`.

    Raises:
        ShapeError: If the body changes the form or a shape.
        DTypeError: If the body changes a dtype.

    >>> import polykeras as keras
    >>> int(keras.ops.while_loop(lambda i: i < 10, lambda i: i + 3, 0))
    12
    """
    cond, body, carry, limit = _loop(cond, body, loop_vars, maximum_iterations)
    count = 0
    while (limit is None or count < limit) and bool(cond(carry)):
        carry = body(carry)
        count += 1
    return carry


def _loop(
    cond: Function, body: Function, loop_vars: Any, maximum_iterations: Any
) -> tuple[Function, Function, Any, int | None]:
    """Return functions of the whole carry that check what they return."""
    several = isinstance(loop_vars, list | tuple)
    if maximum_iterations is not None:
        maximum_iterations = int(maximum_iterations)

    def next_carry(carry: Any) -> Any:
        new = body(*carry) if several else body(carry)
        if several and not isinstance(new, list | tuple):
            new = (new,)
        return like_carry("while_loop", carry, new)

    def goes_on(carry: Any) -> Any:
        pred = cond(*carry) if several else cond(carry)
        _check_scalar("while_loop", pred)
        return pred if isinstance(pred, bool) else as_tensor(pred)

    return goes_on, next_carry, tensors(loop_vars), maximum_iterations


@while_loop.prepare
def _(
    cond: Function, body: Function, loop_vars: Any, maximum_iterations: Any = None
) -> tuple[Any, ...]:
    return _loop(cond, body, loop_vars, maximum_iterations)


@while_loop.abstract
def _(cond: Function, body: Function, loop_vars: Any, maximum_iterations: Any) -> Any:
    cond(loop_vars)
    return body(loop_vars)


@op(tree="lower upper init_val")
def fori_loop(lower: Any, upper: Any, body_fun: Function, init_val: Any) -> Any:
    """Return a value after a body ran for each integer of a range.

    With bounds that are Python ints it can be differentiated on every backend.

    Args:
        lower: The first integer.
        upper: The integer behind the last.
        body_fun: A function of the integer, an int32 tensor, and the value, which
            returns the next value of the same shapes and dtypes.
        init_val: The first value, a structure of tensors.

    Returns:
        The last value, in the form of `init_val`.

    >>> import polykeras as keras
    >>> int(keras.ops.fori_loop(0, 4, lambda i, total: total + i, 0))
    6
    """
    if isinstance(lower, int) and isinstance(upper, int):
        if upper <= lower:
            return tensors(init_val)
        places = REGISTRY["arange"](lower, upper, dtype="int32")
        return scan(lambda carry, i: (body_fun(i, carry), None), init_val, places)[0]
    first = REGISTRY["cast"](as_tensor(lower), "int32")
    _i, value = while_loop(
        lambda i, value: REGISTRY["less"](i, upper),
        lambda i, value: (REGISTRY["add"](i, 1), body_fun(i, value)),
        (first, init_val),
    )
    return value


# -- scan ----------------------------------------------------------------------


@primitive(has_default=True, tree="init xs")
def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Carry a value along the first axis of tensors, and collect results.

    Args:
        f: A function ``(carry, x) -> (carry, y)``; the carry keeps its shapes and
            dtypes; `y` is any structure of tensors, or None.
        init: The first carry, a structure of tensors.
        xs: A structure of tensors of shape ``(T, ...)``, or None.
        length: T; needed if `xs` is None.
        reverse: Whether to begin at the end; results keep the order of `xs`.
        unroll: How many steps a compiling backend lays out in a row.

    Returns:
        The last carry, and the results stacked to shape ``(T, ...)``.

    Raises:
        ShapeError: If the first sizes of `xs` differ, or the carry changes shape.
        DTypeError: If the carry changes dtype.
        ArgumentError: If neither `xs` nor `length` tells T.

    >>> import polykeras as keras
    >>> step = lambda total, x: (total + x, total + x)
    >>> last, sums = keras.ops.scan(step, 0, keras.ops.array([1, 2, 3]))
    >>> int(last), [int(v) for v in sums]
    (6, [1, 3, 6])
    """
    f, carry, xs, length, reverse, unroll = _scanned(
        f, init, xs, length, reverse, unroll
    )
    leaves, form = tree.flatten_leaves(xs)
    columns = [[None] * length if x is None else unstack(x) for x in leaves]
    results: list[Any] = [None] * length
    for t in reversed(range(length)) if reverse else range(length):
        x = tree.unflatten_leaves(form, [column[t] for column in columns])
        carry, results[t] = f(carry, x)
    if not length:
        return carry, _no_results(f, carry, leaves, form)
    return carry, stacked(results)


def stacked(results: Sequence[Any]) -> Any:
    """Return structures of equal form as one, their tensors stacked on axis 0."""
    return tree.map_leaves(
        lambda *ys: None if ys[0] is None else stack([as_tensor(y) for y in ys]),
        *results,
    )


def _no_results(f: Function, carry: Any, leaves: Sequence[Any], form: Any) -> Any:
    row = [x if x is None else Spec(tuple(x.shape[1:]), dtype_of(x)) for x in leaves]
    _carry, y = evaluate(f, [specs_like(carry), tree.unflatten_leaves(form, row)])
    full = REGISTRY["full"]
    return tree.map_leaves(
        lambda s: None if s is None else full((0, *s.shape), 0, s.dtype), y
    )


def _scanned(
    f: Function, init: Any, xs: Any, length: Any, reverse: Any, unroll: Any
) -> tuple[Function, Any, Any, int, bool, int]:
    init, xs = tensors(init), tensors(xs)
    sizes = {tuple(x.shape[:1]) for x in tree.flatten_leaves(xs)[0] if x is not None}
    if length is not None:
        sizes.add((int(length),))
    if len(sizes) != 1 or () in sizes:
        kind = ArgumentError if not sizes else ShapeError
        raise kind(
            "polykeras.ops.scan expected tensors with one first size, and length equal "
            f"to it or, without xs, given; got xs {shown(xs)} and length {length}."
        )
    steps = int(sizes.pop()[0])

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        result = f(carry, x)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise ArgumentError(
                "polykeras.ops.scan expected f to return a pair (carry, y), got "
                f"{type(result).__name__}."
            )
        return like_carry("scan", carry, result[0]), tensors(result[1])

    if unroll is True or unroll is False:
        unroll = steps if unroll else 1
    return step, init, xs, steps, bool(reverse), max(int(unroll), 1)


@scan.prepare
def _(
    f: Function,
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: Any = False,
    unroll: Any = 1,
) -> tuple[Any, ...]:
    return _scanned(f, init, xs, length, reverse, unroll)


@scan.abstract
def _(
    f: Function, init: Any, xs: Any, length: int, reverse: bool, unroll: int
) -> tuple[Any, Any]:
    row = tree.map_leaves(lambda x: x if x is None else Spec(x.shape[1:], x.dtype), xs)
    carry, y = f(init, row)
    return carry, tree.map_leaves(
        lambda s: s if s is None else Spec((length, *s.shape), s.dtype), y
    )
