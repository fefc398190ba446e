"""Cases of `polykeras.ops.rearranging` and `polykeras.ops.patterns`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.conformance._bounds import composed
from polykeras.conformance._case import NUMBERS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real
from polykeras.conformance.cases.shaping import moving
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]


def _error(kind: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    return ErrorSample(sample, kind, words)


def _vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    return np.vander(x, N, increasing)


def _largest_power(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    return np.abs(_vander(x, N, increasing))


def _to_space(x: Array, block: int, data_format: str = "channels_last") -> Array:
    """Lay channels out cell by cell: rows, then columns, then what is left."""
    last = data_format == "channels_last"
    x = x if last else np.moveaxis(x, 1, -1)
    b, h, w, c = x.shape
    out = np.zeros((b, h * block, w * block, c // block**2), x.dtype)
    for i in range(block):
        for j in range(block):
            at = (i * block + j) * out.shape[-1]
            out[:, i::block, j::block] = x[..., at : at + out.shape[-1]]
    return out if last else np.moveaxis(out, -1, 1)


def _to_depth(x: Array, block: int, data_format: str = "channels_last") -> Array:
    """Put the cells of a block behind each other."""
    last = data_format == "channels_last"
    x = x if last else np.moveaxis(x, 1, -1)
    cells = [x[:, i::block, j::block] for i in range(block) for j in range(block)]
    out = np.concatenate(cells, -1)
    return out if last else np.moveaxis(out, -1, 1)


_PATTERNS: Final[dict[str, Any]] = {
    "a b c -> c a b": lambda x: x.transpose(2, 0, 1),
    "a ... -> (...) a": lambda x: x.reshape(len(x), -1).T,
    "a (b k) c -> k a b c 1": lambda x: x.reshape(
        x.shape[0], -1, 2, x.shape[2]
    ).transpose(2, 0, 1, 3)[..., None],
    "... c -> c ...": lambda x: np.moveaxis(x, -1, 0),
}


def _rearranged(x: Array, pattern: str, lengths: dict[str, int]) -> Any:
    return _PATTERNS[pattern](x)


def _rearrange(x: Array, pattern: str, **lengths: int) -> Any:
    return _PATTERNS[pattern](x)


CASES: Final[tuple[OpCase, ...]] = (
    moving(
        "rearrange",
        _rearrange,
        call(real(2, 4, 3), "a (b k) c -> k a b c 1", k=2),
        call(real(2, 4, 3), "... c -> c ..."),
    ),
    moving(
        "roll",
        np.roll,
        call(real(2, 3), 1, 1),
        call(real(2, 3), -4),
        call(real(2, 3, 2), (1, -2), (0, -2)),
        call(real(0, 3), 1, 0),
        errors=(_error(ArgumentError, call(real(3), 1, 1), "roll", "axis 1"),),
    ),
    moving(
        "rot90",
        np.rot90,
        call(real(2, 3)),
        call(real(2, 3, 2), -1, (1, 2)),
        call(real(2, 3), 2),
        call(real(0, 3), 3),
        errors=(_error(ArgumentError, call(real(3)), "rot90", "axis 1"),),
    ),
    moving(
        "diagonal",
        np.diagonal,
        call(real(3, 4)),
        call(real(2, 3, 4), 1, 0, 2),
        call(real(2, 3, 4), -2, -1, 1),
        call(real(2, 3), 9).noted("past the corner"),
        errors=(
            _error(ShapeError, call(real(3)), "diagonal"),
            _error(ArgumentError, call(real(3, 4), 0, 0, 0), "diagonal"),
        ),
    ),
    moving(
        "diag",
        np.diag,
        call(real(3)),
        call(real(3, 4), 1),
        call(real(2), -2),
        call(real(0)),
        errors=(_error(ShapeError, call(real(2, 3, 2)), "vector or a matrix"),),
    ),
    moving("diagflat", np.diagflat, call(real(2, 2)), call(real(3), -1), call(real())),
    OpCase(
        "vander",
        samples=(call(real(3)), call(real(3), 4, True), call(real(3), 0)),
        reference=_vander,
        bound=composed(
            6,
            "powers up to the third: a power of 4 ULP or products of 1/2 each",
            scale=_largest_power,
        ),
        dtypes=NUMBERS,
        gradient=2,
        errors=(_error(ShapeError, call(real(2, 2)), "vander"),),
    ),
    moving(
        "depth_to_space",
        _to_space,
        call(real(2, 2, 3, 8), 2),
        call(real(1, 9, 2, 1), 3, "channels_first"),
        errors=(_error(ShapeError, call(real(1, 4, 5, 6), 4), "multiple of 16"),),
    ),
    moving(
        "space_to_depth",
        _to_depth,
        call(real(2, 4, 6, 2), 2),
        call(real(1, 2, 3, 6), 3, "channels_first"),
        errors=(_error(ShapeError, call(real(1, 3, 4, 2), 2), "space_to_depth"),),
    ),
    moving(
        "rearranged",
        _rearranged,
        call(real(2, 4, 3), "a b c -> c a b", {}),
        call(real(2, 4, 3), "a ... -> (...) a", {}),
        call(real(2, 4, 3), "a (b k) c -> k a b c 1", {"k": 2}),
        call(real(2, 0, 3), "... c -> c ...", {}),
        errors=(
            _error(ArgumentError, call(real(3, 4), "a b -> a", {}), "same names"),
            _error(ShapeError, call(real(3, 4), "a b c -> c b a", {}), "2 axes"),
            _error(
                ShapeError,
                call(real(3, 4), "a (b c) -> a b c", {"b": 3}),
                "cannot split",
            ),
        ),
    ),
)
