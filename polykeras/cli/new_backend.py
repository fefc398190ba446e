"""`polykeras new-backend`: write the package of a backend, to be filled in."""

from __future__ import annotations

import builtins
import keyword
import re
import shutil
import tempfile
import textwrap
from collections.abc import Iterable
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated, Final

import typer

from polykeras.backend import installed_backends
from polykeras.cli.conformance import require_suite
from polykeras.errors import ArgumentError, PolykerasError

if TYPE_CHECKING:
    from polykeras.conformance import Primitive

__all__ = ["new_backend", "write_package"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_WIDTH: Final = 88
_LIBRARY: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class Base(StrEnum):
    """What the library offers: names of the standard, or derivatives of its own."""

    ARRAY_API = "array-api"
    AUTODIFF = "autodiff"


# File of the package to its template; `{package}` is the import name.
_FILES: Final = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".github/workflows/test.yml": "test.yml",
    "{package}/__init__.py": "plugin.py",
    "tests/test_conformance.py": "test_conformance.py",
    "tests/test_training.py": "test_training.py",
}
_BASE_FILES: Final = {
    Base.ARRAY_API: {"{package}/backend.py": "backend_array_api.py"},
    Base.AUTODIFF: {
        "{package}/backend.py": "backend_autodiff.py",
        "{package}/kernels.py": "kernels.py",
    },
}


def new_backend(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in use_backend.")],
    base: Annotated[
        Base,
        typer.Option(
            help="array-api: the library follows the array API standard, and "
            "polykeras' tape differentiates. autodiff: it has derivatives."
        ),
    ] = Base.ARRAY_API,
    library: Annotated[
        str, typer.Option(help="The module to import; NumPy stands in for yours.")
    ] = "numpy",
    into: Annotated[
        Path, typer.Option(help="The folder in which the package's is made.")
    ] = Path(),
) -> None:
    """Write the package of a backend: plugin, kernels to fill in, tests, CI, README."""
    require_suite()
    try:
        folder = write_package(name, base, library, into)
    except PolykerasError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(
        f"{folder} holds the backend {name!r}. Go on with:\n"
        f"  pip install -e '{folder}[test]'\n"
        f"  polykeras conformance {name} --todo\n"
        f"  polykeras conformance {name}"
    )


def write_package(name: str, base: Base, library: str, into: Path) -> Path:
    """Write the package of a backend and return its folder.

    Args:
        name: The backend's name: words of lower case letters and digits, joined by
            hyphens.
        base: Which class of polykeras it extends.
        library: The module to import.
        into: An existing folder.

    Raises:
        ArgumentError: If a name does not fit or is taken, or the folder exists.
    """
    if not _NAME.fullmatch(name):
        raise ArgumentError(
            "A backend's name is words of lower case letters and digits, joined by "
            f"hyphens, such as 'my-lib'; got {name!r}."
        )
    if name in installed_backends():
        raise ArgumentError(
            f"A backend named {name!r} is installed already. Choose another name."
        )
    if not _LIBRARY.fullmatch(library) or any(
        map(keyword.iskeyword, library.split("."))
    ):
        raise ArgumentError(
            f"The library is a module's name, such as 'my_lib.numpy'; got {library!r}."
        )
    folder = into / f"polykeras-{name}"
    if folder.exists():
        raise ArgumentError(f"{folder} exists. Remove it, or choose another folder.")
    if not into.is_dir():
        raise ArgumentError(f"{into} is no folder. Make it first, or name another.")
    package = folder.name.replace("-", "_")
    words = {
        "name": name,
        "distribution": folder.name,
        "package": package,
        "library": library,
        "class_name": "".join(map(str.capitalize, name.split("-"))) + "Backend",
        "kernels_line": "",
        "stubs": "",
    }
    if base is Base.AUTODIFF:
        from polykeras.conformance import primitives

        words["stubs"] = _stubs(primitives().values())
        words["kernels_line"] = f"- `{package}/kernels.py` holds the kernels.\n"
    # Whole or not at all: it is written elsewhere and moved.
    with tempfile.TemporaryDirectory(dir=into) as scratch:
        whole = Path(scratch) / folder.name
        for path, template in (_FILES | _BASE_FILES[base]).items():
            target = whole / path.format(package=package)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(template, words), encoding="utf-8")
        shutil.move(whole, folder)
    return folder


def _filled(template: str, words: dict[str, str]) -> str:
    source = files("polykeras.cli") / "templates" / "backend" / f"{template}.txt"
    text = Template(source.read_text(encoding="utf-8")).substitute(words)
    return text.rstrip() + "\n"


def _stubs(primitives: Iterable[Primitive]) -> str:
    """Return a function to fill in for each primitive, in groups by domain."""
    lines: list[str] = []
    domain = ""
    for primitive in primitives:
        if primitive.has_default:
            continue
        if primitive.domain != domain:
            domain = primitive.domain
            title = f"# -- {domain.replace('_', ' ')} "
            lines += ["", "", title.ljust(_WIDTH, "-")]
        name = primitive.name + "_" * hasattr(builtins, primitive.name)
        parameters = [f"{p}: Any" for p in primitive.parameters]
        signature = f"def {name}({', '.join(parameters)}) -> Any:"
        if len(signature) > _WIDTH:
            rows = "".join(f"    {p},\n" for p in parameters)
            signature = f"def {name}(\n{rows}) -> Any:"
        contract = textwrap.wrap(f'"""{primitive.contract}"""', _WIDTH - 4)
        lines += ["", "", "@missing", signature, *(f"    {row}" for row in contract)]
    return "\n".join(lines)
