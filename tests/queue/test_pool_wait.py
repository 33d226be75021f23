"""Why a step waits for its pool, in words."""

from __future__ import annotations

import msgspec
import pytest

from runyard.core.pools import PoolHolder, PoolWaiter
from runyard.queue.pool_wait import PoolWait, pool_wait
from runyard.queue.rules import Pause, PoolRules, Rules

NOW = 1_700_000_000.0
HOLDERS = [PoolHolder("db", f"01c7324{i}-rest", f"s{i}", 1, 1, NOW) for i in range(5)]
LINE = [PoolWaiter("db", f"02aaaaa{i}-rest", "load", 1, 1 + i % 2, 0, NOW) for i in range(4)]
ONE_OF_TWO = "1 of 2 in use, held by run 01c73240 step 's0'"
PAUSE = Pause(scope="pool", name="db", by="ann", since=NOW)


def wait(place: int, holders: int, *, limit: int | None = 2, pause: Pause | None = None) -> PoolWait:
    limits = {} if limit is None else {"db": limit}
    rules = Rules(pools=PoolRules(limits=limits), pauses=(pause,) if pause else ())
    return pool_wait(LINE[place], LINE, HOLDERS[:holders], rules)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (wait(0, 2), "2 of 2 in use, held by run 01c73240 step 's0', run 01c73241 step 's1'"),
        (
            wait(0, 5, limit=5),
            "5 of 5 in use, held by run 01c73240 step 's0', run 01c73241 step 's1', run 01c73242 step 's2' and 2 more",
        ),
        (wait(1, 1), f"{ONE_OF_TWO}; run 02aaaaa0 step 'load' is served before it"),
        (
            wait(2, 1),
            f"{ONE_OF_TWO}; 2 steps are served before it, first run 02aaaaa0 step 'load'",
        ),
        (wait(0, 0, limit=0), "its limit is 0, so no step gets a slot until that is raised"),
        (wait(0, 1, pause=PAUSE), "it is paused by ann"),
        (
            wait(0, 1, pause=msgspec.structs.replace(PAUSE, drain=True, until=NOW + 60, reason="vacuum")),
            "it is drained by ann until 22:14 UTC (“vacuum”)",
        ),
        (wait(0, 0, limit=None), "0 in use"),
    ],
)
def test_holders_line_limit_and_pause_are_named(found: PoolWait, why: str) -> None:
    slots = "2 slots" if found.slots == 2 else "1 slot"
    assert found.message(NOW) == f"Step 'load' waits for {slots} of pool 'db': {why}."


def test_only_what_a_person_changes_is_another_cause() -> None:
    assert wait(0, 2).cause == wait(0, 1).cause == wait(1, 2).cause
    assert len({wait(0, 2).cause, wait(0, 2, limit=0).cause, wait(0, 2, limit=3).cause}) == 3
    assert wait(0, 2, pause=PAUSE).cause != wait(0, 2).cause
