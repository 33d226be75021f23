"""Two workers of one attempt at a host: another host had started one, and died before it was known to have begun."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runyard.core.launch import LaunchSpec, WorkerReport
from runyard.locations.host.run_worker import RunWorker
from runyard.locations.host.run_workers import RunWorkers

TREE: Any = SimpleNamespace(ended=lambda *_, **__: None)


class World:
    """What RunWorkers tells the others: whose slots are forgotten and whose steps ended, and what is started."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        parts: Any = SimpleNamespace(
            after=lambda action: None,
            watch=lambda worker, on_gone: None,
            forget=lambda key: self.told.append(("forget", key)),
            end_run=lambda key, then, *, force: self.told.append(("end", key)),
        )
        names = [name for name in RunWorkers.__init__.__annotations__ if name != "return"]
        self.workers = RunWorkers(**dict.fromkeys(names, parts) | {"start": self._start, "host_id": "here"})

    def _start(self, spec: LaunchSpec, _: Any) -> None:
        self.told.append(("start", spec.run_id))

    def add(self, pid: int) -> RunWorker:
        worker = RunWorker("run", 1, pid, -1, TREE)
        self.workers._add(worker)
        return worker


def began(worker: RunWorker, *, accepted: bool) -> None:
    worker.committed(1, WorkerReport(run_id="run", attempt=1, begin="token"), accepted=accepted)


@pytest.mark.parametrize("told", [True, False])
def test_the_second_one_takes_nothing_from_the_first_when_it_ends(told: bool) -> None:
    world = World()
    first, second = world.add(1), world.add(2)
    began(first, accepted=True)
    if told:
        began(second, accepted=False)
    world.workers._gone(second)
    assert world.told == []
    world.workers._gone(first)
    assert world.told == [("forget", ("run", 1)), ("end", ("run", 1))]


def test_the_first_one_s_end_is_the_run_s_also_while_the_second_is_there() -> None:
    world = World()
    first, second = world.add(1), world.add(2)
    began(first, accepted=True)
    world.workers._gone(first)
    assert ("end", ("run", 1)) in world.told
    began(second, accepted=False)


def test_an_attempt_whose_worker_has_found_this_host_is_not_started_again() -> None:
    world = World()
    world.add(7)
    spec = LaunchSpec(run_id="run", attempt=1, token="", job_name="job", location_name="jobs")
    assert world.workers.launch(spec).result(1).pid == 7
    assert world.told == []
