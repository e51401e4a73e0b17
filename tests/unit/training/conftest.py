"""What the tests of training share."""

import pytest

from litotes.core import Collection
from litotes.models import tiny_bert
from tests.unit.training.small_world import small_data


@pytest.fixture(scope="session")
def data() -> Collection:
    """Twelve queries over forty documents; see :func:`small_data`."""
    return small_data()


@pytest.fixture(scope="session")
def tiny():
    """One tiny model for reading; tests that train make their own with ``tiny_bert()``."""
    return tiny_bert()
