"""Layers that combine several tensors."""
