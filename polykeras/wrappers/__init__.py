"""Models as estimators of scikit-learn, which loads when one is first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_EXPORTS: Final = {
    "SKLearnClassifier": "polykeras.wrappers.classifier",
    "SKLearnRegressor": "polykeras.wrappers.regressor",
    "SKLearnTransformer": "polykeras.wrappers.transformer",
}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605 (the table is the list)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(_EXPORTS[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "sklearn":
            raise
        raise ImportError(
            "Estimators need the package scikit-learn, which is not installed. "
            'Run: pip install "polykeras[sklearn]"'
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
