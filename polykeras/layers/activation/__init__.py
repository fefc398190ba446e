"""Activation functions with parameters, as layers."""
