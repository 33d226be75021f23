"""Adding, finding, filtering and deleting runs."""

from __future__ import annotations

import threading

import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import InvalidTag, NotStorable, RunNotFound, WrongState
from runyard.core.events import EventType
from runyard.core.ids import new_id
from runyard.core.pools import PoolNeeds
from runyard.core.run import RunStatus
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunAddition, RunsFilter

from .make import KEY, NOW, claimed, commit, enqueue, event_types, get, in_status, incompressible, log, new_run, started


def test_an_enqueued_run_is_stored_whole(stores: SqlStores) -> None:
    asked = new_run(
        priority=-3,
        tags={"team": "docs", "empty": "", "quote": "a'b\"c\\ü\u2028"},
        run_config={"ops": {"a": {"config": {"n": 1.5, "s": "\0", "l": [None, True]}}}},
        pools=PoolNeeds({"db": 2, "gpu": 1}, {"db": 2}),
        parent_run_id="p",
        root_run_id="r",
    )
    (run,) = stores.runs.add([asked], enqueue=True)
    assert get(stores, run.run_id) == run
    assert (run.status, run.priority, run.created_at, run.queued_at) == (RunStatus.QUEUED, -3, NOW, NOW)
    for field in ("tags", "run_config", "pools", "parent_run_id", "root_run_id"):
        assert getattr(run, field) == getattr(asked, field)
    assert event_types(stores, run.run_id) == ["RUN_ENQUEUED"]


def test_a_run_that_is_not_enqueued_waits_without_a_place(stores: SqlStores) -> None:
    (run,) = stores.runs.add([new_run()], enqueue=False)
    assert (run.status, run.queue_seq, run.lane) == (RunStatus.NOT_STARTED, None, None)
    assert get(stores, run.run_id) == run
    assert stores.queue.depth() == 0


def test_warnings_are_told_in_the_log(stores: SqlStores) -> None:
    run = enqueue(stores, warnings=("'high' is not a whole number.",))
    kinds = [(s.event.type, s.event.level, s.event.message) for s in stores.events.of_run(run.run_id)]
    assert kinds[1] == (EventType.ENGINE_EVENT, "WARNING", "'high' is not a whole number.")


def test_queue_seq_follows_the_order_given(stores: SqlStores) -> None:
    runs = stores.runs.add([new_run() for _ in range(50)], enqueue=True)
    later = enqueue(stores)
    places = [run.queue_seq for run in runs]
    assert all(place is not None for place in places)
    assert places == sorted(set(places))  # type: ignore[type-var]  # None is excluded above
    assert later.queue_seq is not None
    assert later.queue_seq > max(place for place in places if place is not None)


def test_an_idempotency_key_inserts_once(stores: SqlStores) -> None:
    first = stores.runs.add([new_run(), new_run()], enqueue=True, key=KEY)
    again = stores.runs.add([new_run(), new_run()], enqueue=True, key=KEY)
    assert [run.run_id for run in again] == [run.run_id for run in first]
    assert stores.queue.depth() == 2


def test_an_idempotency_key_inserts_once_among_threads(stores: SqlStores) -> None:
    answers: list[str] = []
    barrier = threading.Barrier(6)

    def ask() -> None:
        barrier.wait(10)
        (run,) = stores.runs.add([new_run()], enqueue=True, key=KEY)
        answers.append(run.run_id)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert stores.queue.depth() == 1


def test_a_nul_in_a_tag_is_refused_and_nothing_written(stores: SqlStores) -> None:
    with pytest.raises(InvalidTag, match="NUL"):
        stores.runs.add([new_run(), new_run(tags={"k": "a\0b"})], enqueue=True)
    assert stores.queue.depth() == 0


def test_what_an_index_of_postgresql_cannot_hold_is_refused(postgres_stores: SqlStores) -> None:
    with pytest.raises(NotStorable, match="too long"):
        enqueue(postgres_stores, tags={"k": incompressible(5000)})
    assert postgres_stores.queue.depth() == 0


def test_find_by_prefix(stores: SqlStores) -> None:
    for run_id in ("abc-1", "abc-2", "abc-3", "abd-1"):
        enqueue(stores, run_id=run_id)
    assert [run.run_id for run in stores.runs.find_by_prefix("abd")] == ["abd-1"]
    assert len(stores.runs.find_by_prefix("abc")) == 2
    assert stores.runs.find_by_prefix("ab_") == []
    assert stores.runs.find_by_prefix("x") == []


def test_pages_go_from_the_newest_to_the_oldest(stores: SqlStores) -> None:
    runs = [enqueue(stores).run_id for _ in range(5)]
    first = [run.run_id for run in stores.runs.list(RunsFilter(), limit=2)]
    second = [run.run_id for run in stores.runs.list(RunsFilter(), limit=2, after=first[-1])]
    third = [run.run_id for run in stores.runs.list(RunsFilter(), limit=2, after=second[-1])]
    assert first + second + third == runs[::-1]


def test_filters_restrict_together(stores: SqlStores) -> None:
    wanted = enqueue(stores, job_name="a", tags={"team": "docs", "k": "v"})
    enqueue(stores, job_name="a", tags={"team": "web", "k": "v"})
    enqueue(stores, job_name="b", tags={"team": "docs"})
    enqueue(stores, job_name="a", location_name="other", tags={"team": "docs"})
    active = claimed(stores, job_name="c")
    stores.runs.assign_host(active.run_id, attempt=1, host_id="h1", pid=12)

    def found(where: RunsFilter) -> int:
        count = stores.runs.count(where)
        assert len(stores.runs.list(where, limit=100)) == count
        return count

    assert found(RunsFilter()) == 5
    assert found(RunsFilter(job_name="a")) == 3
    assert found(RunsFilter(location_name="other")) == 1
    assert found(RunsFilter(tags={"team": "docs"})) == 3
    assert found(RunsFilter(tags={"team": "docs", "k": "v"})) == 1
    assert found(RunsFilter(tags={"team": "docs"}, location_name="loc", job_name="a")) == 1
    assert found(RunsFilter(statuses=(RunStatus.STARTING, RunStatus.SUCCESS))) == 1
    assert found(RunsFilter(host_id="h1")) == 1
    assert found(RunsFilter(run_ids=(wanted.run_id, "none"))) == 1


def test_count_by_status(stores: SqlStores) -> None:
    for status in RunStatus:
        in_status(stores, status)
    assert stores.runs.count_by_status() == dict.fromkeys(RunStatus, 1)


def test_assign_host_is_for_one_attempt(stores: SqlStores) -> None:
    won = claimed(stores)
    stores.runs.assign_host(won.run_id, attempt=2, host_id="late", pid=1)
    assert get(stores, won.run_id).host_id is None
    stores.runs.assign_host(won.run_id, attempt=1, host_id="h", pid=77)
    stores.runs.assign_host(won.run_id, attempt=1, host_id="adopter", pid=None)
    assert (get(stores, won.run_id).host_id, get(stores, won.run_id).pid) == ("adopter", 77)


def test_note(stores: SqlStores) -> None:
    run = enqueue(stores)
    stores.runs.note(log(run.run_id, None, "seen\0"))
    assert stores.events.of_run(run.run_id)[-1].event.message == "seen\0"
    with pytest.raises(RunNotFound):
        stores.runs.note(log(new_id(), None))


@pytest.mark.parametrize("status", list(RunStatus))
def test_only_what_is_over_or_never_began_is_deleted(stores: SqlStores, status: RunStatus) -> None:
    run_id = in_status(stores, status)
    if status in (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED, RunStatus.NOT_STARTED):
        assert stores.runs.delete(run_id)
        assert stores.runs.get(run_id) is None
        assert stores.events.of_run(run_id) == []
        assert not stores.runs.delete(run_id)
    else:
        with pytest.raises(WrongState, match=status.value):
            stores.runs.delete(run_id)
        assert get(stores, run_id).status is status


def test_tags_of_runs_are_looked_up_by_key_and_by_value(stores: SqlStores) -> None:
    enqueue(stores, tags={"team": "docs", "n": "1"})
    for number in range(2, 4):
        enqueue(stores, tags={"team": "web", "n": str(number)})
    assert [stores.runs.has_tag(*tag) for tag in (("team",), ("team", "docs"), ("team", "x"), ("teem",))] == [
        *(True, True, False, False)
    ]
    assert stores.runs.latest_tags(2) == {"team": {"web"}, "n": {"2", "3"}}
    assert stores.runs.latest_tags(99) == {"team": {"docs", "web"}, "n": {"1", "2", "3"}}


def test_deleting_takes_the_tags_and_leaves_the_run_keys(stores: SqlStores) -> None:
    run = new_run(tags={"k": "v"})
    commit(stores, [RunAddition(run=run, run_key="a")])
    stores.runs.cancel_waiting(run.run_id, message="m", now=NOW)
    assert stores.runs.delete(run.run_id)
    assert stores.runs.count(RunsFilter(tags={"k": "v"})) == 0
    outcome = commit(stores, [RunAddition(run=new_run(), run_key="a")])
    assert outcome.runs == ()
    assert outcome.tick.duplicate_run_keys == ("a",)


def test_times_are_those_of_the_clock(stores: SqlStores, clock: ManualClock) -> None:
    clock.advance(5)
    run = enqueue(stores)
    assert (run.created_at, run.queued_at) == (NOW + 5, NOW + 5)
    assert started(stores).attempt == 1
