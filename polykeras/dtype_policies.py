"""What dtype a layer computes in and what dtype it keeps its weights in."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes
from polykeras.errors import ArgumentError
from polykeras.registry import public, resolve

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@public
class DTypePolicy:
    """A pair of dtypes: one for computing, one for variables.

    Args:
        name: A dtype name for both, or ``"mixed_float16"`` or ``"mixed_bfloat16"``
            to compute in 16 bits with float32 variables; None means the global one.

    Raises:
        ArgumentError: If no policy of that name exists.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        """Look the name up."""
        if name is None:
            name = dtype_policy().name
        if name in _MIXED:
            self._name = name
            self._compute, self._variable = _MIXED[name], "float32"
            return
        try:
            self._name = dtypes.standardize_dtype(name)
        except TypeError as error:
            raise ArgumentError(
                f"Unknown dtype policy {name!r}: expected a dtype, "
                "'mixed_float16' or 'mixed_bfloat16'."
            ) from error
        self._compute = self._variable = self._name

    def __deepcopy__(self, memo: dict[int, Any]) -> DTypePolicy:
        # Nothing changes a policy.
        return self

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of inputs and results."""
        return self._compute

    @property
    def variable_dtype(self) -> str:
        """The dtype of variables."""
        return self._variable

    @property
    def quantization_mode(self) -> None:
        """None: layers here are not quantized."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Return the policy of a config."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


FloatDTypePolicy = DTypePolicy
_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """Return the policy of layers that are made without one."""
    return _global or DTypePolicy(config.floatx())


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Set the policy of layers that are made without one.

    Raises:
        ArgumentError: If no policy of that name exists; nothing changes then.
    """
    global _global  # noqa: PLW0603
    _global = get(policy)


def get(identifier: Any) -> DTypePolicy:
    """Return a policy from a name, a dtype, a config, a policy or None."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        policy: DTypePolicy = resolve(
            identifier, "dtype policy", {"DTypePolicy": DTypePolicy}
        )
        return policy
    return DTypePolicy(
        identifier
        if isinstance(identifier, str)
        else dtypes.standardize_dtype(identifier)
    )


def serialize(dtype_policy: DTypePolicy) -> Any:
    """Return plain data that describes a policy."""
    from polykeras.registry import serialize_keras_object

    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the policy that plain data describes."""
    from polykeras.registry import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects)
