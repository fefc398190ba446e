"""Self-contained pages: every report is one file that needs no other and no network."""

from __future__ import annotations

import json
from typing import Any

from polykeras.errors import PolykerasError

__all__ = ["embedded", "render"]


def render(template: str, **values: Any) -> str:
    """Return a page made from a template of this package.

    Args:
        template: The name of a file in ``templates``.
        values: What the template shows; text is escaped.

    Raises:
        PolykerasError: If Jinja, which fills templates in, is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError as error:
        raise PolykerasError(
            "Pages are made by Jinja, which is not installed. "
            "Run: pip install 'polykeras[conformance]'"
        ) from error
    loader = PackageLoader(__name__)
    settings = Environment(autoescape=True, undefined=StrictUndefined, loader=loader)
    return settings.get_template(template).render(**values)


def embedded(data: Any) -> str:
    r"""Return data as JSON that may stand inside a script element.

    >>> embedded(["</script>"])
    '["\\u003c/script>"]'
    """
    return json.dumps(data).replace("<", "\\u003c")
