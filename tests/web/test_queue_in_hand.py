"""The whole queue over HTTP: bulk steering in batches, pauses, drains, limits, many runs at once, the record."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.core.queue import LimitChange
from runyard.operations.queue import steering as queue_steering
from runyard.queue import limit_changes
from runyard.queue.rules import OverlapRule, PoolRules, Rules, TagRule

from .yard import Yard, problem


def test_steering_goes_batch_by_batch(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_steering, "BATCH", 2)
    ours = [yard.add(team="docs") for _ in range(5)]
    other = yard.add(team="web")
    body: dict[str, Any] = {"action": "priority", "priority": 4, "filter": {"tags": {"team": "docs"}}}
    assert yard.post("/queue/count", {"filter": body["filter"]}).json() == {"count": 5}
    changed, after = [], None
    while True:
        answer = yard.post("/queue/steer", body | {"after": after})
        assert answer.status_code == 200, answer.text
        changed.append(answer.json()["changed"])
        after = answer.json()["after"]
        if after is None:
            break
    assert changed == [2, 2, 1]
    assert {yard.get(f"/runs/{run}")["priority"] for run in ours} == {4}
    assert yard.get(f"/runs/{other}")["priority"] == 0
    (entry,) = yard.get("/queue/history")
    assert (entry["by"], entry["action"], entry["subject"]) == ("web", "priority", "team=docs")


def test_runs_are_held_released_and_canceled_by_id(yard: Yard) -> None:
    first, second, third = (yard.add() for _ in range(3))
    some = {"run_ids": [first, second]}
    for action, body in (("hold", {"reason": "audit"}), ("release", {}), ("cancel", {"reason": "wrong"})):
        answer = yard.post("/queue/steer", {"action": action, "filter": some, **body})
        assert answer.json() == {"changed": 2, "after": None}
    assert [yard.status(run).value for run in (first, second, third)] == ["CANCELED", "CANCELED", "QUEUED"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "cancel", "filter": {}},
        {"action": "cancel"},
        {"action": "cancel", "filter": {"all": "yes"}},
        {"action": "explode", "filter": {"all": True}},
        {"action": "priority", "filter": {"all": True}},
        {"action": "priority", "filter": {"all": True}, "priority": 2**31},
        {"action": "hold", "filter": {"all": True}, "priority": 1},
        {"action": "hold", "filter": {"all": True}, "after": -1},
        {"action": "hold", "filter": {"run_ids": ["x"] * 1001}},
        {"action": "hold", "filter": {"jobb": "x"}},
        {"action": "hold", "filter": {"tags": {"a": 1}}},
        {"action": "hold", "filter": {"job": "a\0b"}},
    ],
)
def test_steering_that_cannot_be_meant_changes_nothing(yard: Yard, body: dict[str, Any]) -> None:
    run_id = yard.add()
    problem(yard.post("/queue/steer", body), 422, "invalid-request")
    assert yard.get(f"/runs/{run_id}")["held"] is None
    assert yard.get("/queue/history") == []


def test_everything_only_by_saying_so(yard: Yard) -> None:
    yard.add(), yard.add()
    answer = yard.post("/queue/steer", {"action": "cancel", "filter": {"all": True}})
    assert answer.json() == {"changed": 2, "after": None}


def test_the_queue_is_paused_until_a_time_and_resumed(yard: Yard) -> None:
    run_id = yard.add()
    paused = yard.post("/queue/pause", {"reason": "upgrade", "until": "in 2h"}).json()
    assert (paused["scope"], paused["subject"], paused["by"], paused["drain"]) == ("queue", "queue", "web", False)
    reason = yard.get(f"/queue/{run_id}")["reason"]
    assert (reason["kind"], reason["until"], reason["pause"]["reason"]) == ("paused", paused["until"], "upgrade")
    assert paused.pop("note") is None
    assert yard.get("/queue/pauses") == [paused]
    assert yard.get("/queue/summary")["pauses"] == [paused]
    assert yard.post("/queue/resume").json() == {"resumed": paused}
    assert yard.post("/queue/resume").json() == {"resumed": None}
    assert [entry["action"] for entry in yard.get("/queue/history")] == ["resume", "pause"]


def test_a_drain_counts_what_still_runs(yard: Yard) -> None:
    yard.limit(Rules(tag_rules=(TagRule(key="team", limit=5),)))
    running, waiting = yard.add(team="docs"), yard.add(team="docs")
    assert yard.launch_next() == running
    subject = {"scope": "tag", "name": "team", "value": "docs"}
    assert yard.post("/queue/drain", subject).json()["running"] == 1
    assert yard.get(f"/queue/{waiting}")["reason"]["kind"] == "draining"
    yard.stores.runs.cancel_active(running, message="", now=0)
    yard.stores.runs.end_canceling(running, attempt=1, message="", now=0)
    assert yard.get("/queue/pauses")[0]["running"] == 0


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"scope": "tag", "name": "team"}, 422, "invalid-pause"),
        ({"scope": "queue", "name": "x"}, 422, "invalid-pause"),
        ({"scope": "pool"}, 422, "invalid-pause"),
        ({"scope": "location", "name": "yard.pi"}, 404, "not-found"),
        ({"scope": "everything"}, 422, "invalid-request"),
        ({"until": "soon"}, 422, "invalid-time"),
        ({"until": "2001-01-01"}, 422, "invalid-time"),
        ({"until": 5}, 422, "invalid-request"),
        ({"because": "x"}, 422, "invalid-request"),
    ],
)
def test_pauses_that_cannot_be_are_refused(yard: Yard, body: dict[str, Any], status: int, kind: str) -> None:
    problem(yard.post("/queue/pause", body), status, kind)
    assert yard.get("/queue/pauses") == []


def test_what_would_start_a_run_sooner_is_told_with_its_reason(yard: Yard) -> None:
    yard.limit(Rules(max_concurrent_runs=1))
    holder, _, last = yard.add(), yard.add(), yard.add()
    assert yard.launch_next() == holder
    found = yard.get(f"/queue/{last}")
    assert [detail["run_id"] for detail in found["reason"]["holder_details"]] == [holder]
    kinds = {alternative["kind"]: alternative for alternative in found["sooner"]}
    assert set(kinds) == {"now", "priority", "limit", "cancel"}
    assert (kinds["now"]["position"], kinds["priority"]["position"], kinds["cancel"]["run_id"]) == (2, 1, holder)
    assert yard.get(f"/queue/{holder}")["sooner"] == []


def test_the_queue_in_numbers(yard: Yard) -> None:
    first, held, _ = yard.add(), yard.add(), yard.add()
    yard.post(f"/queue/{held}/hold")
    assert yard.launch_next() == first
    yard.instance.clock.advance(60)  # type: ignore[attr-defined]
    found = yard.get("/queue/summary")
    assert (found["depth"], found["held"], found["started_last_hour"]) == (2, 1, 1)
    assert found["oldest_wait"] == 60
    assert found["estimate_error"] is None


_NO_DB = "Pool db holds no step back: no op is in a pool 'db'."


def test_limits_that_match_nothing_say_so_with_the_nearest(yard: Yard) -> None:
    yard.limit(
        Rules(
            tag_rules=(TagRule("teem", 1), TagRule("team", 1, "docs"), TagRule("layer", 1, per_unique_value=True)),
            overlaps=(OverlapRule(job="ingst"),),
        )
    )
    teem = "Limit teem counts no run: no definition and no run has the tag 'teem'. Did you mean 'team'?"
    assert {limit["rule"]: limit["note"] for limit in yard.get("/limits")} == {
        "max_concurrent_runs": None,
        "team=docs": None,
        "teem": teem,
    }
    notes = {limit["name"]: limit["note"] for limit in yard.get("/limits/in-force")}
    assert (notes["teem"], notes["team=docs"]) == (teem, None)
    idle = yard.get("/limits/idle")
    assert [(each["kind"], each["rule"], each["name"]) for each in idle] == [
        ("tag_limit", "teem", "teem"),
        ("tag_limit", "layer=*", "layer=*"),
        ("overlap", "job ingst", "ingst"),
    ]
    assert idle[2]["message"].endswith("no code location has a job 'ingst'. Did you mean 'ingest'?")


def test_a_pause_of_what_nothing_has_says_so(yard: Yard) -> None:
    made = yard.post("/queue/pause", {"scope": "tag", "name": "teem", "value": "docs"}).json()
    assert made["note"].endswith("no run has the tag 'teem'. Did you mean 'team'?")
    for path in ("/queue/pause", "/queue/drain"):
        refused = yard.post(path, {"scope": "tag", "name": "runyard/job", "value": "reprot"})
        assert "Did you mean 'report'?" in problem(refused, 404, "not-found")["detail"]
    assert yard.client.put("/limits", json={"kind": "pool", "name": "a b", "limit": 1}).status_code == 422


def test_limits_are_put_in_force_and_taken_back(yard: Yard) -> None:
    rule = TagRule(key="team", value="docs", limit=1)
    yard.limit(Rules(max_concurrent_runs=2, tag_rules=(rule,), pools=PoolRules(limits={"db": 1})))
    for kind, name, limit in (("runs", "", 7), ("tag", "team=docs", 3), ("pool", "db", 0)):
        body = {"kind": kind, "name": name, "limit": limit}
        answer = yard.client.put("/limits", json=body).json()
        assert answer == body | {"note": _NO_DB if kind == "pool" else None}
    in_force = {limit["rule"]: (limit["limit"], limit["source"], limit["changed_by"]) for limit in yard.get("/limits")}
    assert in_force == {
        "max_concurrent_runs": (7, "changed", "web"),
        "team=docs": (3, "changed", "web"),
        "pool db": (0, "changed", "web"),
    }
    for kind, name in (("runs", ""), ("tag", "team=docs"), ("pool", "db")):
        answer = yard.client.request("DELETE", "/limits", params={"kind": kind, "name": name}, json={})
        assert answer.json() | {"note": None} == {"kind": kind, "name": name, "limit": None, "note": None}
    assert {limit["limit"] for limit in yard.get("/limits")} == {2, 1}


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"kind": "pool", "name": "db", "limit": 1001}, 422, "invalid-limit"),
        ({"kind": "pool", "name": "db", "limit": -1}, 422, "invalid-limit"),
        ({"kind": "pool", "name": "db", "limit": "5"}, 422, "invalid-request"),
        ({"kind": "pool", "name": "db", "limit": 1.5}, 422, "invalid-request"),
        ({"kind": "pool", "name": "db"}, 422, "invalid-request"),
        ({"kind": "pool", "name": "d\0b", "limit": 1}, 422, "invalid-request"),
        ({"kind": "runs", "limit": 2**31}, 422, "invalid-request"),
        ({"kind": "runs", "name": "report", "limit": 1}, 422, "invalid-limit"),
        ({"kind": "runs", "name": "report", "limit": None}, 422, "invalid-limit"),
        ({"kind": "tag", "name": "team", "limit": 1}, 404, "not-found"),
        ({"kind": "rate", "name": "team", "limit": 1}, 422, "invalid-request"),
    ],
)
def test_limits_that_cannot_be_are_refused(yard: Yard, body: dict[str, Any], status: int, kind: str) -> None:
    problem(yard.client.put("/limits", json=body), status, kind)
    assert yard.get("/queue/history") == []


def test_many_runs_at_once_or_none(yard: Yard) -> None:
    runs = [{"job_name": "report", "tags": {"day": day}} for day in range(3)]
    headers = {"Idempotency-Key": "days"}
    first = yard.client.post("/runs/batch", json={"runs": runs}, headers=headers)
    assert first.status_code == 201
    run_ids = first.json()["run_ids"]
    assert [yard.get(f"/runs/{run}")["tags"]["day"] for run in run_ids] == ["0", "1", "2"]
    again = yard.client.post("/runs/batch", json={"runs": runs}, headers=headers)
    assert again.json() == first.json()
    other = yard.client.post("/runs/batch", json={"runs": [{"job_name": "ingest"}]}, headers=headers)
    problem(other, 409, "key-reused")
    assert yard.count() == 3


@pytest.mark.parametrize(
    ("bad", "status", "kind"),
    [
        ({"job_name": "reprot"}, 404, "not-found"),
        ({"job_name": "report", "tags": {"dagster/priority": "high"}}, 422, "invalid-tag"),
        ({"job_name": "report", "tags": {"runyard/slots": "11"}}, 422, "never-admissible"),
    ],
)
def test_one_that_cannot_be_granted_is_named_by_its_number(
    yard: Yard, bad: dict[str, Any], status: int, kind: str
) -> None:
    told = problem(yard.post("/runs/batch", {"runs": [{"job_name": "report"}] * 2 + [bad]}), status, kind)
    assert told["index"] == 2
    assert told["detail"].startswith("Run 3: ")
    assert yard.count() == 0


@pytest.mark.parametrize("runs", [[], [{"job_name": "report"}] * 1001, "x", [{"job": "report"}]])
def test_a_batch_has_its_bounds(yard: Yard, runs: Any) -> None:
    problem(yard.post("/runs/batch", {"runs": runs}), 422, "invalid-request")
    assert yard.count() == 0


def test_a_run_that_takes_more_than_a_limit_has_is_refused(yard: Yard) -> None:
    told = problem(yard.post("/runs", {"job_name": "report", "tags": {"runyard/slots": 11}}), 422, "never-admissible")
    assert "takes 11 slots of max_concurrent_runs, whose limit is 10" in told["detail"]
    assert yard.post("/runs", {"job_name": "report", "tags": {"runyard/slots": 10}}).status_code == 201


def test_what_an_overlap_policy_refuses_conflicts_with_what_is_there(yard: Yard) -> None:
    yard.limit(Rules(overlaps=(OverlapRule(job="report", policy="skip"),)))
    assert yard.post("/runs", {"job_name": "report"}).status_code == 201
    told = problem(yard.post("/runs", {"job_name": "report"}), 409, "overlap-refused")
    assert "refused by its overlap policy 'skip'" in told["detail"]
    assert yard.count() == 1


def test_a_read_only_server_still_counts(yard: Yard) -> None:
    yard.add()
    yard.serve(read_only=True)
    assert yard.post("/queue/count", {"filter": {"all": True}}).json() == {"count": 1}
    for path in ("/queue/steer", "/queue/pause", "/queue/drain", "/queue/resume", "/runs/batch"):
        problem(yard.post(path), 403, "read-only")
    problem(yard.client.put("/limits", json={}), 403, "read-only")


def test_a_name_from_before_there_were_bounds_is_cut_and_can_be_taken_back(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "p" * 2_000_000
    with monkeypatch.context() as patched:
        patched.setattr(limit_changes, "NAME", len(long))
        yard.stores.limits.change(LimitChange(kind="pool", name=long, limit=1), by="me", now=1.0)
    for path in ("/limits", "/limits/in-force", "/limits/idle", "/queue/history"):
        assert len(yard.client.get(path).content) < 5000
    shown = next(limit["name"] for limit in yard.get("/limits/in-force") if limit["kind"] == "pool")
    assert len(shown) < 300
    problem(yard.client.put("/limits", json={"kind": "pool", "name": long, "limit": 2}), 422, "too-large")
    assert yard.client.put("/limits", json={"kind": "pool", "name": shown, "limit": None}).status_code == 200
    assert [limit["kind"] for limit in yard.get("/limits/in-force")] == ["runs"]


@pytest.mark.parametrize("by_the_address", [True, False])
def test_a_limit_is_taken_back_by_either_address(yard: Yard, by_the_address: bool) -> None:
    assert yard.client.put("/limits", json={"kind": "pool", "name": "db", "limit": 1}).status_code == 200
    if by_the_address:
        answer = yard.client.request("DELETE", "/limits?kind=pool&name=db", json={})
    else:
        answer = yard.client.put("/limits", json={"kind": "pool", "name": "db", "limit": None})
    assert answer.json() == {"kind": "pool", "name": "db", "limit": None, "note": _NO_DB}
    assert yard.stores.limits.changed() == []
