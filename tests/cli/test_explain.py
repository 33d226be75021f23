"""What ``runyard queue explain`` tells a person beside the reason."""

from __future__ import annotations

from collections.abc import Callable

from runyard.core.lease import Fence
from runyard.core.run import Run
from runyard.queue.rules import PoolRules, Rules
from runyard.wiring import Instance

from .conftest import Cli


def test_holders_and_what_would_be_sooner(cli: Cli, enqueue: Callable[..., Run], instance: Instance) -> None:
    stores, now = instance.stores, instance.clock.now()
    rules = stores.limits.configure(Rules(max_concurrent_runs=1))
    holder, _, last = enqueue("etl"), enqueue("etl"), enqueue("report")
    lease = stores.leases.acquire("daemon:queue", holder="test", seconds=60)
    assert lease is not None
    (head,) = (head for head in stores.queue.in_order(None, limit=3) if head.run_id == holder.run_id)
    stores.queue.claim([head], fence=Fence(lease.name, lease.term), rules_version=rules.version, now=now)
    told = cli("queue", "explain", last.run_id).stdout
    assert f"{last.run_id} has waited" in told
    assert "place 2, priority 0." in told
    assert f"  held by {holder.run_id[:8]} etl for " in told
    assert "  Priority 1: " in told
    assert f"  Cancel {holder.run_id[:8]}: " in told
    assert cli.json("queue", "explain", last.run_id)["sooner"][0]["kind"] == "now"


def test_a_running_run_s_steps_that_wait_for_a_pool_are_named(
    cli: Cli, enqueue: Callable[..., Run], instance: Instance
) -> None:
    stores, now = instance.stores, instance.clock.now()
    rules = stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1, "shut": 0})))
    runs = [enqueue("etl"), enqueue("report")]
    lease = stores.leases.acquire("daemon:queue", holder="test", seconds=60)
    assert lease is not None
    heads = stores.queue.in_order(None, limit=3)
    stores.queue.claim(heads, fence=Fence(lease.name, lease.term), rules_version=rules.version, now=now)
    wanted = [(runs[0], "load", "db"), (runs[1], "load", "db"), (runs[1], "open", "shut")]
    held = [
        stores.pool_slots.claim(run.run_id, step, attempt=1, pool=pool, slots=1, priority=0, now=now)
        for run, step, pool in wanted
    ]
    assert held == [True, False, False]
    said = [
        f"Step 'load' waits for 1 slot of pool 'db': 1 of 1 in use, held by run {runs[0].run_id[:8]} step 'load'.",
        "Step 'open' waits for 1 slot of pool 'shut': its limit is 0, so no step gets a slot until that is raised.",
    ]
    told = cli("queue", "explain", runs[1].run_id).stdout.splitlines()
    assert [line.strip() for line in told[1:]] == said
    assert [wait["message"] for wait in cli.json("queue", "explain", runs[1].run_id)["steps_waiting"]] == said
    assert cli.json("queue", "explain", runs[0].run_id)["steps_waiting"] == []
