"""What pytest loads wherever polykeras is installed: nothing, unless the suite is run.

The suite's plugin brings options such as ``--backend``, which other projects may have
too, and imports NumPy. So it is registered only when the command line names
`polykeras.conformance`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["pytest_load_initial_conftests"]

_PACKAGE: Final = "polykeras.conformance"
_FOLDER: Final = Path(__file__).parent / "conformance"


def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Register the suite's plugin if the suite is among what is to be run."""
    if any(_names_suite(early_config, arg) for arg in args):
        early_config.pluginmanager.import_plugin(f"{_PACKAGE}.plugin")


def _names_suite(config: pytest.Config, arg: str) -> bool:
    if arg == _PACKAGE or arg.startswith(f"{_PACKAGE}."):
        return True
    path = (config.invocation_params.dir / arg.partition("::")[0]).absolute()
    return path == _FOLDER or _FOLDER in path.parents
