"""Training: one trainer for all backends."""

from polykeras.training.trainer import Trainer

__all__ = ["Trainer"]
