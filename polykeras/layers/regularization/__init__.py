"""Noise and penalties that act in training only."""
