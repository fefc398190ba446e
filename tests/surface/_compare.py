"""How a signature of ours differs from Keras', as parameter names."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import polykeras as keras

ROOT = Path(__file__).parents[2]
API = json.loads(Path(__file__).with_name("keras_api.json").read_text())
ABSENT = "absent"
ROW = re.compile(r"^\| `([\w.*?]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def parameters(text: str) -> list[tuple[str, str | None]]:
    """Split the text of a signature into names and defaults.

    Stars of ``*args`` stay with the name; whether a parameter must be given by
    keyword does not count, since accepting it by position too is no difference.
    """
    found = []
    for part in _split(text):
        name, has_default, default = part.removeprefix("@").partition("=")
        found.append((name, default if has_default else None))
    return found


def _split(text: str) -> list[str]:
    """Split at commas outside brackets and strings."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        quoted ^= c == '"'
        depth += (c in "[{") - (c in "]}")
        if c == "," and depth == 0 and not quoted:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def spell(value: Any) -> str:
    """Return a default value in the spelling of the data file."""
    if value is None or isinstance(value, bool | str):
        return json.dumps(value)
    if isinstance(value, int | float):
        return format(value, ".15g")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(spell, value))}]"
    if callable(value):
        return json.dumps(f"<{value.__module__}:{value.__name__}>")
    return repr(value)


def own_parameters(obj: Any) -> list[tuple[str, str | None]]:
    """Return our parameters in the form of `parameters`."""
    stars = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    if inspect.isclass(obj):
        signature = inspect.signature(obj.__init__)
        found = list(signature.parameters.values())[1:]
    else:
        found = list(inspect.signature(obj).parameters.values())
        found = [p for p in found if p.name != "self"]
    return [
        (
            stars.get(p.kind, "") + p.name,
            None if p.default is p.empty else spell(p.default),
        )
        for p in found
    ]


def differing(ours: list[Any], theirs: list[Any]) -> set[str]:
    """Return the names of the parameters that one lacks, reorders or sets otherwise."""
    if [n for n, _ in ours] == ["*args", "**kwargs"]:
        return set()  # takes whatever Keras takes
    mine = {n: _one_for_all(default) for n, default in ours}
    wanted = {n: _one_for_all(default) for n, default in theirs}
    names = {n.lstrip("*") for n in set(mine) ^ set(wanted)}
    names |= {n for n in set(mine) & set(wanted) if mine[n] != wanted[n]}
    order = [n for n, _ in ours if n in wanted]
    expected = [n for n, _ in theirs if n in mine]
    names |= {a for a, b in zip(order, expected, strict=True) if a != b}
    return names


def _one_for_all(default: str | None) -> str | None:
    """Let a number stand for a list of equal numbers, as sizes of windows do."""
    numbers = set(re.findall(r"[^\[\], ]+", default or ""))
    nested = default is not None and default.startswith("[")
    return numbers.pop() if nested and len(numbers) == 1 else default


def find(dotted: str) -> Any:
    """Return one of our public objects, or None."""
    obj: Any = keras
    for part in dotted.split(".")[1:]:
        try:
            obj = getattr(obj, part)
        except AttributeError:
            return None
    return obj


@cache
def declared() -> dict[str, set[str]]:
    """Return what docs/differences.md declares: name patterns to parameter names."""
    text = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    section = text.partition("\n## Names and signatures\n")[2].partition("\n## ")[0]
    rows = {}
    for pattern, what, reason in ROW.findall(section):
        assert reason.strip(), pattern
        named = set(re.findall(r"`\**(\w+)`", what))
        rows[pattern] = {ABSENT} if what.strip() == ABSENT else named
    return rows


@cache
def differences() -> dict[str, set[str]]:
    """Return every difference there is: names of ours to parameter names."""
    found: dict[str, set[str]] = {}
    for space, names in API["names"].items():
        for name, (tier, text) in names.items():
            dotted = f"{space}.{name}"
            obj = find(dotted)
            if obj is None:
                if tier < 3:
                    found[dotted] = {ABSENT}
            elif callable(obj):
                found[dotted] = _compare(obj, text)
    for cls, members in API["members"].items():
        owner = find(cls)
        if owner is None:
            continue
        for name, text in members["methods"].items():
            method = getattr(owner, name, None)
            found[f"{cls}.{name}"] = (
                {ABSENT} if method is None else _compare(method, text)
            )
        for name in members["properties"]:
            # Attributes set in the constructor are checked on instances.
            if not hasattr(owner, name) and name not in _assigned(owner):
                found[f"{cls}.{name}"] = {ABSENT}
    return {k.removeprefix("keras."): v for k, v in found.items() if v}


def _compare(obj: Any, text: str) -> set[str]:
    return differing(own_parameters(obj), parameters(text))


def _assigned(cls: type) -> set[str]:
    """Return the attributes that the constructors of a class assign to self."""
    sources = [inspect.getsource(c) for c in cls.__mro__ if c is not object]
    return set(re.findall(r"\bself\.(\w+)(?::[^=\n]+)? = ", "\n".join(sources)))
