"""Derivatives of functions of tensors and variables, on every backend."""
