"""`polykeras backends`: what is installed, what failed, and how to get more."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from polykeras.backend import Registry, registry
from polykeras.errors import BackendError

__all__ = ["backends", "describe"]

# Engines that polykeras itself can drive; shown as installable where they are not.
HINTS = {
    "torch": "pip install 'polykeras[torch]'",
    "jax": "pip install 'polykeras[jax]'",
}


def describe(*, kernels: bool = False, found: Registry | None = None) -> dict[str, Any]:
    """Return all that is known about installed backends, as plain data.

    Args:
        kernels: Whether to list who supplies each kernel.
        found: The plugins to describe; None means those installed.
    """
    found = found or registry()
    from polykeras.ops._registry import REGISTRY  # loads every op: a moment

    listed = []
    for name in found.names():
        for provider in found.providers[name]:
            spec = provider.spec
            entry: dict[str, Any] = {
                "name": name,
                "summary": spec.summary,
                "distribution": provider.distribution,
                "version": provider.version,
                "interface": ".".join(map(str, spec.spi_version)),
                "requires": [f"{d}>={v}" for d, v in spec.requires],
                "install": spec.install_hint,
            }
            try:
                backend = found.load(name)
            except BackendError as error:
                entry |= {"usable": False, "error": str(error)}
            else:
                entry |= {
                    "usable": True,
                    "library": backend.library_version(),
                    "devices": backend.devices(),
                    "autodiff": backend.capabilities.autodiff,
                    "compile": backend.capabilities.compile,
                }
                if kernels:
                    entry["kernels"] = dict(sorted(backend.kernels.suppliers.items()))
                    entry["unknown_ops"] = [
                        op for op in entry["kernels"] if op not in REGISTRY
                    ]
            listed.append(entry)
    failures = [
        {
            "plugin": f.plugin,
            "distribution": f.distribution,
            "error": f.error,
            "traceback": f.traceback,
        }
        for f in found.failures
    ]
    return {"backends": listed, "failures": failures}


def backends(
    kernels: Annotated[
        bool, typer.Option("--kernels", help="List who supplies each kernel.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of a table.")
    ] = False,
) -> None:
    """List the installed backends, what failed and why, and what can be added."""
    data = describe(kernels=kernels)
    if as_json:
        typer.echo(json.dumps(data, indent=2))
        return
    from rich.console import Console  # only where a table is drawn
    from rich.table import Table

    console = Console()
    table = Table(title="polykeras backends")
    for column in ("name", "library", "devices", "gradients", "plugin", "state"):
        table.add_column(column, overflow="fold")
    for entry in data["backends"]:
        usable = entry["usable"]
        table.add_row(
            entry["name"],
            entry.get("library", ", ".join(entry["requires"])),
            ", ".join(entry.get("devices", [])),
            _gradients(entry),
            f"{entry['distribution']} {entry['version']}".strip(),
            "[green]ready[/]" if usable else "[yellow]not usable[/]",
        )
    console.print(table)
    for entry in data["backends"]:
        if not entry["usable"]:
            console.print(f"{entry['name']}: {entry['error']}", markup=False)
    for failure in data["failures"]:
        console.print(
            f"\nThe plugin {failure['plugin']!r} of {failure['distribution']!r} failed "
            f"to load:\n{failure['traceback']}",
            markup=False,
        )
    if kernels:
        for entry in data["backends"]:
            _print_kernels(console, entry)


def _gradients(entry: dict[str, Any]) -> str:
    if not entry["usable"]:
        return ""
    own = "its own" if entry["autodiff"] == "native" else "polykeras' tape"
    return f"{own}, compiled" if entry["compile"] else own


def _print_kernels(console: Any, entry: dict[str, Any]) -> None:
    from rich.table import Table

    if not entry["usable"]:
        return
    suppliers: dict[str, list[str]] = {}
    for op, supplier in entry.get("kernels", {}).items():
        suppliers.setdefault(supplier, []).append(op)
    table = Table(title=f"kernels of {entry['name']}")
    table.add_column("supplier")
    table.add_column("number", justify="right")
    table.add_column("ops", overflow="fold")
    for supplier, ops in sorted(suppliers.items()):
        table.add_row(supplier, str(len(ops)), " ".join(ops))
    console.print(table)
    if entry["unknown_ops"]:
        console.print(
            f"No op has these names, so nothing calls their kernels: "
            f"{', '.join(entry['unknown_ops'])}",
            markup=False,
        )
