"""Layers that move values and compute nothing."""
