"""Memory that is used again is never memory that somebody still sees."""

from __future__ import annotations

import threading

import numpy as np

from polykeras.backend import Buffers

buffers = Buffers(1 << 28)

SHAPE = (300, 257)
FLOAT = np.dtype(np.float32)


def address(x: np.ndarray) -> int:
    return x.__array_interface__["data"][0]


def test_freed_memory_is_used_again() -> None:
    first = buffers.empty(SHAPE, FLOAT)
    place = address(first)
    del first
    assert address(buffers.empty(SHAPE, FLOAT)) == place


def test_same_bytes_serve_another_shape_and_dtype() -> None:
    first = buffers.empty((64, 1024), FLOAT)
    place = address(first)
    del first
    second = buffers.empty((1024, 32), np.dtype(np.float64))
    assert address(second) == place
    assert second.shape == (1024, 32)
    assert second.dtype == np.float64


def test_arrays_in_use_are_apart() -> None:
    held = [buffers.empty(SHAPE, FLOAT) for _ in range(12)]
    for i, x in enumerate(held):
        x.fill(i)
    assert [x.min() for x in held] == [x.max() for x in held] == list(range(12))


def test_a_view_of_a_view_keeps_the_memory() -> None:
    first = buffers.empty(SHAPE, FLOAT)
    first.fill(3)
    view = first[1:, ::2].T.reshape(-1)[:5]
    window = memoryview(first)
    del first
    buffers.empty(SHAPE, FLOAT).fill(4)
    assert view.tolist() == [3.0] * 5
    del view
    buffers.empty(SHAPE, FLOAT).fill(5)
    assert window[0, 0] == 3.0


def test_threads_do_not_share() -> None:
    mine = buffers.empty(SHAPE, FLOAT)
    place = address(mine)
    del mine
    found: list[int] = []
    worker = threading.Thread(
        target=lambda: found.append(address(buffers.empty(SHAPE, FLOAT)))
    )
    worker.start()
    worker.join()
    assert found[0] != place


def test_what_is_kept_is_bounded() -> None:
    bounded = Buffers(1 << 20)
    totals = []
    for n in range(1, 40):
        bounded.empty((n, 1 << 15), FLOAT)
        totals.append(bounded.total)
    assert 0 < max(totals) <= 1 << 20


def test_values_begin_where_libraries_want_them() -> None:
    held = [buffers.empty((n, 1 << 15), FLOAT) for n in range(1, 6)]
    assert [address(x) % 64 for x in held] == [0] * 5
