"""Pooling over one to three spatial axes: in windows, or over everything."""
