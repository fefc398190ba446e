"""Derivatives of functions of tensors and variables, on every backend."""

from polykeras.autodiff._custom import checkpoint
from polykeras.autodiff._transforms import grad, jacobian, value_and_grad, vjp

__all__ = [
    "checkpoint",
    "grad",
    "jacobian",
    "value_and_grad",
    "vjp",
]
