"""Encodings of classes, and crossentropies of predictions with them."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, OperationNotSupported, ShapeError
from polykeras.ops._declare import op
from polykeras.ops._rules import promoted
from polykeras.ops._shapes import canonical_axis

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "multi_hot",
    "one_hot",
    "probability_crossentropy",
    "probability_crossentropy_gradient",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
    "sparse_categorical_crossentropy",
    "sparse_softmax_crossentropy",
]


# -- encodings ---------------------------------------------------------------------


def _no_sparse(name: str, sparse: bool) -> None:
    if sparse:
        raise OperationNotSupported(
            f"polykeras.ops.{name} makes dense tensors only, got sparse=True."
        )


def _class_count(name: str, num_classes: Any) -> int:
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__"):
        raise ArgumentError(
            f"polykeras.ops.{name} expected num_classes as an int, got {num_classes!r}."
        )
    return int(num_classes)


@op(integer="x", differentiable=False)
def one_hot(
    x: Tensor,
    num_classes: int,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
) -> Tensor:
    """Return 1 at the place that each integer names and 0 elsewhere.

    An integer outside ``0 <= x < num_classes`` gives only zeros.

    Args:
        x: Integers of any shape.
        num_classes: Size of the new axis.
        axis: Where the new axis goes.
        dtype: Of the result; None means floatx.
        sparse: Must be False.

    Returns:
        A tensor with one axis more than `x`.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.one_hot([0, 2, 9], 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    _no_sparse("one_hot", sparse)
    x = ops.convert_to_tensor(x)
    count = _class_count("one_hot", num_classes)
    along = canonical_axis("one_hot", axis, len(x.shape) + 1)
    classes = ops.arange(count, dtype="int32")
    classes = ops.reshape(classes, (count, *(1,) * (len(x.shape) - along)))
    hits = ops.equal(ops.expand_dims(x, along), classes)
    return ops.cast(hits, dtypes.standardize_dtype(dtype or config.floatx()))


@one_hot.prepare
def _(
    x: Tensor, num_classes: int, axis: int, dtype: Any, sparse: bool
) -> tuple[Any, ...]:
    _no_sparse("one_hot", sparse)
    count = _class_count("one_hot", num_classes)
    along = canonical_axis("one_hot", axis, len(x.shape) + 1)
    name = dtypes.standardize_dtype(dtype or config.floatx())
    return x, count, along, name, False


@op(integer="inputs", differentiable=False)
def multi_hot(
    inputs: Tensor,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
) -> Tensor:
    """Return 1 at every place that a row of integers names and 0 elsewhere.

    Args:
        inputs: Integers ``(B, n)`` or ``(n,)``, or with more axes.
        num_classes: Size of the new axis.
        axis: Where the new axis goes.
        dtype: Of the result; None means floatx.
        sparse: Must be False.

    Returns:
        ``(B, num_classes)`` or ``(num_classes,)``.

    Raises:
        ArgumentError: If `num_classes` is missing.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.multi_hot([0, 2], 3)).tolist()
    [1.0, 0.0, 1.0]
    """
    _no_sparse("multi_hot", sparse)
    inputs = ops.convert_to_tensor(inputs)
    count = _class_count("multi_hot", num_classes)
    hits = one_hot(inputs, count, axis, dtype)
    return ops.max(hits, axis=1 if len(inputs.shape) > 1 else 0)


# -- from logits -------------------------------------------------------------------


@op(inexact="target logits")
def sigmoid_crossentropy(target: Tensor, logits: Tensor) -> Tensor:
    """Return the binary crossentropy of sigmoids, without overflow.

    Args:
        target: Probabilities of any shape.
        logits: What `sigmoid` would turn into probabilities, of the same shape.

    Returns:
        One value a logit.

    Raises:
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> float(keras.ops.sigmoid_crossentropy(0.0, -1000.0))
    0.0
    """
    target, logits = promoted(target, logits, inexact=True)
    _check_same("sigmoid_crossentropy", target, logits)
    linear = ops.subtract(ops.maximum(logits, 0), ops.multiply(logits, target))
    return ops.add(linear, ops.log1p(ops.exp(ops.negative(ops.abs(logits)))))


@sigmoid_crossentropy.vjp("logits")
def _(g: Tensor, out: Tensor, target: Tensor, logits: Tensor) -> Tensor:
    return ops.multiply(g, ops.subtract(ops.sigmoid(logits), target))


@sigmoid_crossentropy.vjp("target")
def _(g: Tensor, out: Tensor, target: Tensor, logits: Tensor) -> Tensor:
    return ops.negative(ops.multiply(g, logits))


@op(inexact="target logits")
def softmax_crossentropy(target: Tensor, logits: Tensor, axis: int = -1) -> Tensor:
    """Return the crossentropy of a softmax with target probabilities.

    Args:
        target: Probabilities over `axis`, of the shape of `logits`.
        logits: What `softmax` would turn into probabilities.
        axis: The axis of the classes.

    Returns:
        A tensor without `axis`.

    >>> import polykeras as keras
    >>> float(keras.ops.softmax_crossentropy([1.0, 0.0], [0.0, 1000.0]))
    1000.0
    """
    target, logits = promoted(target, logits, inexact=True)
    along = canonical_axis("categorical_crossentropy", axis, len(logits.shape))
    logs = ops.log_softmax(logits, along)
    return ops.negative(ops.sum(ops.multiply(target, logs), along))


@softmax_crossentropy.prepare
def _(target: Tensor, logits: Tensor, axis: int) -> tuple[Any, ...]:
    along = canonical_axis("categorical_crossentropy", axis, len(logits.shape))
    return target, logits, along


@softmax_crossentropy.vjp("logits")
def _(g: Tensor, out: Tensor, target: Tensor, logits: Tensor, axis: int) -> Tensor:
    total = ops.sum(target, axis, keepdims=True)
    difference = ops.subtract(ops.multiply(ops.softmax(logits, axis), total), target)
    return ops.multiply(ops.expand_dims(g, axis), difference)


@softmax_crossentropy.vjp("target")
def _(g: Tensor, out: Tensor, target: Tensor, logits: Tensor, axis: int) -> Tensor:
    logs = ops.log_softmax(logits, axis)
    return ops.negative(ops.multiply(ops.expand_dims(g, axis), logs))


@op(integer="target", inexact="logits")
def sparse_softmax_crossentropy(
    target: Tensor, logits: Tensor, axis: int = -1
) -> Tensor:
    """Return the crossentropy of a softmax with one class a sample.

    A class out of range contributes 0 to the result and to the gradient.

    Args:
        target: Integers of the shape of `logits` without `axis`.
        logits: What `softmax` would turn into probabilities.
        axis: The axis of the classes.

    Returns:
        A tensor of the shape of `target`.

    >>> import polykeras as keras
    >>> float(keras.ops.sparse_softmax_crossentropy(1, [0.0, 1000.0]))
    0.0
    """
    logits = ops.convert_to_tensor(logits)
    return _minus_picked(target, ops.log_softmax(logits, axis), axis)


@sparse_softmax_crossentropy.prepare
def _(target: Tensor, logits: Tensor, axis: int) -> tuple[Any, ...]:
    name = "sparse_categorical_crossentropy"
    along = canonical_axis(name, axis, len(logits.shape))
    _check_sparse(target, logits, along)
    return target, logits, along


@sparse_softmax_crossentropy.vjp("logits")
def _(g: Tensor, out: Tensor, target: Tensor, logits: Tensor, axis: int) -> Tensor:
    hot = one_hot(target, logits.shape[axis], axis, ops.dtype(logits))
    known = ops.cast(_in_range(target, logits.shape[axis]), ops.dtype(logits))
    difference = ops.subtract(ops.softmax(logits, axis), hot)
    return ops.multiply(ops.expand_dims(ops.multiply(g, known), axis), difference)


def _in_range(target: Tensor, count: int) -> Tensor:
    return ops.logical_and(ops.greater_equal(target, 0), ops.less(target, count))


def _minus_picked(target: Tensor, logs: Tensor, axis: int) -> Tensor:
    count = logs.shape[axis]
    target = ops.cast(target, "int32")
    place = ops.expand_dims(ops.clip(target, 0, count - 1), axis)
    picked = ops.squeeze(ops.take_along_axis(logs, place, axis=axis), axis)
    return ops.where(_in_range(target, count), ops.negative(picked), 0)


# -- public crossentropies ---------------------------------------------------------


def _check_same(name: str, target: Tensor, output: Tensor) -> None:
    if tuple(target.shape) != tuple(output.shape):
        raise ShapeError(
            f"polykeras.ops.{name} expected target and output of one shape, got "
            f"target {tuple(target.shape)} and output {tuple(output.shape)}."
        )


def _clipped(output: Tensor) -> Tensor:
    return ops.clip(output, config.epsilon(), 1.0 - config.epsilon())


@op(inexact="target output")
def binary_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False
) -> Tensor:
    """Return the crossentropy of each predicted probability with its target.

    Probabilities are clipped away from 0 and 1 by `config.epsilon`.

    Args:
        target: Probabilities of any shape.
        output: Predictions of the same shape.
        from_logits: Whether predictions are logits instead of probabilities.

    Returns:
        A tensor of the shape of `target`.

    Raises:
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> round(float(keras.ops.binary_crossentropy([1.0], [0.5])[0]), 4)
    0.6931
    """
    target, output = ops.convert_to_tensor(target), ops.convert_to_tensor(output)
    _check_same("binary_crossentropy", target, output)
    if from_logits:
        return sigmoid_crossentropy(target, output)
    output = _clipped(output)
    right = ops.multiply(target, ops.log(output))
    wrong = ops.multiply(ops.subtract(1, target), ops.log(ops.subtract(1, output)))
    return ops.negative(ops.add(right, wrong))


def _log_probabilities(output: Tensor, axis: int) -> Tensor:
    total = ops.sum(output, axis, keepdims=True)
    return ops.log(_clipped(ops.divide(output, total)))


@op(inexact="target output")
def probability_crossentropy(
    target: Tensor, output: Tensor, axis: int, epsilon: float
) -> Tensor:
    """Return the crossentropy of probabilities that need not sum to 1.

    Args:
        target: Probabilities over `axis`.
        output: Predictions of the same shape.
        axis: The axis of the classes, not negative.
        epsilon: How far predictions are kept from 0 and 1.

    Returns:
        A tensor without `axis`.
    """
    total = ops.sum(output, axis, keepdims=True)
    logs = ops.log(ops.clip(ops.divide(output, total), epsilon, 1.0 - epsilon))
    return ops.negative(ops.sum(ops.multiply(target, logs), axis))


@op(inexact="g target output")
def probability_crossentropy_gradient(
    g: Tensor, target: Tensor, output: Tensor, axis: int, epsilon: float
) -> Tensor:
    """Return the gradient of `probability_crossentropy` for its predictions.

    Args:
        g: The gradient of the result.
        target: As for `probability_crossentropy`.
        output: Likewise.
        axis: Likewise.
        epsilon: Likewise.

    Returns:
        A tensor of the shape of `output`.
    """
    total = ops.sum(output, axis, keepdims=True)
    share = ops.divide(output, total)
    low, high = epsilon, 1.0 - epsilon
    # Half of the gradient passes at the limits, as for `clip`.
    passed = ops.where(ops.greater(share, low), 1.0, 0.0)
    passed = ops.where(ops.equal(share, low), 0.5, passed)
    passed = ops.where(ops.greater(share, high), 0.0, passed)
    passed = ops.where(ops.equal(share, high), 0.5, passed)
    slope = ops.divide(
        ops.multiply(passed, target), ops.negative(ops.clip(share, low, high))
    )
    slope = ops.multiply(ops.expand_dims(g, axis), slope)
    common = ops.sum(ops.multiply(slope, share), axis, keepdims=True)
    return ops.divide(ops.subtract(slope, common), total)


@probability_crossentropy.vjp("output")
def _(
    g: Tensor, out: Tensor, target: Tensor, output: Tensor, axis: int, epsilon: float
) -> Tensor:
    return probability_crossentropy_gradient(g, target, output, axis, epsilon)


@probability_crossentropy.vjp("target")
def _(
    g: Tensor, out: Tensor, target: Tensor, output: Tensor, axis: int, epsilon: float
) -> Tensor:
    logs = _log_probabilities(output, axis)
    return ops.negative(ops.multiply(ops.expand_dims(g, axis), logs))


def _check_classes(name: str, output: Tensor) -> None:
    if not output.shape:
        raise ShapeError(
            f"polykeras.ops.{name} expected an output with an axis of classes, got a "
            "scalar."
        )


@op(inexact="target output")
def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the crossentropy of predicted classes with target probabilities.

    Probabilities are divided by their sum and clipped by `config.epsilon`.

    Args:
        target: Probabilities over `axis`, for example one-hot rows.
        output: Predictions of the same shape.
        from_logits: Whether predictions are logits instead of probabilities.
        axis: The axis of the classes.

    Returns:
        A tensor without `axis`.

    Raises:
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> loss = keras.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target, output = ops.convert_to_tensor(target), ops.convert_to_tensor(output)
    name = "categorical_crossentropy"
    _check_same(name, target, output)
    _check_classes(name, output)
    along = canonical_axis(name, axis, len(output.shape))
    if from_logits:
        return softmax_crossentropy(target, output, along)
    return probability_crossentropy(target, output, along, config.epsilon())


def _check_sparse(target: Tensor, output: Tensor, axis: int) -> None:
    shape = tuple(output.shape)
    expected = shape[:axis] + shape[axis + 1 :]
    if tuple(target.shape) != expected:
        raise ShapeError(
            "polykeras.ops.sparse_categorical_crossentropy expected target classes of "
            f"shape {expected} for an output of shape {shape} with classes on axis "
            f"{axis}, got {tuple(target.shape)}. One-hot targets go with "
            "categorical_crossentropy."
        )


@op(tensor="target", inexact="output")
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the crossentropy of predicted classes with one true class a sample.

    Probabilities are divided by their sum and clipped by `config.epsilon`. A class
    out of range contributes 0 to the result and to the gradient.

    Args:
        target: Classes of the shape of `output` without `axis`, or with 1 in its
            place at the end; floats are truncated.
        output: Predictions.
        from_logits: Whether predictions are logits instead of probabilities.
        axis: The axis of the classes.

    Returns:
        A tensor of the shape of `output` without `axis`.

    Raises:
        ShapeError: If the shapes do not fit.

    >>> import polykeras as keras
    >>> loss = keras.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target, output = ops.convert_to_tensor(target), ops.convert_to_tensor(output)
    name = "sparse_categorical_crossentropy"
    _check_classes(name, output)
    along = canonical_axis(name, axis, len(output.shape))
    target = ops.cast(target, "int32")
    if len(target.shape) == len(output.shape) and target.shape[-1] == 1:
        target = ops.squeeze(target, -1)
    _check_sparse(target, output, along)
    if from_logits:
        return sparse_softmax_crossentropy(target, output, along)
    return _minus_picked(target, _log_probabilities(output, along), along)
