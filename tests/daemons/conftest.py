from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from runyard.queue.rules import Rules
from runyard.storage.open import SqlStores

from .bench import Bench

_NO_LIMIT = Rules(max_concurrent_runs=-1)


@pytest.fixture
def bench(sqlite_stores: SqlStores) -> Iterator[Callable[..., Bench]]:
    """Make a leading daemon over SQLite."""
    yield from _benches(sqlite_stores)


@pytest.fixture
def any_bench(stores: SqlStores) -> Iterator[Callable[..., Bench]]:
    """Make a leading daemon, once over SQLite and once over PostgreSQL."""
    yield from _benches(stores)


def _benches(stores: SqlStores) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(rules: Rules = _NO_LIMIT, **options: float) -> Bench:
        made.append(Bench(stores, rules, **options))  # type: ignore[arg-type]  # numbers only
        return made[-1]

    yield make
    for one in made:
        one.daemon.close()
