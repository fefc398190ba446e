"""JSON from files: bounded before it is parsed."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.limits import current_limits

__all__ = ["parse_json", "parse_json_object"]

# Strings, so that brackets and commas in them do not count, and what nests or
# separates. An unterminated string ends the search; the parser reports it.
_STRUCTURE: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)


def parse_json(text: bytes | str, what: str) -> Any:
    """Return the data of a JSON text of bounded length, depth and node count.

    Args:
        text: The text in UTF-8.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If it exceeds the limits.
        DataError: If it is no JSON.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    _check_bounds(raw, what)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{what} is no valid JSON: {error}") from error


def parse_json_object(text: bytes | str, what: str) -> dict[str, Any]:
    """Return the data of a JSON text that must be an object.

    Raises:
        UnsafeFileError: If it exceeds the limits.
        DataError: If it is no JSON object.
    """
    data = parse_json(text, what)
    if not isinstance(data, dict):
        raise DataError(
            f"{what} must hold a JSON object, got {type(data).__name__} data."
        )
    return data


def _check_bounds(raw: bytes, what: str) -> None:
    limits = current_limits()
    if len(raw) > limits.max_json_bytes:
        raise UnsafeFileError(
            f"{what} has {len(raw):,} bytes of JSON; {limits.max_json_bytes:,} are "
            "allowed. If you trust it, raise max_json_bytes with "
            "polykeras.saving.loading_limits."
        )
    depth = nodes = 0
    for match in _STRUCTURE.finditer(raw):
        token = raw[match.start()]
        if token in b"[{":
            depth += 1
            nodes += 1
            if depth > limits.max_json_depth:
                raise UnsafeFileError(
                    f"{what} nests deeper than {limits.max_json_depth} levels. If you "
                    "trust it, raise max_json_depth with "
                    "polykeras.saving.loading_limits."
                )
        elif token in b"]}":
            depth -= 1
        elif token == ord(","):
            nodes += 1
    if nodes > limits.max_json_nodes:
        raise UnsafeFileError(
            f"{what} has {nodes:,} values; {limits.max_json_nodes:,} are allowed. If "
            "you trust it, raise max_json_nodes with polykeras.saving.loading_limits."
        )
