"""Training: one trainer for all backends, and checkpoints of its runs."""

from polykeras.training.checkpoint import Checkpoint
from polykeras.training.trainer import Trainer

__all__ = ["Checkpoint", "Trainer"]
