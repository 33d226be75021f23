"""The queue over HTTP: reasons, limits, and what a person may do."""

from __future__ import annotations

import pytest

from runyard.queue.rules import Rules, TagRule

from .yard import Yard, problem

ONE = Rules(max_concurrent_runs=1, tag_rules=(TagRule(key="team", limit=1),))


def test_every_queued_run_has_its_place_and_its_reason(yard: Yard) -> None:
    yard.limit(Rules(max_concurrent_runs=5, tag_rules=(TagRule(key="team", limit=1),)))
    holder, blocked, urgent = yard.add(team="docs"), yard.add(team="docs"), yard.add(**{"dagster/priority": "9"})
    yard.post(f"/queue/{urgent}/hold")
    assert yard.launch_next() == holder
    yard.post(f"/queue/{urgent}/release")
    entries = {entry["run_id"]: entry for entry in yard.get("/queue")}
    assert set(entries) == {blocked, urgent}
    assert [entries[run]["position"] for run in (urgent, blocked)] == [1, 2]
    reason = entries[blocked]["reason"]
    assert (reason["kind"], reason["limit"], reason["used"], reason["holders"]) == ("tag_limit", 1, 1, [holder])
    assert yard.get(f"/queue/{blocked}")["reason"] == reason
    assert yard.get(f"/queue/{blocked[:8]}")["run_id"] == blocked


def test_a_run_outside_the_queue_is_explained_by_its_status(yard: Yard) -> None:
    run_id = yard.add()
    yard.launch_next()
    reason = yard.get(f"/queue/{run_id}")["reason"]
    assert reason["kind"] == "status"
    assert "worker is being started" in reason["message"]


def test_the_queue_is_read_page_by_page(yard: Yard) -> None:
    added = [yard.add() for _ in range(3)]
    first = yard.client.get("/queue", params={"limit": 2})
    assert [entry["run_id"] for entry in first.json()] == added[:2]
    second = yard.client.get(first.links["next"]["url"].removeprefix("/api/v1"))
    assert [entry["run_id"] for entry in second.json()] == added[2:]
    assert "link" not in second.headers


def test_limits_name_their_holders(yard: Yard) -> None:
    yard.limit(ONE)
    holder = yard.add(team="docs")
    yard.add(team="docs")
    yard.launch_next()
    limits = {limit["kind"]: limit for limit in yard.get("/limits")}
    assert set(limits) == {"max_concurrent_runs", "tag_limit"}
    for limit in limits.values():
        assert (limit["limit"], limit["used"], limit["holders"]) == (1, 1, [holder])
    assert sum(limit["waiting"] for limit in limits.values()) == 1


def test_a_new_priority_moves_a_run_ahead(yard: Yard) -> None:
    _, second = yard.add(), yard.add()
    run = yard.post(f"/queue/{second}/priority", {"priority": 7}).json()
    assert (run["priority"], run["tags"]["dagster/priority"]) == (7, "7")
    assert yard.launch_next() == second


@pytest.mark.parametrize("value", ["high", "7", 1.5, True, None, 2**31, [1]])
def test_a_priority_that_is_no_integer_is_refused_with_the_reason(yard: Yard, value: object) -> None:
    run_id = yard.add()
    answer = yard.post(f"/queue/{run_id}/priority", {"priority": value})
    assert answer.status_code == 422
    assert "priority" in answer.json()["detail"]
    assert value == 2**31 or "is not a whole number" in answer.json()["detail"]
    assert yard.get(f"/runs/{run_id}")["priority"] == 0
    assert "dagster/priority" not in yard.get(f"/runs/{run_id}")["tags"]


def test_a_held_run_waits_until_it_is_released(yard: Yard) -> None:
    first, second = yard.add(), yard.add()
    held = yard.post(f"/queue/{first}/hold", {"reason": "partner asked to wait"}).json()
    assert held["held"]["reason"] == "partner asked to wait"
    entry = yard.get(f"/queue/{first}")
    assert (entry["position"], entry["reason"]["kind"]) == (None, "held")
    assert "partner asked to wait" in entry["reason"]["message"]
    assert yard.post(f"/queue/{first}/release").json()["held"] is None
    assert yard.launch_next() == first
    assert yard.status(second).value == "QUEUED"


@pytest.mark.parametrize("verb", ["hold", "release", "priority"])
def test_only_queued_runs_are_steered(yard: Yard, verb: str) -> None:
    run_id = yard.add()
    yard.launch_next()
    body = {"priority": 1} if verb == "priority" else {}
    told = problem(yard.post(f"/queue/{run_id}/{verb}", body), 409, "wrong-state")
    assert "STARTING" in told["detail"]
