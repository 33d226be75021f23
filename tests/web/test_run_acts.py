"""Doing runs again and canceling many, over HTTP."""

from __future__ import annotations

import pytest

from runyard.core.events import Event, EventType
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.run import RunFailure, RunStatus

from .yard import Yard, problem


def failed(yard: Yard, *done: str, **tags: str) -> str:
    """A run whose worker said that ``done`` succeeded and that it failed."""
    run_id = yard.add(**tags)
    yard.launch_next()
    run = yard.stores.runs.get(run_id)
    assert run is not None
    events = tuple(
        Event(run_id=run_id, type=EventType.STEP_SUCCESS, timestamp=1, attempt=1, seq=n, step_key=key)
        for n, key in enumerate(done, start=1)
    )
    end = RunEnd(status=RunStatus.FAILURE, failure=RunFailure("ValueError", "no", "write", by_step=True))
    report = WorkerReport(
        run_id=run_id, attempt=1, begin=run.launch_token, pid=7, host_id="h", events=events, end=end, timestamp=2
    )
    assert yard.stores.runs.report([report]) == [True]
    return run_id


def test_a_run_tells_where_it_ran_and_what_failed(yard: Yard) -> None:
    run = yard.get(f"/runs/{failed(yard)}")
    assert run["failure"] == {"step_key": "write", "error_class": "ValueError", "message": "no", "by_step": True}
    assert (run["host_id"], run["pid"], run["resumes"]) == ("h", 7, 0)


def test_all_of_a_run_again(yard: Yard) -> None:
    first = failed(yard, team="docs")
    answer = yard.post(f"/runs/{first}/reexecute")
    assert answer.status_code == 201
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/runs/{run['run_id']}"
    assert (run["status"], run["parent_run_id"], run["root_run_id"]) == ("QUEUED", first, first)
    assert run["tags"]["team"] == "docs"


def test_from_failure_and_chosen_steps(yard: Yard) -> None:
    first = failed(yard, "load")
    left = yard.post(f"/runs/{first}/reexecute", {"strategy": "from_failure"}).json()
    assert left["tags"]["dagster/is_resume_retry"] == "true"
    body = {"strategy": "selected", "steps": ["load*"], "run_config": {"x": 1}, "tags": {"n": 5}}
    chosen = yard.post(f"/runs/{first}/reexecute", body).json()
    assert chosen["tags"]["dagster/step_selection"] == "load,write"
    assert (chosen["run_config"], chosen["tags"]["n"]) == ({"x": 1}, "5")


def test_what_cannot_be_done_again_is_refused_with_what_would(yard: Yard) -> None:
    first, waiting = failed(yard), yard.add()
    told = problem(yard.post(f"/runs/{waiting}/reexecute"), 409, "wrong-state")
    assert "is QUEUED: it can be done again once it has ended" in told["detail"]
    told = problem(yard.post(f"/runs/{first}/reexecute", {"strategy": "selected", "steps": ["laod"]}), 404, "not-found")
    assert "Did you mean 'load'?" in told["detail"]
    for body in ({"strategy": "selected"}, {"steps": ["load"]}, {"strategy": "some"}, {"step": "load"}):
        assert yard.post(f"/runs/{first}/reexecute", body).status_code == 422
    yard.workspace.locations.clear()
    yard.stores.locations.remove("yard.py")
    told = problem(yard.post(f"/runs/{first}/reexecute"), 409, "wrong-state")
    assert "'report' of code location 'yard.py' is not there any more" in told["detail"]


def test_many_again(yard: Yard) -> None:
    first, second, waiting = failed(yard), failed(yard), yard.add()
    answer = yard.post("/runs/reexecute", {"run_ids": [first, waiting, second], "strategy": "from_failure"})
    assert answer.status_code == 201
    done = answer.json()
    assert [run["parent_run_id"] for run in done["runs"]] == [first, second]
    assert all(yard.get(f"/runs/{run['run_id']}")["status"] == "QUEUED" for run in done["runs"])
    (refused,) = done["refused"]
    assert refused["run_id"] == waiting
    assert "can be done again once it has ended" in refused["detail"]
    for body in ({}, {"run_ids": []}, {"run_ids": ["x"] * 1001}, {"run_ids": ["x"], "strategy": "selected"}):
        assert yard.post("/runs/reexecute", body).status_code == 422


def test_many_canceled(yard: Yard) -> None:
    over, waiting = failed(yard), [yard.add(team="docs"), yard.add()]
    running = yard.add()
    yard.stores.queue.start_directly(yard.add(enqueue=False), now=1)
    assert yard.post("/runs/cancel", {"tag": {"team": "docs"}}).json() == {"canceled": 1, "canceling": 0, "ended": 0}
    assert yard.status(waiting[1]) is RunStatus.QUEUED
    named = {"run_ids": [over, *waiting, running]}
    assert yard.post("/runs/cancel", named).json() == {"canceled": 2, "canceling": 0, "ended": 2}
    assert yard.post("/runs/cancel", {"all": True}).json() == {"canceled": 0, "canceling": 1, "ended": 0}
    assert yard.post("/runs/cancel", {"status": ["CANCELING"]}).json() == {"canceled": 0, "canceling": 0, "ended": 0}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"all": False},
        {"run_ids": []},
        {"run_ids": ["abcd"], "all": True},
        {"run_ids": ["abcd"], "job": "report"},
        {"run_ids": ["x"] * 1001},
        {"status": ["GONE"]},
        {"tag": {"team": 5}},
        {"every": True},
    ],
)
def test_nothing_is_canceled_by_a_slip(yard: Yard, body: dict[str, object]) -> None:
    run_id = yard.add()
    assert yard.post("/runs/cancel", body).status_code == 422
    assert yard.status(run_id) is RunStatus.QUEUED


def test_an_unknown_run_of_several_cancels_none(yard: Yard) -> None:
    run_id = yard.add()
    problem(yard.post("/runs/cancel", {"run_ids": [run_id, "feed" * 8]}), 404, "not-found")
    assert yard.status(run_id) is RunStatus.QUEUED


def test_a_server_that_only_shows_does_nothing(yard: Yard) -> None:
    first, waiting = failed(yard), yard.add()
    yard.serve(read_only=True)
    for path, body in (
        (f"/runs/{first}/reexecute", {}),
        ("/runs/reexecute", {"run_ids": [first]}),
        ("/runs/cancel", {"all": True}),
    ):
        assert yard.post(path, body).status_code == 403
    assert yard.status(waiting) is RunStatus.QUEUED
