"""What loading weights did, part by part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["NO_SUCH_NAME", "LoadReport"]

NO_SUCH_NAME: Final = "the file holds no part of that name"


@dataclass
class LoadReport:
    """What `load_weights` did.

    Attributes:
        loaded: Paths of the parts that were read. Files of Keras 2 have names of
            layers here and below.
        skipped: Paths of the parts that were left as they were, with the reason.
        unused: Paths in the file that belong to no part of the model.
    """

    loaded: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} parts loaded"]
        lines += [
            f"skipped {k or 'the model itself'}: {v}" for k, v in self.skipped.items()
        ]
        lines += [f"not used: {where}" for where in self.unused]
        return "\n".join(lines)
