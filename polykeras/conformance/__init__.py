"""The conformance suite: what every backend has to do, and proof that it does."""

from polykeras.conformance._bounds import (
    EXACT,
    ROUNDED,
    Bound,
    composed,
    elementary,
    errors_in_ulp,
    spacing,
    summed,
)
from polykeras.conformance._case import ErrorSample, OpCase, Trial
from polykeras.conformance._derivatives import check_gradient
from polykeras.conformance._layer_case import LayerCase, assert_near
from polykeras.conformance._report import Measured, Outcome, Report
from polykeras.conformance._run import run
from polykeras.conformance._samples import Draw, Sample
from polykeras.conformance._settings import find_backend, section_names
from polykeras.conformance._todo import Missing, Primitive, Todo, primitives, todo

__all__ = [
    "EXACT",
    "ROUNDED",
    "Bound",
    "Draw",
    "ErrorSample",
    "LayerCase",
    "Measured",
    "Missing",
    "OpCase",
    "Outcome",
    "Primitive",
    "Report",
    "Sample",
    "Todo",
    "Trial",
    "assert_near",
    "check_gradient",
    "composed",
    "elementary",
    "errors_in_ulp",
    "find_backend",
    "primitives",
    "run",
    "section_names",
    "spacing",
    "summed",
    "todo",
]
