from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from .yard import Yard


@pytest.fixture
def postgres_instance(postgres_url: str) -> str:
    """An instance file that names an empty PostgreSQL database. Ask for it before ``make_yard``: it is dropped last."""
    parts = conninfo_to_dict(postgres_url)
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={quote(str(parts['host']), safe='')}"
    return f"storage: {{postgres: {{postgres_url: '{url}'}}}}"


@pytest.fixture(params=["sqlite", "postgres"])
def any_instance(request: pytest.FixtureRequest) -> str:
    """The beginning of an instance file, for each database in turn. Ask for it before ``make_yard``."""
    return f"{request.getfixturevalue('postgres_instance')}\n" if request.param == "postgres" else ""


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
