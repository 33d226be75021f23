"""Overlapping leaders on PostgreSQL: eight claims at once, with commits that take their time.

Each of four processes takes the lead from whoever has it, reads who is active, admits by what it has read, and goes on
until it is told that its lease is lost; each of its batches is sent twice at once, as if an answer had been lost. The
database itself keeps the tally of every committed state.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from runyard.core.errors import LeaseLost
from runyard.core.lease import Fence
from runyard.core.queue import Claim, QueueHead
from runyard.core.run import RunStatus
from runyard.queue.lanes import parse_lane
from runyard.queue.rules import Rules, TagRule
from runyard.storage.open import SqlStores

from .make import NOW, event_types, new_run, report

LIMITS = {"a": 1, "b": 2, "c": 4}
RUNS = 90
# Runs when a transaction commits. All tallies change under one lock, so that their order is that of the commits.
_TALLY = """
CREATE TABLE tally (team TEXT PRIMARY KEY, used INTEGER NOT NULL DEFAULT 0, most INTEGER NOT NULL DEFAULT 0);
INSERT INTO tally (team) VALUES ('a'), ('b'), ('c');
CREATE FUNCTION count_run() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moved INTEGER := (NEW.status IN ('STARTING', 'STARTED'))::int - (OLD.status IN ('STARTING', 'STARTED'))::int;
BEGIN
    IF moved <> 0 THEN
        PERFORM pg_sleep(random() * 0.004);
        PERFORM pg_advisory_xact_lock(4711);
        UPDATE tally SET used = used + moved, most = greatest(most, used + moved)
            WHERE team = NEW.tags::json ->> 'team';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tally AFTER UPDATE ON runs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION count_run();
"""


class _Leader:
    """A process that believes to lead: its fence, and what it knows of slots in use."""

    def __init__(self, stores: SqlStores, name: str, senders: ThreadPoolExecutor) -> None:
        self.stores, self.name, self.senders = stores, name, senders
        self.random = random.Random(name)  # noqa: S311  no secret
        self.won: list[Claim] = []
        self.lost_leases = 0

    def work(self) -> None:
        while self.stores.queue.depth():
            self._lead(self._take_over())

    def _take_over(self) -> Fence:
        while True:
            for lease in self.stores.leases.list():
                self.stores.leases.release("queue", holder=lease.holder or "", term=lease.term)
            lease = self.stores.leases.acquire("queue", holder=self.name, seconds=60)
            if lease is not None:
                return Fence("queue", lease.term)

    def _lead(self, fence: Fence) -> None:
        used = Counter(_team(run.lane) for run in self.stores.queue.active())
        heads = list(self.stores.queue.in_order(None, limit=40))
        running: list[Claim] = []
        try:
            while batch := _admit(heads, used):
                running += self._claim(batch, fence)
                self.random.shuffle(running)
                self._end(running, used)
        except LeaseLost:
            self.lost_leases += 1
        finally:
            # Workers go on without their leader.
            while running:
                self._end(running, used)

    def _claim(self, batch: Sequence[QueueHead], fence: Fence) -> list[Claim]:
        version = self.stores.queue.rules().version
        sent = [
            self.senders.submit(self.stores.queue.claim, batch, fence=fence, rules_version=version, now=NOW)
            for _ in range(2)
        ]
        won = [claim for answer in sent if answer.exception(60) is None for claim in answer.result()]
        self.won += won
        lost = [error for answer in sent if (error := answer.exception()) is not None]
        if lost:
            for claim in won:
                self._finish(claim)
            raise lost[0]
        return won

    def _end(self, running: list[Claim], used: Counter[str]) -> None:
        for _ in range(self.random.randint(1, 3)):
            if running:
                claim = running.pop()
                self._finish(claim)
                used[claim.tags["team"]] -= 1

    def _finish(self, claim: Claim) -> None:
        assert self.stores.runs.report([report(claim, begin=True)]) == [True]
        assert self.stores.runs.report([report(claim, end=RunStatus.SUCCESS)]) == [True]


def _team(lane: str) -> str:
    return parse_lane(lane).tags["team"]


def _admit(heads: list[QueueHead], used: Counter[str]) -> list[QueueHead]:
    """Take from ``heads`` those that there is room for, each with a slot."""
    batch = []
    for head in list(heads):
        team = _team(head.lane)
        if used[team] < LIMITS[team]:
            used[team] += 1
            batch.append(head)
            heads.remove(head)
    return batch


@pytest.fixture
def leaders(postgres_stores: SqlStores) -> Iterator[list[_Leader]]:
    postgres_stores.limits.configure(Rules(tag_rules=tuple(TagRule("team", n, team) for team, n in LIMITS.items())))
    with postgres_stores.database.write() as connection:
        connection.exec_driver_sql(_TALLY)
    with ThreadPoolExecutor(8) as senders:
        yield [_Leader(postgres_stores, f"leader {number}", senders) for number in range(4)]


def test_overlapping_leaders_keep_every_limit_and_launch_nothing_twice(
    postgres_stores: SqlStores, leaders: list[_Leader]
) -> None:
    stores = postgres_stores
    runs = stores.runs.add([new_run(tags={"team": "abc"[number % 3]}) for number in range(RUNS)], enqueue=True)
    failed: list[BaseException] = []

    def work(leader: _Leader) -> None:
        try:
            leader.work()
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(leader,)) for leader in leaders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed
    won = [claim for leader in leaders for claim in leader.won]
    assert sorted(claim.run_id for claim in won) == sorted(run.run_id for run in runs)
    assert len({claim.launch_seq for claim in won}) == RUNS
    assert all(event_types(stores, run.run_id).count("RUN_STARTING") == 1 for run in runs)
    with stores.database.read() as connection:
        tally = connection.exec_driver_sql("SELECT team, used, most FROM tally ORDER BY team").all()
    assert [(team, used) for team, used, _ in tally] == [("a", 0), ("b", 0), ("c", 0)]
    assert [(team, most) for team, _, most in tally if not 0 < most <= LIMITS[team]] == []
    assert sum(leader.lost_leases for leader in leaders) > 0
