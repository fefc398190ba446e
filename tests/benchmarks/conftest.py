from __future__ import annotations

from collections.abc import Iterator

import pytest

from polykeras.backend import current_backend, use_backend


@pytest.fixture(autouse=True)
def the_backend_before() -> Iterator[None]:
    """Contenders choose the backend of their process, which is that of the tests."""
    before = current_backend()
    yield
    use_backend(before)
