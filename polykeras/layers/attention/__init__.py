"""Layers that average values by how well keys fit queries."""
