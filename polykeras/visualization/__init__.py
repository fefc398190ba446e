"""Pictures of models."""

from polykeras.visualization.graph import model_to_dot, plot_model

__all__ = ["model_to_dot", "plot_model"]
