"""Every pair of statuses: what the table allows happens with its event, what it does not leaves the run alone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.core.errors import ForbiddenTransition
from runyard.core.policies import RunPolicies
from runyard.core.run import FINISHED, Run, RunStatus
from runyard.core.transitions import TRANSITIONS, sources_of
from runyard.storage.open import SqlStores
from runyard.storage.run_status import change_status

from .make import BOOM, NOW, event_types, get, in_status, report, started, steer

S = RunStatus
LATER = NOW + 60


def _launch_values(target: RunStatus) -> dict[str, object]:
    if target is S.STARTING:
        return {"launch_token": "t", "launch_seq": 1, "lane": "l", "launched_at": LATER, "attempt": 9}
    if target is S.QUEUED:
        return {"queue_seq": 1, "lane": "l", "queued_at": LATER}
    return {}


def _move(stores: SqlStores, run_id: str, source: RunStatus, target: RunStatus) -> Run | None:
    with stores.database.write() as connection:
        return change_status(
            stores.database,
            connection,
            run_id,
            target,
            expected=(source,),
            now=LATER,
            message="moved",
            failure=BOOM if target is S.FAILURE else None,
            values=_launch_values(target),
        )


@pytest.mark.parametrize("source", list(S))
def test_the_table_and_nothing_else(stores: SqlStores, source: RunStatus) -> None:
    allowed = {t.target: t.event for t in TRANSITIONS if t.source is source}
    for target in S:
        run_id = in_status(stores, source)
        before, events = get(stores, run_id), event_types(stores, run_id)
        if target in allowed:
            changed = _move(stores, run_id, source, target)
            assert changed == get(stores, run_id)
            assert changed.status is target
            assert event_types(stores, run_id) == [*events, allowed[target].value]
            assert (changed.ended_at == LATER) == (target in FINISHED)
        else:
            with pytest.raises(ForbiddenTransition, match=f"from {source.value} to {target.value}"):
                _move(stores, run_id, source, target)
            assert get(stores, run_id) == before


@pytest.mark.parametrize("source", sorted(FINISHED))
def test_finished_runs_never_change_again(stores: SqlStores, source: RunStatus) -> None:
    run_id = in_status(stores, source)
    before, events = get(stores, run_id), event_types(stores, run_id)
    attempt = before.attempt
    verbs: list[Callable[[], Run | None]] = [
        lambda: stores.runs.cancel_waiting(run_id, message="m", now=LATER),
        lambda: stores.runs.cancel_active(run_id, message="m", now=LATER),
        lambda: stores.runs.fail(run_id, attempt=attempt, expected=sources_of(S.FAILURE), failure=BOOM, now=LATER),
        lambda: stores.runs.end_canceling(run_id, attempt=attempt, message="m", now=LATER),
        lambda: stores.runs.lose_worker(run_id, attempt=attempt, failure=BOOM, now=LATER),
        lambda: stores.runs.requeue(run_id, attempt=attempt, reason="m", now=LATER),
        lambda: steer(stores, run_id, "priority", priority=3),
        lambda: steer(stores, run_id, "hold"),
        lambda: steer(stores, run_id, "release"),
    ]
    assert [verb() for verb in verbs] == [None] * len(verbs)
    assert stores.queue.start_directly(run_id, now=LATER) is None
    assert get(stores, run_id) == before
    assert event_types(stores, run_id) == events


def test_the_verbs_move_what_they_are_for(stores: SqlStores) -> None:
    for source in (S.NOT_STARTED, S.QUEUED):
        run = stores.runs.cancel_waiting(in_status(stores, source), message="not needed", now=LATER)
        assert run is not None
        assert (run.status, run.ended_at) == (S.CANCELED, LATER)
    for source in (S.STARTING, S.STARTED):
        run = stores.runs.cancel_active(in_status(stores, source), message="stop", now=LATER)
        assert run is not None
        assert (run.status, run.canceling_at, run.ended_at) == (S.CANCELING, LATER, None)
    run = stores.runs.end_canceling(in_status(stores, S.CANCELING), attempt=1, message="dead", now=LATER)
    assert run is not None
    assert run.status is S.CANCELED


def test_a_run_that_has_moved_on_is_left_to_itself(stores: SqlStores) -> None:
    run_id = in_status(stores, S.STARTED)
    assert stores.runs.cancel_waiting(run_id, message="m", now=LATER) is None
    assert stores.runs.fail(run_id, attempt=2, expected=(S.STARTED,), failure=BOOM, now=LATER) is None
    assert stores.runs.fail(run_id, attempt=1, expected=(S.STARTING,), failure=BOOM, now=LATER) is None
    assert stores.runs.requeue(run_id, attempt=1, reason="m", now=LATER) is None
    assert get(stores, run_id).status is S.STARTED
    failed = stores.runs.fail(run_id, attempt=1, expected=(S.STARTING, S.STARTED), failure=BOOM, now=LATER)
    assert failed is not None
    assert failed.failure == BOOM
    assert stores.events.of_run(run_id)[-1].event.data == {
        "failure": {"error_class": "ValueError", "message": "boom", "step_key": None}
    }


def test_a_held_run_can_be_canceled_and_failed(stores: SqlStores) -> None:
    for end in (S.CANCELED, S.FAILURE):
        run_id = in_status(stores, S.QUEUED)
        steer(stores, run_id, "hold", by="me", reason="r")
        moved = _move(stores, run_id, S.QUEUED, end)
        assert moved is not None
        assert not moved.held


class _Verbs:
    """The verbs that anybody may call at any time, by name."""

    def __init__(self, stores: SqlStores) -> None:
        self.stores = stores
        stores.policies.configure(RunPolicies(max_resumes=2))
        self.first = self.won = started(stores)

    def call(self, name: str) -> None:
        runs, run_id, attempt = self.stores.runs, self.won.run_id, self.won.attempt
        if name == "cancel":
            runs.cancel_active(run_id, message="m", now=NOW)
        elif name == "max runtime":
            runs.cancel_active(run_id, message="m", now=NOW, failure=BOOM)
        elif name == "lose":
            runs.lose_worker(run_id, attempt=attempt, failure=BOOM, now=NOW)
        elif name == "fail":
            runs.fail(run_id, attempt=attempt, expected=(S.STARTED, S.CANCELING), failure=BOOM, now=NOW)
        elif name == "end_canceling":
            runs.end_canceling(run_id, attempt=attempt, message="m", now=NOW)
        elif name == "begin":
            runs.report([report(self.won, begin=True)])
        elif name == "late":
            runs.report([report(self.first, begin=True, seqs=(1,)), report(self.first, end=S.SUCCESS)])
        else:
            runs.report([report(self.won, end=S(name))])
        run = get(self.stores, run_id)
        self.won = msgspec.structs.replace(self.won, attempt=run.attempt, token=run.launch_token or "")


_ALLOWED = {(t.source, t.target) for t in TRANSITIONS}
_NAMES = ["cancel", "max runtime", "lose", "fail", "end_canceling", "begin", "late", "SUCCESS", "FAILURE", "CANCELED"]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=st.lists(st.sampled_from(_NAMES), max_size=8))
def test_any_order_of_verbs_follows_the_table(stores: SqlStores, names: list[str]) -> None:
    verbs = _Verbs(stores)
    before = get(stores, verbs.won.run_id)
    for name in names:
        verbs.call(name)
        run = get(stores, verbs.won.run_id)
        assert run.status is before.status or (before.status, run.status) in _ALLOWED
        assert run.resumes == run.attempt - 1 <= 2
        assert run.resumes - before.resumes == ((before.status, run.status) == (S.STARTED, S.STARTING))
        assert (run.launch_seq, run.started_at) == (before.launch_seq, before.started_at)
        assert run.stop_failure is None or run.status is S.CANCELING
        before = run
    told = [kind for kind in event_types(stores, verbs.won.run_id) if kind.startswith("RUN_")]
    assert told.count("RUN_STARTING") == before.attempt
    assert before.attempt - told.count("RUN_START") in (0, 1)
    assert sum(told.count(kind) for kind in ("RUN_SUCCESS", "RUN_FAILURE", "RUN_CANCELED")) == (
        before.status in FINISHED
    )
