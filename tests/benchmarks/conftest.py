from __future__ import annotations

from collections.abc import Iterator

import pytest

from polykeras import dtype_policies
from polykeras.backend import current_backend, use_backend


@pytest.fixture(autouse=True)
def the_process_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Contenders choose backend and policy of their process, which is the tests'."""
    monkeypatch.setattr(dtype_policies, "_global", None)
    before = current_backend()
    yield
    use_backend(before)
