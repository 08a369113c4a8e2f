"""Where the tests find the public research logs."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of public research logs; skip the test where there is none."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("ADSCRIBE_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no folder of research logs at {folder}; set ADSCRIBE_DATA to one")
    return folder
