"""`InputSpec`: what a layer requires of its inputs."""

from __future__ import annotations

from typing import Any

from polykeras import dtypes, tree
from polykeras.errors import ShapeError

__all__ = ["InputSpec", "check_inputs"]


class InputSpec:
    """Requirements on the rank, shape and dtype of one input.

    Args:
        dtype: Expected dtype, or None for any.
        shape: Expected shape; None entries are free.
        ndim: Expected number of axes.
        max_ndim: Largest number of axes.
        min_ndim: Smallest number of axes.
        axes: Axis to expected size.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing.
        name: Name of the input.
        optional: Whether the input may be None.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        """Remember the requirements."""
        self.dtype = dtypes.standardize_dtype(dtype) if dtype is not None else None
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        said = ", ".join(
            f"{k}={v}" for k, v in vars(self).items() if v not in (None, {}, False)
        )
        return f"InputSpec({said})"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Return the spec of a config."""
        return cls(**config)


def check_inputs(layer_name: str, specs: Any, inputs: Any) -> None:
    """Check inputs against a layer's `InputSpec` structure.

    Raises:
        ShapeError: If one does not fit; the message names layer and shapes.
    """
    if specs is None:
        return
    given = tree.flatten(inputs)
    wanted = tree.flatten(specs)
    if len(given) != len(wanted):
        raise ShapeError(
            f"The layer {layer_name!r} expects {len(wanted)} inputs, but got "
            f"{len(given)} tensors of shapes "
            f"{[tuple(getattr(x, 'shape', ())) for x in given]}."
        )
    for spec, x in zip(wanted, given, strict=True):
        if spec is None or (x is None and spec.optional):
            continue
        if x is None:
            raise ShapeError(f"An input of the layer {layer_name!r} is None.")
        problem = _problem(spec, tuple(x.shape))
        if problem:
            raise ShapeError(
                f"The layer {layer_name!r} cannot take an input of shape "
                f"{tuple(x.shape)}: {problem}."
            )


def _problem(spec: InputSpec, shape: tuple[int | None, ...]) -> str:
    rank = len(shape)
    ranks = {spec.ndim, rank if spec.ndim is None else spec.ndim}
    if spec.ndim is not None and spec.allow_last_axis_squeeze:
        ranks.add(spec.ndim - 1)
    if rank not in ranks:
        return f"expected {spec.ndim} axes, found {rank}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected at most {spec.max_ndim} axes, found {rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected at least {spec.min_ndim} axes, found {rank}"
    for axis, size in spec.axes.items():
        if size is not None and shape[axis] not in (size, None):
            return f"expected axis {axis} to have size {size}, found {shape[axis]}"
    if spec.shape is not None and rank == len(spec.shape):
        for axis, (size, found) in enumerate(zip(spec.shape, shape, strict=True)):
            if size is not None and found is not None and size != found:
                return f"expected shape {spec.shape}, found size {found} on axis {axis}"
    return ""
