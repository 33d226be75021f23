from __future__ import annotations

import pytest

from runyard.core.clock import ManualClock
from runyard.storage.protocols import Stores

from .yard import Yard


@pytest.fixture
def yard(sqlite_stores: Stores, clock: ManualClock) -> Yard:
    return Yard(sqlite_stores, clock)


@pytest.fixture
def both(stores: Stores, clock: ManualClock) -> Yard:
    """The same, on each database in turn."""
    return Yard(stores, clock)
