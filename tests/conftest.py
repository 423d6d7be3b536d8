"""What every test gets."""

from pathlib import Path

import pytest


@pytest.fixture
def lake_folder(tmp_path: Path) -> Path:
    """A folder for a lake that does not exist yet."""
    return tmp_path / "lake"
