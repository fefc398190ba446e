"""Measurements of polykeras: ``python -m benchmarks`` runs them all."""
