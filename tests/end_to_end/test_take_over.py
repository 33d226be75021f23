"""Two daemon processes on one PostgreSQL: one leads each daemon, the other stands by and takes over."""

from __future__ import annotations

from deep_queue import deepen
from runyard.core.ids import new_id
from runyard.core.run import ACTIVE, NewRun, RunStatus
from runyard.queue.rules import Pause
from runyard.service.pulse import LEASE_SECONDS, RENEW_EVERY
from runyard.storage.protocols import RunsFilter


def test_a_standby_takes_over_from_a_killed_leader(postgres_instance: str, make_yard) -> None:
    yard = make_yard(instance=postgres_instance)
    first = yard.start()
    leading = yard.leaders()
    assert set(leading.values()) == {first.pid}
    second = yard.start_another()
    yard.wait(lambda: yard.standbys() == {daemon: [second.pid] for daemon in leading})
    running = yard.submit()
    yard.wait_mark(f"begin {running}")
    assert yard.leaders() == leading
    terms = {lease.name: lease.term for lease in yard.stores.leases.list()}
    first.kill()
    first.wait()
    # Asked of a queue that nobody leads now.
    waiting = yard.submit("tiny")
    ended = yard.wait_end(waiting, seconds=LEASE_SECONDS + RENEW_EVERY)
    assert ended.status is RunStatus.SUCCESS
    # The heartbeat that says so has a rhythm of its own.
    yard.wait(lambda: yard.leaders() == dict.fromkeys(leading, second.pid))
    assert {lease.name: lease.term for lease in yard.stores.leases.list()} == {
        name: term + 1 for name, term in terms.items()
    }
    yard.go(running)
    assert yard.wait_end(running).status is RunStatus.SUCCESS
    begun = sorted(mark for mark in yard.marks() if mark.startswith("begin"))
    assert begun == sorted([f"begin {running}", f"begin {waiting}"])


def test_a_leader_that_ends_in_good_order_hands_over_at_once(postgres_instance: str, make_yard) -> None:
    yard = make_yard(instance=postgres_instance)
    first = yard.start()
    second = yard.start_another()
    yard.wait(lambda: all(pids == [second.pid] for pids in yard.standbys().values()))
    first.terminate()
    assert first.wait(20) == 0
    run = yard.submit("tiny")
    assert yard.wait_end(run, seconds=2 * RENEW_EVERY).status is RunStatus.SUCCESS


def test_a_deep_queue_goes_on_behind_a_killed_leader_and_nothing_starts_twice(
    postgres_instance: str, make_yard
) -> None:
    yard = make_yard(instance=f"{postgres_instance}\nconcurrency: {{runs: {{max_concurrent_runs: 4}}}}")
    like = NewRun(run_id=new_id(), job_name="tiny", location_name="jobs.py")
    waiting = deepen(yard.stores, like, 20_000)
    first = yard.start()
    second = yard.start_another()
    yard.wait(lambda: all(pids == [second.pid] for pids in yard.standbys().values()), seconds=30)
    yard.wait(lambda: len(yard.marks()) >= 20)
    first.kill()
    first.wait()
    begun = len(yard.marks())
    yard.wait(lambda: len(yard.marks()) >= begun + 20, seconds=LEASE_SECONDS + RENEW_EVERY + 5)
    clock = yard.instance.clock
    yard.stores.limits.pause(Pause(scope="queue", by="ops", since=clock.now()))
    yard.stores.wakeups.poke("queue")
    yard.wait(lambda: not yard.runs(*ACTIVE))
    marks = yard.marks()
    assert len(set(marks)) == len(marks), "no user code ran twice"
    ended = yard.stores.runs.count(RunsFilter(statuses=(RunStatus.SUCCESS,)))
    assert ended == len(marks)
    assert set(marks) == {f"begin {run}" for run in waiting[:ended]}, "in the order of the queue"
