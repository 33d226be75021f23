from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .yard import Yard


@pytest.fixture
def make_yard(tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    """Make a system in the test's directory; it is taken down afterwards."""
    made: list[Yard] = []

    def make(**options: str) -> Yard:
        yard = Yard(tmp_path, **options)
        made.append(yard)
        return yard

    yield make
    for yard in made:
        with yard:
            pass
