"""One declaration per op; each runs on every backend."""

from polykeras.ops.creation import cast, full, zeros_like
from polykeras.ops.elementwise import add, exp, multiply, square
from polykeras.ops.reductions import sum

__all__ = ["add", "cast", "exp", "full", "multiply", "square", "sum", "zeros_like"]
