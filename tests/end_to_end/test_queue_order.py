"""The queue with real daemons and real workers."""

from __future__ import annotations

from runyard.core.run import RunStatus


def test_a_run_blocked_by_a_tag_limit_never_blocks_a_later_one(make_yard) -> None:
    yard = make_yard(
        instance="""
        concurrency:
          runs:
            tag_concurrency_limits: [{key: team, limit: 1}]
        """
    )
    yard.start()
    a, b, c = yard.submit(team="docs"), yard.submit(team="docs"), yard.submit()
    for run in (a, c):
        yard.wait_mark(f"begin {run}")
    assert yard.launch_order([a, b, c]) == [a, c]
    assert yard.run(b).status is RunStatus.QUEUED
    yard.go(c)
    yard.wait_end(c)
    assert yard.run(b).status is RunStatus.QUEUED
    yard.go(a)
    yard.wait_mark(f"begin {b}")
    assert yard.launch_order([a, b, c]) == [a, c, b]
    assert yard.run(b).launched_at >= yard.run(a).ended_at
    yard.go(b)
    assert yard.wait_end(b).status is RunStatus.SUCCESS


def test_without_the_limit_runs_launch_in_the_order_of_asking(make_yard) -> None:
    yard = make_yard()
    yard.start()
    runs = [yard.submit("tiny", team="docs"), yard.submit("tiny", team="docs"), yard.submit("tiny")]
    for run in runs:
        assert yard.wait_end(run).status is RunStatus.SUCCESS
    assert yard.launch_order(runs) == runs


def test_priority_orders_the_queue(make_yard) -> None:
    yard = make_yard(instance="concurrency: {runs: {max_concurrent_runs: 1}}")
    yard.start()
    first = yard.submit()
    yard.wait_mark(f"begin {first}")
    low, middle, high = (yard.submit("tiny", **{"dagster/priority": p}) for p in ("-1", "0", "5"))
    yard.go(first)
    for run in (low, middle, high):
        yard.wait_end(run)
    assert yard.launch_order([low, middle, high]) == [high, middle, low]
