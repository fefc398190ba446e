"""`timeseries_dataset_from_array`: windows of a long series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras.errors import ArgumentError, DataError
from polykeras.utils.batch_dataset import SampleDataset

if TYPE_CHECKING:
    from polykeras.backend import Array

__all__ = ["timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str | None = None,
) -> Any:
    """Return batches of windows of a series.

    Window i holds the steps ``i, i + rate, i + 2 * rate, ...`` and belongs to the
    target ``targets[i]``. The result is a `PyDataset`.

    Args:
        data: The series, ``(T, ...)``.
        targets: One for each window, by its first step; or None.
        sequence_length: Steps in a window.
        sequence_stride: Steps between the beginnings of windows.
        sampling_rate: Steps from one step of a window to the next.
        batch_size: Windows in a batch; None yields single windows.
        shuffle: Whether the order is random, and another in each epoch.
        seed: Where the orders come from.
        start_index: Steps of `data` and `targets` before this one are left out.
        end_index: Likewise those from this one on.
        format: Kept for Keras' signature; must be None.

    Returns:
        A data set of ``(windows, targets)``, windows ``(B, sequence_length, ...)``, or
        of windows alone.

    Raises:
        ArgumentError: If a number is not positive or an index out of range.
        DataError: If the series is shorter than a window.

    >>> windows = timeseries_dataset_from_array(np.arange(6), None, 3, batch_size=2)
    >>> [batch.tolist() for batch in windows]
    [[[0, 1, 2], [1, 2, 3]], [[2, 3, 4], [3, 4, 5]]]
    """
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
    ):
        if not isinstance(value, int) or not 1 <= value <= max(len(data), 1):
            raise ArgumentError(
                f"{name} must be an integer from 1 to the length of the data, "
                f"{len(data)}, got {value!r}."
            )
    start = 0 if start_index is None else start_index
    stop = len(data) if end_index is None else end_index
    if not 0 <= start < stop <= len(data):
        raise ArgumentError(
            f"start_index={start_index!r} and end_index={end_index!r} must lie within "
            f"the {len(data)} steps of the data, the start first."
        )
    if format is not None:
        raise ArgumentError(
            f"format={format!r} is not supported: the result is a PyDataset, which "
            "needs no other package. Leave the argument out."
        )
    data = np.asarray(data)[start:stop]
    count = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)[start:stop]
        count = min(count, len(targets))
    if count < 1:
        raise DataError(
            f"The series of {len(data)} steps is shorter than a window of "
            f"{sequence_length} steps at a sampling rate of {sampling_rate}."
        )
    return _Windows(
        data,
        targets,
        np.arange(0, count, sequence_stride),
        np.arange(0, sequence_length * sampling_rate, sampling_rate),
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
    )


class _Windows(SampleDataset):
    """Batches of windows."""

    def __init__(
        self,
        data: Array,
        targets: Array | None,
        starts: Array,
        steps: Array,
        **more: Any,
    ) -> None:
        super().__init__(len(starts), **more)
        self._data, self._targets = data, targets
        self._starts, self._steps = starts, steps

    def samples(self, numbers: Array) -> Any:
        """Return windows, and their targets if there are any."""
        starts = self._starts[numbers]
        windows = self._data[starts[:, None] + self._steps]
        return windows if self._targets is None else (windows, self._targets[starts])
