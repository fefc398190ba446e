"""Connectionist temporal classification: its loss, and decoding.

Reference: Graves et al., 2006, "Connectionist Temporal Classification: Labelling
Unsegmented Sequence Data with Recurrent Neural Networks", sections 3 and 4.
"""

from __future__ import annotations

import math
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.ops._declare import op

__all__ = ["ctc_decode", "ctc_loss"]

_AXES: Final = 3
# Stands for the logarithm of 0: sums of it stay finite, so gradients are never NaN.
_IMPOSSIBLE: Final = -1e30
_STRATEGIES: Final = ("greedy", "beam_search")


@op(tensor="target target_length output_length", inexact="output")
def ctc_loss(
    target: Tensor,
    output: Tensor,
    target_length: Tensor,
    output_length: Tensor,
    mask_index: int = 0,
) -> Tensor:
    """Return minus the log probability of label sequences, over all alignments.

    A sequence that has no alignment, being longer than its output, gives infinity.

    Args:
        target: Labels ``(B, L)``, integers.
        output: Logits ``(B, T, C)``.
        target_length: How many labels count, ``(B,)``.
        output_length: How many steps count, ``(B,)``.
        mask_index: The class that means "no label".

    Returns:
        ``(B,)``.

    Raises:
        ShapeError: If the shapes do not fit.

    >>> import polykeras as keras
    >>> loss = keras.ops.ctc_loss([[1]], keras.ops.zeros((1, 1, 2)), [1], [1])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target = ops.cast(target, "int32")
    output = ops.convert_to_tensor(output)
    target_length = ops.cast(target_length, "int32")
    output_length = ops.cast(output_length, "int32")
    _check(target, output, target_length, output_length)
    dtype = ops.dtype(output)
    wide = ops.cast(output, "float32") if dtype in ("float16", "bfloat16") else output
    logs = ops.log_softmax(wide, -1)
    labels = _with_blanks(target, mask_index)
    batch, places = labels.shape
    steps = output.shape[1]
    # (T, B, S): the log probability of each place's label at each step.
    index = ops.broadcast_to(ops.expand_dims(labels, 1), (batch, steps, places))
    emitted = ops.transpose(ops.take_along_axis(logs, index, axis=2), (1, 0, 2))
    start = ops.where(
        ops.less(ops.arange(places), 2), ops.get_item(emitted, 0), _IMPOSSIBLE
    )
    final = _alignments(start, emitted, labels, output_length, mask_index)
    end = ops.multiply(ops.expand_dims(target_length, 1), 2)
    blank_end = _at(final, end)
    label_end = ops.where(ops.equal(end, 0), _IMPOSSIBLE, _at(final, end - 1))
    total = ops.squeeze(ops.logaddexp(blank_end, label_end), 1)
    possible = ops.greater(total, _IMPOSSIBLE / 2)
    loss = ops.where(possible, ops.negative(total), math.inf)
    return ops.cast(loss, dtype)


def _check(
    target: Tensor, output: Tensor, target_length: Tensor, output_length: Tensor
) -> None:
    shapes = [tuple(x.shape) for x in (target, output, target_length, output_length)]
    fits = len(shapes[0]) == 2 and len(shapes[1]) == _AXES
    fits = fits and shapes[0][0] == shapes[1][0]
    if not fits or shapes[2] != shapes[3] or shapes[2] != shapes[0][:1]:
        raise ShapeError(
            "polykeras.ops.ctc_loss expected target (batch, labels), output (batch, "
            "time, classes) and two lengths (batch,), got "
            f"{', '.join(map(str, shapes))}."
        )


def _with_blanks(target: Tensor, blank: int) -> Tensor:
    """Return the labels with a blank before, between and after: ``(B, 2 L + 1)``."""
    batch, count = target.shape
    blanks = ops.full((batch, count, 1), blank, "int32")
    pairs = ops.concatenate([blanks, ops.expand_dims(target, 2)], axis=2)
    paired = ops.reshape(pairs, (batch, 2 * count))
    return ops.concatenate([paired, ops.full((batch, 1), blank, "int32")], axis=1)


def _at(x: Tensor, place: Tensor) -> Tensor:
    return ops.take_along_axis(x, ops.maximum(place, 0), axis=1)


def _moved(x: Tensor, by: int, fill: float) -> Tensor:
    """Return the rows moved to the right."""
    width = x.shape[1]
    padded = ops.pad(x, ((0, 0), (by, 0)), constant_values=fill)
    return ops.get_item(padded, (slice(None), slice(0, width)))


def _alignments(
    start: Tensor, emitted: Tensor, labels: Tensor, lengths: Tensor, blank: int
) -> Tensor:
    """Return the log probability of ending at each place, ``(B, S)``."""
    skips = ops.logical_and(
        ops.not_equal(labels, blank), ops.not_equal(labels, _moved(labels, 2, blank))
    )
    first = ops.less(ops.arange(labels.shape[1]), 2)
    skips = ops.logical_and(skips, ops.logical_not(first))

    def step(carry: Tensor, items: Any) -> tuple[Tensor, Tensor]:
        now, t = items
        stay = ops.logaddexp(carry, _moved(carry, 1, _IMPOSSIBLE))
        jump = ops.where(skips, _moved(carry, 2, _IMPOSSIBLE), _IMPOSSIBLE)
        new = ops.maximum(ops.add(ops.logaddexp(stay, jump), now), _IMPOSSIBLE)
        counts = ops.expand_dims(ops.less(t, lengths), 1)
        carry = ops.where(counts, new, carry)
        return carry, t

    if emitted.shape[0] == 1:
        return start
    later = ops.get_item(emitted, slice(1, None))
    times = ops.arange(1, emitted.shape[0], dtype="int32")
    final, _ = ops.scan(step, start, (later, times))
    return final


@op(inexact="inputs", tensor="sequence_lengths", differentiable=False)
def ctc_decode(
    inputs: Tensor,
    sequence_lengths: Tensor,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return the likeliest label sequences of a classifier of time steps.

    Args:
        inputs: Logits or log probabilities ``(B, T, C)``.
        sequence_lengths: How many steps count, ``(B,)``.
        strategy: ``"greedy"``: the best class of each step; ``"beam_search"``: the
            best label sequences, each summed over its alignments.
        beam_width: How many label sequences the beam search keeps.
        top_paths: How many it returns.
        merge_repeated: Whether neighbouring equal classes are one label (greedy).
        mask_index: The class that means "no label".

    Returns:
        Labels ``(paths, B, T)``, filled up with -1, and scores ``(B, paths)``: for
        greedy minus the sum of the chosen inputs, for beam search log probabilities.

    Raises:
        ArgumentError: If the strategy is unknown.

    >>> import polykeras as keras
    >>> x = keras.ops.one_hot([[1, 1, 0, 2]], 3)
    >>> labels, _ = keras.ops.ctc_decode(x, [4])
    >>> keras.ops.convert_to_numpy(labels)[0, 0].tolist()
    [1, 2, -1, -1]
    """
    inputs = ops.convert_to_tensor(inputs)
    lengths = ops.cast(sequence_lengths, "int32")
    if len(inputs.shape) != _AXES or tuple(lengths.shape) != tuple(inputs.shape[:1]):
        raise ShapeError(
            "polykeras.ops.ctc_decode expected inputs (batch, time, classes) and "
            f"lengths (batch,), got {tuple(inputs.shape)} and {tuple(lengths.shape)}."
        )
    if strategy not in _STRATEGIES:
        raise ArgumentError(
            f"polykeras.ops.ctc_decode got strategy {strategy!r}. "
            f"{nearest(strategy, _STRATEGIES)}"
        )
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    return _beam_search(inputs, lengths, beam_width, top_paths, mask_index)


def _greedy(
    inputs: Tensor, lengths: Tensor, merge_repeated: bool, blank: int
) -> tuple[Tensor, Tensor]:
    steps = inputs.shape[1]
    counts = ops.less(ops.arange(steps), ops.expand_dims(lengths, 1))
    best = ops.where(counts, ops.argmax(inputs, axis=-1), blank)
    chosen = ops.where(counts, ops.max(inputs, axis=-1), 0)
    keep = ops.not_equal(best, blank)
    if merge_repeated:
        before = ops.pad(best, ((0, 0), (1, 0)), constant_values=-1)
        earlier = ops.get_item(before, (slice(None), slice(0, steps)))
        keep = ops.logical_and(keep, ops.not_equal(best, earlier))
    scores = ops.expand_dims(ops.negative(ops.sum(chosen, axis=1)), 1)
    # Labels move to the front in order; the sort is stable by its distinct keys.
    order = ops.argsort(ops.where(keep, ops.arange(steps), steps), axis=-1)
    labels = ops.take_along_axis(ops.where(keep, best, -1), order, axis=1)
    return ops.expand_dims(ops.cast(labels, "int32"), 0), scores


def _beam_search(
    inputs: Tensor, lengths: Tensor, width: int, paths: int, blank: int
) -> tuple[Tensor, Tensor]:
    """Keep the best label sequences, with their probability for both ways to end.

    A beam is a row of labels, its length, and the log probabilities that its
    alignment ends in a blank or in its last label. A step lets each beam stay or grow
    by one label; a beam that grew into one that stayed is merged with it.
    """
    batch, steps, classes = inputs.shape
    logs = ops.log_softmax(ops.cast(inputs, "float32"), axis=-1)
    width = max(width, paths)
    labels = ops.full((batch, width, steps), -1, "int32")
    sizes = ops.zeros((batch, width), "int32")
    only_first = ops.less(ops.arange(width), 1)
    start = ops.where(only_first, 0.0, _IMPOSSIBLE)
    blanks = ops.broadcast_to(ops.cast(start, "float32"), (batch, width))
    ends = ops.full((batch, width), _IMPOSSIBLE, "float32")

    def step(carry: Any, items: Any) -> Any:
        now, t = items
        grown = _grow(carry, now, blank, classes)
        counts = ops.less(t, lengths)
        kept = []
        for new, old in zip(grown, carry, strict=True):
            shape = (batch, *(1,) * (len(old.shape) - 1))
            kept.append(ops.where(ops.reshape(counts, shape), new, old))
        return tuple(kept), t

    times = ops.arange(steps, dtype="int32")
    by_time = ops.transpose(logs, (1, 0, 2))
    (labels, sizes, blanks, ends), _ = ops.scan(
        step, (labels, sizes, blanks, ends), (by_time, times)
    )
    scores, best = ops.top_k(ops.logaddexp(blanks, ends), paths)
    rows = ops.take_along_axis(labels, ops.expand_dims(best, -1), axis=1)
    return ops.transpose(rows, (1, 0, 2)), scores


def _grow(
    beams: tuple[Tensor, Tensor, Tensor, Tensor], now: Tensor, blank: int, classes: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the beams after one more step with log probabilities ``(B, C)``."""
    labels, sizes, blanks, ends = beams
    batch, width, steps = labels.shape
    place = ops.expand_dims(ops.maximum(ops.subtract(sizes, 1), 0), -1)
    last = ops.squeeze(ops.take_along_axis(labels, place, axis=2), -1)
    total = ops.logaddexp(blanks, ends)
    # Staying: one more blank, or the last label once more.
    stay_blank = ops.add(
        total, ops.get_item(now, (slice(None), slice(blank, blank + 1)))
    )
    again = ops.take_along_axis(now, ops.maximum(last, 0), axis=1)
    stay_end = ops.where(ops.greater(sizes, 0), ops.add(ends, again), _IMPOSSIBLE)
    # Growing: by another label from both ends, by the same one only after a blank.
    every = ops.arange(classes)
    same = ops.equal(ops.expand_dims(last, -1), every)
    source = ops.where(same, ops.expand_dims(blanks, -1), ops.expand_dims(total, -1))
    grow = ops.add(source, ops.expand_dims(now, 1))
    grow = ops.where(ops.equal(every, blank), _IMPOSSIBLE, grow)
    # Beam j merges into beam i when i is j with one label more, i's last.
    spot = ops.equal(ops.arange(steps), ops.expand_dims(ops.subtract(sizes, 1), -1))
    parents = ops.where(spot, -1, labels)
    match = ops.all(
        ops.equal(ops.expand_dims(parents, 2), ops.expand_dims(labels, 1)), axis=-1
    )
    match = ops.logical_and(match, ops.expand_dims(ops.greater(sizes, 0), -1))
    label_is = ops.equal(ops.expand_dims(last, -1), every)
    joined = ops.logical_and(ops.expand_dims(match, -1), ops.expand_dims(label_is, 2))
    spread = ops.expand_dims(grow, 1)
    merged = ops.max(ops.where(joined, spread, _IMPOSSIBLE), axis=(2, 3))
    stay_end = ops.logaddexp(stay_end, merged)
    grow = ops.where(ops.any(joined, axis=1), _IMPOSSIBLE, grow)
    scores = ops.concatenate(
        [
            ops.logaddexp(stay_blank, stay_end),
            ops.reshape(grow, (batch, width * classes)),
        ],
        axis=1,
    )
    _, chosen = ops.top_k(scores, width)
    chosen = ops.cast(chosen, "int32")
    stays = ops.less(chosen, width)
    move = ops.maximum(ops.subtract(chosen, width), 0)
    source_beam = ops.where(stays, chosen, ops.floor_divide(move, classes))
    label = ops.mod(move, classes)

    def of(x: Tensor) -> Tensor:
        return ops.take_along_axis(x, source_beam, axis=1)

    rows = ops.take_along_axis(labels, ops.expand_dims(source_beam, -1), axis=1)
    end_at = of(sizes)
    here = ops.equal(ops.arange(steps), ops.expand_dims(end_at, -1))
    here = ops.logical_and(here, ops.expand_dims(ops.logical_not(stays), -1))
    rows = ops.where(here, ops.expand_dims(label, -1), rows)
    picked = ops.take_along_axis(scores, chosen, axis=1)
    return (
        ops.cast(rows, "int32"),
        ops.where(stays, end_at, ops.add(end_at, 1)),
        ops.where(stays, of(stay_blank), _IMPOSSIBLE),
        ops.where(stays, of(stay_end), picked),
    )
