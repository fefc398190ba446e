"""First values of variables, drawn once and the same on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from polykeras.initializers._initializer import Initializer, RandomInitializer
from polykeras.initializers.constants import Constant, Identity, Ones, Zeros
from polykeras.initializers.distributions import (
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from polykeras.initializers.orthogonal import Orthogonal
from polykeras.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    compute_fans,
)
from polykeras.initializers.windows import STFT
from polykeras.registry import (
    deserialize_keras_object,
    resolve,
    serialize_keras_object,
)

IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
STFTInitializer = stft = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

__all__ = [
    "ALL",
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

ALL: Final[dict[str, type[Initializer]]] = {
    "STFT": STFT,
    "STFTInitializer": STFT,
    "stft": STFT,
    "Constant": Constant,
    "constant": Constant,
    "GlorotNormal": GlorotNormal,
    "glorot_normal": GlorotNormal,
    "GlorotUniform": GlorotUniform,
    "glorot_uniform": GlorotUniform,
    "HeNormal": HeNormal,
    "he_normal": HeNormal,
    "HeUniform": HeUniform,
    "he_uniform": HeUniform,
    "Identity": Identity,
    "IdentityInitializer": Identity,
    "identity": Identity,
    "LecunNormal": LecunNormal,
    "lecun_normal": LecunNormal,
    "LecunUniform": LecunUniform,
    "lecun_uniform": LecunUniform,
    "Ones": Ones,
    "ones": Ones,
    "one": Ones,
    "Orthogonal": Orthogonal,
    "OrthogonalInitializer": Orthogonal,
    "orthogonal": Orthogonal,
    "RandomNormal": RandomNormal,
    "random_normal": RandomNormal,
    "normal": RandomNormal,
    "RandomUniform": RandomUniform,
    "random_uniform": RandomUniform,
    "uniform": RandomUniform,
    "TruncatedNormal": TruncatedNormal,
    "truncated_normal": TruncatedNormal,
    "VarianceScaling": VarianceScaling,
    "variance_scaling": VarianceScaling,
    "Zeros": Zeros,
    "zeros": Zeros,
    "zero": Zeros,
}
"""Every string that names an initializer."""


def serialize(initializer: Any) -> dict[str, Any]:
    """Return plain data that describes an initializer."""
    data: dict[str, Any] = serialize_keras_object(initializer)
    return data


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the initializer that plain data describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Names of classes and functions besides registered ones.
    """
    return deserialize_keras_object(
        config, custom_objects=custom_objects, module_objects=ALL
    )


def get(identifier: Any) -> Any:
    """Return an initializer, however it is written.

    Args:
        identifier: A name such as ``"glorot_uniform"``, a config, a class, an
            instance, a function of ``(shape, dtype)``, or None.

    Returns:
        An initializer, a function, or None.

    Raises:
        ArgumentError: If the name is unknown.

    >>> import polykeras as keras
    >>> keras.initializers.get("zeros")
    <Zeros>
    """
    return resolve(identifier, "initializer", ALL)
