"""What-ifs over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.core.clock import ManualClock
from runyard.queue.rules import Rules
from runyard.web.routes import simulate

from .yard import Yard, problem

LOAD = [{"job": "a", "every": 1, "count": 10, "duration": 5}]


def test_a_load_under_other_limits(yard: Yard) -> None:
    yard.limit(Rules(max_concurrent_runs=1))
    body = {"load": LOAD, "limits": {"runs": {"max_concurrent_runs": 5}}}
    answer = yard.post("/queue/simulate", body)
    assert answer.status_code == 200, answer.text
    shape = answer.json()
    assert (shape["before"]["makespan"], shape["after"]["makespan"]) == (50, 14)
    assert shape["after"]["limits"][0] | {"full_seconds": None, "utilisation": None} == {
        "rule": "max_concurrent_runs",
        "kind": "runs",
        "limit": 5,
        "peak": 5,
        "full_seconds": None,
        "utilisation": None,
    }
    assert len(shape["after"]["series"]["queued"]) <= 200


def test_recorded_runs_without_other_limits(yard: Yard, clock: ManualClock) -> None:
    yard.add()
    yard.add()
    clock.advance(1)
    shape = yard.post("/queue/simulate", {"from": "10m ago"}).json()
    assert (shape["source"]["kind"], shape["source"]["runs"], shape["after"]) == ("history", 2, None)


def test_a_server_that_only_shows_answers_it_too(yard: Yard) -> None:
    yard.serve(read_only=True)
    assert yard.post("/queue/simulate", {"load": LOAD}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        ({}, "nothing-to-simulate", "No run was queued or active in the window"),
        ({"load": [{"job": "a", "count": 20_001, "duration": 1}]}, "too-much-to-simulate", "more than 20000 runs"),
        ({"load": [{"job": "a"}]}, "invalid-configuration", "load[0].duration: missing; it is required."),
        (
            {"limits": {"runs": {"fair_shares": {}}}},
            "invalid-configuration",
            "limits.runs.fair_shares: unknown key. Did you",
        ),
        ({"limits": {"runs": {"max_concurrent_runs": {"env": "HOME"}}}}, "invalid-configuration", "HOME is not set"),
        ({"load": LOAD, "from": "1h"}, "invalid-request", "exclude each other"),
        ({"from": "tomorrow"}, "invalid-time", "'tomorrow' is no time"),
        ({"form": "1h"}, "invalid-request", "form"),
    ],
)
def test_what_is_wrong_is_said(yard: Yard, body: dict[str, Any], kind: str, told: str) -> None:
    assert told in problem(yard.post("/queue/simulate", body), 422, kind)["detail"]


def test_one_at_a_time(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second question comes while the first is answered."""
    told = []

    def ask_again(*args: Any) -> Any:
        told.append(problem(yard.post("/queue/simulate", {"load": LOAD}), 429, "simulating-already")["detail"])
        return real(*args)

    real = simulate.what_if
    monkeypatch.setattr(simulate, "what_if", ask_again)
    assert yard.post("/queue/simulate", {"load": LOAD}).status_code == 200
    assert told == ["A what-if is being simulated already: ask again in a moment."]
    monkeypatch.undo()
    assert yard.post("/queue/simulate", {"load": LOAD}).status_code == 200
