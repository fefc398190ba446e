"""The file of a group's answers: all numbers in one array, and what they are.

An entry of the index lists for each name the dtype in the default precision and the
shape; the numbers are those of 64 bits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Answer", "path_of", "read", "write"]

Answer = dict[str, tuple[str, Any]]
"""For each name the dtype in the default precision, and the values or the word."""


def path_of(group: str) -> Path:
    return Path(__file__).with_name("answers") / f"{group}.npz"


def write(path: Path, answers: dict[str, Answer]) -> None:
    """Write the answers of a group."""
    index: dict[str, Any] = {}
    numbers: list[np.ndarray] = []
    for case, answer in answers.items():
        index[case] = entry = {}
        for name, (dtype, value) in answer.items():
            if isinstance(value, str):
                entry[name] = [dtype, value]
                continue
            entry[name] = [dtype, list(value.shape)]
            flat = value.ravel()
            if flat.dtype.kind == "c":
                flat = np.concatenate([flat.real, flat.imag])
            numbers.append(flat.astype("float64"))
    np.savez_compressed(
        path,
        index=np.frombuffer(json.dumps(index).encode(), "uint8"),
        numbers=np.concatenate(numbers) if numbers else np.zeros(0),
    )


def read(path: Path) -> dict[str, Answer]:
    """Return the answers of a group."""
    with np.load(path) as file:
        index = json.loads(file["index"].tobytes())
        numbers = file["numbers"]
    answers: dict[str, Answer] = {}
    place = 0
    for case, entry in index.items():
        answers[case] = answer = {}
        for name, (dtype, shape) in entry.items():
            if isinstance(shape, str):
                answer[name] = dtype, shape
                continue
            size = int(np.prod(shape))
            if dtype.startswith("complex"):
                real, imaginary = numbers[place : place + 2 * size].reshape(2, size)
                place += 2 * size
                answer[name] = dtype, (real + 1j * imaginary).reshape(shape)
            else:
                answer[name] = dtype, numbers[place : place + size].reshape(shape)
                place += size
    return answers
