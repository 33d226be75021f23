from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from locations.yard import Yard


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    made = Yard(tmp_path / "home")
    # Inherited by every process that the test starts: how they are found again at its end.
    monkeypatch.setenv("YARD", made.runtime_dir)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(params=["fork", "spawn"])
def start_method(request: pytest.FixtureRequest) -> str:
    return str(request.param)
