"""Random processes are killed at random moments; afterwards nothing is unfinished, held, or left running."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from runyard import wiring
from runyard.core.run import FINISHED

from .system import System

#: Kills for each seed; ``make chaos`` does several hundred.
KILLS = int(os.environ.get("RUNYARD_CHAOS_KILLS", "40"))
#: Seconds that everything may take to come to rest: as long as the lease of a host that died with its workers, and
#: twice the patience that workers have with a host that is gone.
REST = 60.0


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    # Orphans are found to be such within seconds.
    impatient = partial(wiring.LocalWorkspace, host_grace=4.0, stop_grace=1.0)
    monkeypatch.setattr(wiring, "LocalWorkspace", impatient)
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "home"))
    made = System(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.timeout(60 + KILLS * 3)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_kill_leaves_anything(system: System, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    while system.killed.total() < KILLS:
        system.keep_busy(rng, runs=12)
        system.await_events(rng.randint(1, 5))
        system.kill_one(rng)
    at_rest(system)


def at_rest(system: System) -> None:
    system.until(lambda: not system.unfinished(), seconds=REST)
    assert all(run.status in FINISHED for run in system.yard.runs())
    assert list(system.stores.pool_slots.holders()) == []
    assert list(system.stores.pool_slots.waiters()) == []
    assert system.counters() == system.held() == {}
    system.until(lambda: not system.left(), seconds=REST)
    # After the last of the kills everything works as before.
    run_id = system.yard.submit("many")
    assert system.yard.wait_end(run_id, seconds=30).status.value == "SUCCESS"
