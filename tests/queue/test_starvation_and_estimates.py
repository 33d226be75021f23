"""Who overtook whom, and how far off estimates were."""

from __future__ import annotations

import msgspec
import pytest

from runyard.core.queue import Estimate
from runyard.core.run import Run, RunStatus
from runyard.queue.explanation.estimates import EstimateError, estimate_error, usual_durations, worth_noting
from runyard.queue.explanation.overtaking import Overtaken, earliest, is_starving, overtaken, overtaken_message

NOW = 10_000.0


def run(seq: int, priority: int = 0, *, queued: float = NOW - 600, launched: float | None = None, job="job") -> Run:
    return Run(
        run_id=f"run-{seq}",
        job_name=job,
        location_name="here",
        status=RunStatus.QUEUED if launched is None else RunStatus.STARTED,
        priority=priority,
        queue_seq=seq,
        created_at=queued,
        queued_at=queued,
        launched_at=launched,
        ended_at=None,
    )


def test_only_what_came_later_and_was_launched_while_it_waited_overtook() -> None:
    waiting = run(5, -1)
    launched = [
        run(9, launched=NOW - 10),
        run(8, -1, launched=NOW - 20),
        run(4, launched=NOW - 30),
        run(7, launched=NOW - 601),
    ]
    assert overtaken(waiting, launched, now=NOW, limit=100) == Overtaken(
        total=2, by_priority=1, by_limit=1, since=NOW - 20, examples=("run-9", "run-8")
    )


def test_starving_is_overtaken_often_and_waiting_long() -> None:
    many = [run(seq, launched=NOW - seq) for seq in range(10, 16)]
    found = overtaken(run(1, -1), many, now=NOW, limit=6)
    assert (found.starving, found.at_least) == (True, True)
    assert overtaken_message("warm", -1, found) == "warm was overtaken by at least 6 runs, for its priority -1"
    assert not overtaken(run(1, -1, queued=NOW - 299), many, now=NOW, limit=100).starving
    assert not overtaken(run(1), many[:4], now=NOW, limit=100).starving
    assert is_starving(5, 300.0)


def test_the_message_splits_by_cause() -> None:
    limited = Overtaken(total=1, by_limit=1)
    assert overtaken_message("a", 0, limited) == "a was overtaken by 1 run, while something held it back and not them"
    both = Overtaken(total=3, by_limit=1, by_priority=2)
    assert overtaken_message("a", 0, both) == (
        "a was overtaken by 3 runs, 2 of them for its priority 0, 1 while it was held back"
    )


def test_earliest() -> None:
    assert earliest([]) is None
    assert earliest([run(2, queued=5.0), run(1, queued=9.0)]) == msgspec.structs.replace(
        run(2, queued=5.0), queue_seq=1
    )


def test_the_error_is_the_median_early_or_late_alike() -> None:
    estimates = [
        Estimate("a", 0.0, 100.0, 110.0),
        Estimate("b", 0.0, 100.0, 60.0),
        Estimate("c", 0.0, 100.0, 80.0),
        Estimate("d", 0.0, 100.0),
    ]
    found = estimate_error(estimates)
    assert found == EstimateError(seconds=20.0, share=0.25, samples=3)
    assert found.message == "usually off by 20 s (last 3 estimates)"
    assert estimate_error([Estimate("d", 0.0, 100.0)]) is None


def test_a_start_at_the_moment_of_the_estimate_has_no_share() -> None:
    assert estimate_error([Estimate("a", 5.0, 6.0, 5.0)]) == EstimateError(seconds=1.0, share=0.0, samples=1)


def test_durations_are_medians_of_the_newest() -> None:
    def success(job: str, seconds: float) -> Run:
        fields = run(1, launched=0.0, job=job)
        return Run(**{name: getattr(fields, name) for name in fields.__struct_fields__} | {"ended_at": seconds})

    newest_first = [success("a", seconds) for seconds in [1.0, 2.0, 90.0]] + [success("b", 7.0)] * 25
    newest_first.append(success("b", 1e9))
    assert usual_durations([*newest_first, run(3)]) == {"a": 2.0, "b": pytest.approx(7.0)}


def test_only_a_guess_is_noted() -> None:
    assert worth_noting([("a", NOW), ("b", NOW + 60)], now=NOW) == [Estimate("b", NOW, NOW + 60)]
