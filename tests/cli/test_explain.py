"""What ``runyard queue explain`` tells a person beside the reason."""

from __future__ import annotations

from collections.abc import Callable

from runyard.core.lease import Fence
from runyard.core.run import Run
from runyard.queue.rules import Rules
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
