"""Two daemon processes on one PostgreSQL: one leads each daemon, the other stands by and takes over."""

from __future__ import annotations

from runyard.core.run import RunStatus
from runyard.service.pulse import LEASE_SECONDS, RENEW_EVERY


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
