"""Say what to install before any test asks for it."""

import pytest

try:
    import mlx.core  # noqa: F401
except ImportError as error:
    raise pytest.UsageError(
        f"These tests need MLX, which cannot be imported: {error}. It has wheels for "
        "Linux (pip install 'mlx[cpu]') and for Macs with Apple silicon (pip install "
        "mlx)."
    ) from error
