from __future__ import annotations

from typing import Any

from runyard.queue.rules import JOB, LOCATION
from runyard.queue.simulation.arrivals import Arrival
from runyard.queue.simulation.waits import MOST_STARVING, MOST_VALUES, quantile, starving, waits


def _run(run_id: str, **fields: Any) -> Arrival:
    return Arrival(**{"run_id": run_id, "job_name": "load", "location_name": "here", "at": 10, "seconds": 1} | fields)


RUNS = [
    _run("a", tags={"team": "docs"}),
    _run("b", priority=5),
    _run("c", job_name="other", tags={"team": "web"}),
    _run("d", tags={"team": "docs"}),
    _run("refused"),
    _run("canceled"),
    _run("there", launched_at=5),
]
LAUNCHED = {"a": 10.0, "b": 14.0, "c": 30.0, "canceled": 11.0}


def test_waits_are_told_apart_by_priority_job_and_key() -> None:
    found = {
        (row.by, row.value): (row.runs, row.never_started, row.median, row.p95, row.max)
        for row in waits(RUNS, LAUNCHED, ("refused", "canceled"), keys=["team", JOB, LOCATION])
    }
    assert found == {
        ("all", None): (4, 1, 1, 20, 20),
        ("priority", "5"): (1, 0, 4, 4, 4),
        ("priority", "0"): (3, 1, 1, 20, 20),
        ("job", "load"): (3, 1, 1, 4, 4),
        ("job", "other"): (1, 0, 20, 20, 20),
        ("location", "here"): (4, 1, 1, 20, 20),
        ("team", "docs"): (1, 1, 0, 0, 0),
        ("team", "web"): (1, 0, 20, 20, 20),
    }
    assert list(found)[:4] == [("all", None), ("priority", "5"), ("priority", "0"), ("job", "load")]


def test_who_never_starts_starves_first_then_who_waited_longest() -> None:
    found = starving(RUNS, LAUNCHED, ("refused", "canceled"), end=50)
    assert [(one.arrival.run_id, one.waited, one.times_median, one.started) for one in found] == [
        ("d", 40, 40, False),
        ("c", 20, 20, True),
        ("b", 4, 4, True),
        ("canceled", 1, 1, True),
    ]


def test_only_so_many_values_and_runs_are_named() -> None:
    runs = [_run(str(n), at=0, tags={"customer": f"c{n % 50:02}"}) for n in range(120)]
    found = waits(runs, {run.run_id: 1.0 for run in runs}, (), keys=["customer"])
    customers = [row for row in found if row.by == "customer"]
    assert len(customers) == MOST_VALUES
    assert [row.value for row in customers[:2]] == ["c00", "c01"]
    assert len(starving(runs, {}, (), end=9)) == MOST_STARVING


def test_no_wait_and_no_median() -> None:
    assert starving([_run("a")], {"a": 10.0}, (), end=50) == []
    assert starving([_run("a")], {}, (), end=50)[0].times_median is None
    assert quantile([], 0.5) is None
    assert [quantile([1, 2, 3, 4], share) for share in (0.25, 0.5, 0.51, 0.95, 1)] == [1, 2, 3, 4, 4]
