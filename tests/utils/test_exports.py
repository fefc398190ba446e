"""The public names of polykeras.utils and polykeras.preprocessing."""

import subprocess
import sys

import pytest

from polykeras import preprocessing, utils
from polykeras.utils import files, images, sequences


def test_every_name_of_the_table_exists():
    for name in utils.__all__:
        assert callable(getattr(utils, name)), name
        assert name in dir(utils)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'to_categoricals'"):
        _ = utils.to_categoricals


def test_old_homes_are_the_same_functions():
    assert preprocessing.sequence.pad_sequences is sequences.pad_sequences
    for name in ("array_to_img", "img_to_array", "load_img", "save_img"):
        assert getattr(preprocessing.image, name) is getattr(images, name)
        assert getattr(utils, name) is getattr(images, name)


@pytest.mark.parametrize(
    "module", ["polykeras.datasets", "polykeras.utils.files", "polykeras.utils.images"]
)
def test_heavy_packages_load_on_use(module):
    heavy = ("pooch", "requests", "rich", "PIL", "torch", "jax", "h5py")
    code = (
        f"import sys, {module}; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_cache_root_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "platformdirs.user_cache_path", lambda name, appauthor: tmp_path / name
    )
    assert files.cache_root() == tmp_path / "polykeras"
