"""`ArrayAPIBackend`: nearly all primitives for any array-API namespace."""

from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["ArrayAPIBackend"]
