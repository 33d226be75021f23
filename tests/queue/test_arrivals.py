from __future__ import annotations

from statistics import median
from typing import Any

from runyard.core.pools import PoolNeeds
from runyard.core.queue import PastRun
from runyard.queue.simulation.arrivals import UNKNOWN, LoadEntry, of_history, of_load, size_of


def _past(run_id: str, queued_at: float, **fields: Any) -> PastRun:
    known = {"job_name": "load", "location_name": "here", "priority": 0, "tags": {}, "pools": PoolNeeds(), "seq": 0}
    return PastRun(**{"run_id": run_id, "queued_at": queued_at, "launched_at": None, "ended_at": None} | known | fields)


def test_a_load_comes_by_time() -> None:
    entries = [
        LoadEntry(job="a", every=10, count=3, median=5, priority=2, tags={"team": "docs"}, slots=2, pools={"db": 1}),
        LoadEntry(job="b", location="etl", at=15, median=7),
        LoadEntry(job="a", at=1, count=2, median=1),
    ]
    assert size_of(entries) == 6
    found = of_load(entries, seed=0)
    assert [(run.run_id, run.at, run.seconds) for run in found] == [
        ("a-1", 0, 5),
        ("a-4", 1, 1),
        ("a-5", 1, 1),
        ("a-2", 10, 5),
        ("b-1", 15, 7),
        ("a-3", 20, 5),
    ]
    first = found[0]
    assert (first.priority, first.tags) == (2, {"team": "docs", "runyard/slots": "2"})
    assert first.pools == PoolNeeds({"db": 1}, {"db": 1})
    assert (found[4].location_name, found[4].tags) == ("etl", {})


def test_spread_durations_are_seeded_and_lie_where_they_should() -> None:
    entries = [LoadEntry(job="a", count=2000, median=60, spread=2)]
    seconds = [run.seconds for run in of_load(entries, seed=7)]
    assert seconds == [run.seconds for run in of_load(entries, seed=7)]
    assert seconds != [run.seconds for run in of_load(entries, seed=8)]
    assert 55 < median(seconds) < 65
    assert 0.63 < sum(30 <= value <= 120 for value in seconds) / len(seconds) < 0.73


def test_history_lasts_as_it_did_and_the_rest_as_others_of_its_job() -> None:
    past = [
        _past("later", 30, launched_at=40, ended_at=100),
        _past("early", 5, launched_at=6, ended_at=26),
        _past("canceled", 31, ended_at=32),
        _past("waits", 33),
        _past("runs", 34, launched_at=35),
        _past("other", 36, job_name="other", launched_at=36),
        _past("at once", 30, seq=-1, launched_at=41, ended_at=51, job_name="quick"),
    ]
    found = of_history(past, since=10, now=80)
    assert (found.left_out, found.assumed) == (1, 3)
    assert [(run.run_id, run.at, run.seconds, run.launched_at) for run in found.arrivals] == [
        ("early", 5, 20, 6),
        ("at once", 30, 10, None),
        ("later", 30, 60, None),
        ("waits", 33, 40, None),
        # It has run for 45 s, longer than the median of its job.
        ("runs", 34, 45, None),
        # Nothing is known of its job: the median of all is 20, and it has run for 44 s.
        ("other", 36, 44, None),
    ]


def test_without_any_duration_a_minute_is_assumed() -> None:
    assert of_history([_past("waits", 1)], since=0, now=2).arrivals[0].seconds == UNKNOWN
