"""Who starves whom, line by line."""

from __future__ import annotations

from in_memory import NOW, active, explained, queued

from runyard.core.queue import ActiveRun
from runyard.core.run import Run
from runyard.queue.explanation.entries import Starvation
from runyard.queue.explanation.overtaking import Overtaken
from runyard.queue.explanation.starvation import who_starves_whom
from runyard.queue.explanation.state import QueueState
from runyard.queue.rules import Rules, TagRule

ARCHIVE = {"team": "archive"}
TWO = Rules(tag_rules=(TagRule("team", 2, "archive"),))


def lines(
    holding: list[ActiveRun], runs: list[Run], overtaken: dict[str, Overtaken] | None = None
) -> tuple[Starvation, ...]:
    state = QueueState(now=NOW, rules=TWO, active=tuple(holding))
    return who_starves_whom(explained(runs, state, overtaken=overtaken or {}), now=NOW)


def holder(run_id: str, since: float, job: str = "reprocess") -> ActiveRun:
    return active(run_id, TWO, ARCHIVE, since=NOW - since, job_name=job)


def waiting(seq: int, seconds: float, job: str = "reprocess") -> Run:
    return queued(seq, ARCHIVE, job_name=job, queued_at=NOW - seconds)


def test_a_limit_that_the_same_runs_keep_full_for_long() -> None:
    (line,) = lines([holder("x", 9000), holder("y", 7200)], [waiting(1, 600), waiting(2, 500)])
    assert line.message == (
        "reprocess has held both slots of team=archive for 2 h; 2 runs of its own wait, reprocess for 10 min"
    )
    assert (line.kind, line.rule, line.since) == ("held_long", "team=archive", NOW - 7200)
    assert (line.starves, line.by) == (("queued-1", "queued-2"), ("x", "y"))


def test_several_jobs_and_one_that_waits() -> None:
    (line,) = lines([holder("x", 900), holder("y", 720, "other")], [waiting(1, 600, "third")])
    assert line.message == ("2 runs have held both slots of team=archive for 12 min; third has waited 10 min for it")


def test_neither_short_holding_nor_short_waiting_is_told() -> None:
    assert lines([holder("x", 9000), holder("y", 299)], [waiting(1, 600)]) == ()
    assert lines([holder("x", 9000), holder("y", 900)], [waiting(1, 299)]) == ()


def test_those_overtaken_most_often_come_first() -> None:
    overtaken = {
        "queued-1": Overtaken(total=6, by_priority=6, since=NOW - 90, examples=("a",), starving=True),
        "queued-2": Overtaken(total=9, by_limit=9, starving=True),
        "queued-3": Overtaken(total=4),
    }
    runs = [queued(1, priority=-1), queued(2), queued(3)]
    found = lines([], runs, overtaken)
    assert [line.message for line in found] == [
        "job was overtaken by 9 runs, while something held it back and not them",
        "job was overtaken by 6 runs, for its priority -1",
    ]
    assert (found[1].kind, found[1].since, found[1].starves, found[1].by) == (
        "overtaken",
        NOW - 90,
        ("queued-1",),
        ("a",),
    )
