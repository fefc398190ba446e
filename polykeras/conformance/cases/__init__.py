"""The cases of all ops: one file per domain, named as those of `polykeras.ops`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from polykeras.conformance._case import OpCase

__all__ = ["DOMAINS", "all_cases", "case_of"]

DOMAINS: Final = (
    "activations",
    "arithmetic",
    "blocks",
    "comparison",
    "complex_numbers",
    "control",
    "conversion",
    "convolution",
    "counting",
    "creation",
    "crossentropy",
    "ctc",
    "exponential",
    "image",
    "indexing",
    "joining",
    "linalg",
    "logical",
    "nan_reductions",
    "normalization",
    "padding",
    "piecewise",
    "products",
    "quantiles",
    "random_bits",
    "rearranging",
    "recurrence",
    "reductions",
    "resizing",
    "rounding",
    "scans",
    "scattering",
    "segments",
    "shaping",
    "similarity",
    "softmax",
    "sorting",
    "special",
    "spectral",
    "statistics",
    "trigonometry",
    "updates",
    "windows",
)


@cache
def all_cases() -> dict[str, OpCase]:
    """Return the case of each op, by name.

    Raises:
        ValueError: If an op has two cases.
    """
    found: dict[str, OpCase] = {}
    for domain in DOMAINS:
        for case in import_module(f"{__name__}.{domain}").CASES:
            if case.op in found:
                raise ValueError(f"The op {case.op!r} has two cases.")
            found[case.op] = case
    return found


def case_of(op: str) -> OpCase:
    """Return the case of one op."""
    return all_cases()[op]
