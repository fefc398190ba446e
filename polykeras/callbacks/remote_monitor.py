"""`RemoteMonitor`: logs to a web server."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
import warnings
from typing import Any

from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError

__all__ = ["RemoteMonitor"]

_SECONDS = 5.0


class RemoteMonitor(Callback):
    """Send the logs of each epoch to a server, as JSON; a server away is a warning.

    Args:
        root: The server, with ``http://`` or ``https://``.
        path: Where logs go.
        field: The name of the form's field that holds the JSON.
        headers: Further headers of the request.
        send_as_json: Whether the JSON is the body itself rather than a form's field.

    Raises:
        ArgumentError: If `root` is no web address.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        """Remember the address."""
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ArgumentError(
                f"RemoteMonitor sends to http:// or https://, got root={root!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers or {}
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Send epoch and logs."""
        message = json.dumps({"epoch": epoch, **(logs or {})}, default=_plain)
        if self.send_as_json:
            body, kind = message, "application/json"
        else:
            body = urllib.parse.urlencode({self.field: message})
            kind = "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path,
            data=body.encode(),
            headers={"Content-Type": kind, **self.headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except OSError as error:
            warnings.warn(
                f"RemoteMonitor could not reach {self.root}{self.path}: {error}",
                stacklevel=2,
            )


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
