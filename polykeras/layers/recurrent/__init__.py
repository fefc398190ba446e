"""Layers that step through time, and the wrappers that apply layers along it."""
