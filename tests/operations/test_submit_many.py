"""Many runs asked for at once: all are checked before the first is written."""

from __future__ import annotations

import threading

import pytest

from runyard.core.errors import InvalidRunConfig, InvalidTag, KeyReused, NotFound, OverlapRefused
from runyard.core.run import RunStatus
from runyard.operations import submit_many as module
from runyard.operations.submit import SubmitRequest
from runyard.operations.submit_many import EnqueuedInPart, RequestRefused, submit_many
from runyard.queue.rules import OverlapRule, Rules
from runyard.storage.protocols import RunsFilter

from .yard import Yard


def ask(yard: Yard, requests: list[SubmitRequest], **more) -> list[str]:
    return submit_many(yard.stores, yard.workspace, requests, **more)


def requests(number: int, **fields) -> list[SubmitRequest]:
    return [SubmitRequest(job_name="job", tags={"n": n}, **fields) for n in range(number)]


def count(yard: Yard) -> int:
    return yard.stores.runs.count(RunsFilter())


def test_runs_stand_in_the_queue_in_the_order_asked_for(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    reached: list[int] = []
    run_ids = ask(both, requests(7), progress=reached.append)
    assert reached == [3, 6, 7]
    queued = both.stores.queue.queued(limit=10)
    assert [run.run_id for run in queued] == run_ids
    assert [run.tags["n"] for run in queued] == [str(n) for n in range(7)]


def test_config_is_checked_once_for_each_job_and_config(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[tuple[str, object]] = []
    validate = yard.location.validate

    def noting(job_name, run_config, *, timeout):
        checked.append((job_name, dict(run_config)))
        return validate(job_name, run_config, timeout=timeout)

    monkeypatch.setattr(yard.location, "validate", noting)
    asked = [
        SubmitRequest(job_name=job, run_config=config)
        for _ in range(3)
        for job, config in (("job", {"a": 1, "b": 2}), ("job", {"b": 2, "a": 1}), ("job", {}), ("other", {}))
    ]
    assert len(ask(yard, asked)) == 12
    assert checked == [("job", {"a": 1, "b": 2}), ("job", {}), ("other", {})]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (SubmitRequest(job_name="jop"), NotFound),
        (SubmitRequest(job_name="job", tags={"dagster/priority": "x"}), InvalidTag),
        (SubmitRequest(job_name="job", run_config={"x": "\0"}), InvalidRunConfig),
    ],
)
def test_a_bad_request_is_named_and_nothing_is_written(yard: Yard, bad: SubmitRequest, error: type) -> None:
    with pytest.raises(RequestRefused, match=r"^Run 4: ") as caught:
        ask(yard, [*requests(3), bad, *requests(2)])
    assert caught.value.index == 3
    assert isinstance(caught.value.error, error)
    assert count(yard) == 0


def test_the_same_key_enqueues_nothing_twice(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    first = ask(both, requests(5), idempotency_key="k")
    assert ask(both, requests(5), idempotency_key="k") == first
    assert count(both) == 5
    with pytest.raises(KeyReused, match="was used for another request"):
        ask(both, [SubmitRequest(job_name="other")], idempotency_key="k")


def test_a_repetition_goes_on_where_the_first_was_cut_short(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)

    class CutShort(Exception):
        pass

    def cut(done: int) -> None:
        if done == 4:
            raise CutShort

    with pytest.raises(CutShort):
        ask(both, requests(6), idempotency_key="k", progress=cut)
    assert count(both) == 4
    assert len(set(ask(both, requests(6), idempotency_key="k"))) == 6
    assert count(both) == 6


def test_an_overlap_policy_that_refuses_a_later_batch_says_how_many_are_in(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    yard.stores.limits.configure(Rules(overlaps=(OverlapRule(job="job", max_queued=4),)))
    with pytest.raises(EnqueuedInPart, match="4 of 6 runs are in the queue") as caught:
        ask(yard, requests(6))
    assert isinstance(caught.value.error, OverlapRefused)
    assert len(caught.value.run_ids) == count(yard) == 4
    with pytest.raises(OverlapRefused):
        ask(yard, requests(1))


def test_others_write_between_two_batches(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is a transaction of its own: a writer that comes in between waits for one batch at most."""
    monkeypatch.setattr(module, "BATCH", 10)
    seen: list[int] = []

    def other(done: int) -> None:
        thread = threading.Thread(target=lambda: seen.append(both.submit("other").queue_seq))
        thread.start()
        thread.join(10)
        assert len(seen) == done // 10

    ask(both, requests(30), progress=other)
    assert [run.job_name for run in both.stores.queue.queued(limit=100)].count("other") == 3
    assert seen[0] < seen[1] < seen[2]
    places = [run.job_name for run in both.stores.queue.queued(limit=100)]
    assert places[10] == places[21] == places[32] == "other"
    assert both.stores.runs.count_by_status()[RunStatus.QUEUED] == 33
