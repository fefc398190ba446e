"""The architecture in a config, told without building the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polykeras.errors import PolykerasError
from polykeras.registry import find_object

__all__ = ["architecture"]


def architecture(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the nested layers of a config, and warnings about what would not load.

    Args:
        config: Of a model, from a file.
    """
    warnings: list[str] = []
    unknown: set[str] = set()
    for data in _objects(config):
        name = data["class_name"]
        if name == "__lambda__":
            warnings.append(
                "It holds the code of a lambda, which is never run: pass the function "
                "in custom_objects to load the model."
            )
        elif not _is_known(data):
            unknown.add(str(data.get("registered_name") or name))
    warnings += [
        f"The class or function {name!r} is not registered here: register it, or pass "
        "it in custom_objects."
        for name in sorted(unknown)
    ]
    return _layer(config), warnings


def _layer(data: Any) -> dict[str, Any]:
    """Return class, name and inner layers of the data of a layer."""
    config = data.get("config")
    config = config if isinstance(config, dict) else {}
    result: dict[str, Any] = {
        "class": data.get("class_name"),
        "name": config.get("name") or data.get("name"),
    }
    if isinstance(config.get("layers"), list):
        result["layers"] = [_layer(x) for x in config["layers"] if isinstance(x, dict)]
    inner = [
        _layer(v)
        for k, v in config.items()
        if k in ("layer", "backward_layer", "cell") and isinstance(v, dict)
    ]
    if inner:
        result["layers"] = inner
    return result


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    stack = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(item.get("class_name"), str):
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _is_known(data: dict[str, Any]) -> bool:
    name, module = data["class_name"], data.get("module")
    if name.startswith("__") or "ops" in str(module).split("."):
        return True
    wanted = data.get("config") if name == "function" else name
    for candidate in (data.get("registered_name"), wanted):
        if isinstance(candidate, str):
            try:
                find_object(candidate, module=module)
            except PolykerasError:
                continue
            return True
    return False
