"""What admission obeys: the file's rules, what people changed on top of them, pauses, and the audit of it all."""

from __future__ import annotations

import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.core.errors import InvalidLimit, InvalidPause, LeaseLost, NotFound, UserError
from runyard.core.events import BEGINNING
from runyard.core.lease import Fence
from runyard.core.queue import LimitChange
from runyard.queue.rules import JOB, FairShare, Pause, PauseScope, PoolRules, RateRule, Rules, TagRule
from runyard.storage.open import SqlStores
from runyard.storage.stored_rules import StoredRules

from .make import NOW, enqueue, get, lead, until_someone_waits

FILE = Rules(
    max_concurrent_runs=7,
    tag_rules=(
        TagRule("team", 5),
        TagRule("team", 2, per_unique_value=True),
        TagRule("team", 1, "docs"),
        TagRule(JOB, 3, "etl"),
    ),
    pools=PoolRules(default_limit=4, limits={"db": 2}),
)


def change(stores: SqlStores, kind: str, name: str = "", *, limit: int | None, by: str = "ops") -> Rules:
    made = LimitChange(kind=kind, name=name, limit=limit)  # type: ignore[arg-type]  # a kind as text
    return stores.limits.change(made, by=by, now=NOW)


def pause(stores: SqlStores, scope: PauseScope = "queue", name: str = "", value: str = "", **rest: object) -> Rules:
    fields = {"scope": scope, "name": name, "value": value, "by": "ops", "since": NOW} | rest
    return stores.limits.pause(msgspec.convert(fields, Pause))


def entries(stores: SqlStores) -> list[tuple[str, str, str, str]]:
    return [(one.action, one.subject, one.message, one.by) for one in stores.limits.audit(limit=99)]


def kinds(stores: SqlStores) -> list[str]:
    """The kinds of all changes so far, which are forgotten then."""
    found = stores.queue.changes(BEGINNING)
    if found:
        stores.queue.forget_changes(found[-1].cursor)
    return [one.kind for one in found]


def limits(rules: Rules) -> list[int]:
    return [rule.limit for rule in rules.tag_rules]


def test_changes_are_put_over_what_the_file_says(stores: SqlStores) -> None:
    stores.limits.configure(FILE)
    change(stores, "runs", limit=3)
    change(stores, "pool", "db", limit=9)
    change(stores, "pool", "new", limit=0)
    assert limits(change(stores, "tag", "team", limit=10)) == [10, 2, 1, 3]
    assert limits(change(stores, "tag", "team=*", limit=20)) == [10, 20, 1, 3]
    assert limits(change(stores, "tag", "team=docs", limit=30)) == [10, 20, 30, 3]
    rules = change(stores, "tag", f"{JOB}=etl", limit=0)
    assert limits(rules) == [10, 20, 30, 0]
    assert (rules.max_concurrent_runs, rules.pools.limits) == (3, {"db": 9, "new": 0})
    assert rules == stores.queue.rules()
    assert stores.limits.configured() == FILE
    assert len(stores.limits.changed()) == 7


def test_a_change_outlives_the_file_and_is_taken_back(stores: SqlStores) -> None:
    stores.limits.configure(FILE)
    change(stores, "runs", limit=3)
    change(stores, "pool", "db", limit=9)
    grown = msgspec.structs.replace(FILE, max_concurrent_runs=50, pools=PoolRules(default_limit=1))
    assert stores.limits.configure(grown).max_concurrent_runs == 3
    assert change(stores, "runs", limit=None).max_concurrent_runs == 50
    assert change(stores, "pool", "db", limit=None).pools.limit_of("db") == 1
    assert stores.limits.changed() == []
    assert [(message, by) for _, _, message, by in entries(stores)] == [
        ("What the instance file says again: 1 (was 9).", "ops"),
        ("What the instance file says again: 50 (was 3).", "ops"),
        ("9 (was 2).", "ops"),
        ("3 (was 7).", "ops"),
    ]


def test_every_change_that_says_something_new_is_told_once(stores: SqlStores) -> None:
    version = stores.limits.configure(FILE).version
    kinds(stores)
    for kind, name, limit in (("runs", "", -1), ("pool", "db", 5), ("tag", "team", 0)):
        assert change(stores, kind, name, limit=limit).version == version + 1
        version += 1
        assert change(stores, kind, name, limit=limit).version == version
        assert kinds(stores) == ["rules"]
    assert change(stores, "pool", "other", limit=None).version == version, "nothing to take back"
    assert stores.limits.configure(FILE).version == version
    assert (kinds(stores), len(entries(stores))) == ([], 3)


def test_a_limit_that_is_the_files_already_stays_when_the_file_changes(stores: SqlStores) -> None:
    version = stores.limits.configure(FILE).version
    assert change(stores, "runs", limit=7).version == version, "admission need not be told"
    assert len(entries(stores)) == 1
    assert stores.limits.configure(Rules(max_concurrent_runs=9)).max_concurrent_runs == 7


@pytest.mark.parametrize(
    ("kind", "name", "limit"),
    [("pool", "db", -1), ("pool", "db", 1001), ("runs", "", -2), ("tag", "team", -1)],
)
def test_limits_out_of_bounds_are_refused(stores: SqlStores, kind: str, name: str, limit: int) -> None:
    stores.limits.configure(FILE)
    with pytest.raises(InvalidLimit, match=f"cannot be {limit}: say a number from"):
        change(stores, kind, name, limit=limit)
    assert (entries(stores), stores.limits.changed()) == ([], [])


def test_a_tag_rule_that_is_not_there_is_not_found(stores: SqlStores) -> None:
    stores.limits.configure(FILE)
    with pytest.raises(NotFound, match=r"No tag rule named 'teams'\. Did you mean 'team'\?"):
        change(stores, "tag", "teams", limit=1)
    with pytest.raises(NotFound, match="No tag rule named 'team=web'"):
        change(stores, "tag", "team=web", limit=None)
    with pytest.raises(NotFound, match="pool"):
        change(stores, "pool", limit=1)


def test_a_change_whose_rule_left_the_file_rests_and_can_be_taken_back(stores: SqlStores) -> None:
    stores.limits.configure(FILE)
    change(stores, "tag", "team=docs", limit=9)
    assert limits(stores.limits.configure(Rules())) == []
    assert stores.limits.changed() == []
    assert limits(stores.limits.configure(FILE)) == [5, 2, 9, 3]
    stores.limits.configure(Rules())
    change(stores, "tag", "team=docs", limit=None)
    assert limits(stores.limits.configure(FILE)) == [5, 2, 1, 3]


def test_tracked_keys_only_grow_and_only_a_new_one_relanes(stores: SqlStores) -> None:
    run = enqueue(stores, tags={"team": "docs", "env": "test", "user": "7"})
    fence = lead(stores)

    def relaned() -> int:
        return stores.queue.relane(fence=fence, rules=stores.queue.rules())

    stores.limits.configure(Rules(tag_rules=(TagRule("team", 1),)))
    assert relaned() == 1
    pause(stores, "tag", "env", "test")
    assert relaned() == 1
    assert stores.queue.rules().tracked_keys == ("env", "team")
    lane = get(stores, run.run_id).lane
    for act in (
        lambda: stores.limits.resume("tag", "env", "test", by="ops", now=NOW),
        lambda: stores.limits.configure(Rules()),
        lambda: pause(stores, "tag", "team", "web"),
        lambda: stores.limits.configure(Rules(rates=(RateRule(key="env", limit=1, seconds=9),))),
    ):
        act()
        assert stores.queue.rules().tracked_keys == ("env", "team")
        assert relaned() == 0
    assert get(stores, run.run_id).lane == lane
    assert stores.queue.rules().also_tracked == ()
    stores.limits.configure(Rules(fair_share=FairShare(key="user")))
    assert stores.queue.rules().also_tracked == ("env",)
    assert relaned() == 1


def test_a_pause_is_durable_and_resumed_by_a_person(stores: SqlStores) -> None:
    version = stores.limits.configure(FILE).version
    kinds(stores)
    rules = pause(stores, reason="release", until=NOW + 60)
    assert rules.version == version + 1
    (found,) = stores.queue.rules().pauses
    assert (found.scope, found.by, found.reason, found.until) == ("queue", "ops", "release", NOW + 60)
    assert stores.limits.configure(Rules()).pauses == (found,), "the file says nothing about pauses"
    assert stores.limits.resume("queue", by="dev", now=NOW + 99) == found
    assert stores.limits.resume("queue", by="dev", now=NOW + 99) is None
    assert stores.queue.rules().pauses == ()
    assert kinds(stores) == ["rules"] * 3
    assert entries(stores) == [
        ("resume", "queue", "Resumed; ops had paused it (release).", "dev"),
        ("pause", "queue", "Paused until 2023-11-14T22:14:20+00:00 (release).", "ops"),
    ]


def test_a_pause_of_the_same_subject_takes_its_place(stores: SqlStores) -> None:
    pause(stores, "location", "yard")
    pause(stores, "pool", "db")
    version = pause(stores, "location", "yard", drain=True, by="dev").version
    assert pause(stores, "location", "yard", drain=True, by="dev").version == version
    assert [(one.subject[:2], one.by) for one in stores.queue.rules().pauses] == [
        (("pool", "db"), "ops"),
        (("location", "yard"), "dev"),
    ]
    assert entries(stores)[0] == ("drain", "location yard", "Draining: nothing new is launched.", "dev")
    assert len(entries(stores)) == 3


@pytest.mark.parametrize(
    ("scope", "name", "value"),
    [
        ("queue", "x", ""),
        ("queue", "", "x"),
        ("tag", "team", ""),
        ("tag", "", "docs"),
        ("pool", "", ""),
        ("pool", "db", "x"),
        ("location", "", ""),
    ],
)
def test_a_pause_names_what_its_scope_needs(stores: SqlStores, scope: PauseScope, name: str, value: str) -> None:
    with pytest.raises(InvalidPause):
        pause(stores, scope, name, value)
    assert stores.queue.rules().pauses == ()


def test_a_pause_that_is_over_before_it_begins_is_refused(stores: SqlStores) -> None:
    with pytest.raises(InvalidPause, match="later time"):
        pause(stores, until=NOW)


def test_lapsed_pauses_are_lifted_by_the_leader(stores: SqlStores) -> None:
    fence = lead(stores)
    pause(stores, until=NOW + 10, reason="backup")
    pause(stores, "pool", "db", until=NOW + 20)
    pause(stores, "pool", "web")
    version = stores.queue.rules().version
    assert stores.limits.lift_lapsed(now=NOW + 9, fence=fence) == 0
    assert stores.queue.rules().version == version
    assert stores.limits.lift_lapsed(now=NOW + 20, fence=fence) == 2
    assert [one.name for one in stores.queue.rules().pauses] == ["web"]
    assert stores.queue.rules().version == version + 1
    assert entries(stores)[:2] == [
        ("resume", "pool db", "The pause by ops is over.", "runyard"),
        ("resume", "queue", "The pause by ops (backup) is over.", "runyard"),
    ]
    with pytest.raises(LeaseLost):
        stores.limits.lift_lapsed(now=NOW + 99, fence=Fence("queue", fence.term - 1))


def test_the_audit_is_read_backwards_in_pages(stores: SqlStores) -> None:
    for number in range(5):
        stores.limits.note(action="cancel", subject=f"{number}\0", message="5 runs.", by="o\0ps", now=NOW + number)
    first = stores.limits.audit(limit=2)
    assert [one.subject for one in first] == ["4\0", "3\0"]
    assert (first[0].at, first[0].by, first[0].message) == (NOW + 4, "o\0ps", "5 runs.")
    rest = stores.limits.audit(limit=9, before=first[-1].entry_id)
    assert [one.subject for one in rest] == ["2\0", "1\0", "0\0"]


def test_nothing_is_audited_of_what_was_refused(stores: SqlStores) -> None:
    with pytest.raises(UserError):
        change(stores, "tag", "nothing", limit=3)
    assert entries(stores) == []


def test_changes_by_two_people_at_once_both_stay(stores: SqlStores) -> None:
    stores.limits.configure(FILE)
    version = stores.queue.rules().version
    barrier = threading.Barrier(8)

    def act(number: int) -> None:
        barrier.wait(10)
        change(stores, "pool", f"p{number}", limit=number)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    rules = stores.queue.rules()
    assert rules.pools.limits == {"db": 2} | {f"p{number}": number for number in range(8)}
    assert rules.version == version + 8
    assert len(entries(stores)) == 8


def test_new_rules_wait_for_lanes_that_are_being_computed(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    thread = threading.Thread(target=lambda: pause(stores, "tag", "team", "docs"))
    with stores.database.write() as connection:
        connection.exec_driver_sql("SELECT version FROM rules FOR SHARE")
        thread.start()
        until_someone_waits(stores)
        assert stores.queue.rules().pauses == ()
    thread.join(20)
    assert len(stores.queue.rules().pauses) == 1


NAMES = st.sampled_from(["db", "web"])
STEPS = st.one_of(
    st.tuples(st.just("file"), st.integers(-1, 3), st.dictionaries(NAMES, st.integers(0, 3))),
    st.tuples(st.just("runs"), st.none() | st.integers(-1, 3), st.just("")),
    st.tuples(st.just("pool"), st.none() | st.integers(0, 3), NAMES),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(STEPS, max_size=12))
def test_any_order_of_changes_gives_the_files_limits_with_the_last_change_of_each(
    sqlite_stores: SqlStores, steps: list[tuple[str, int | None, object]]
) -> None:
    stores = sqlite_stores
    for made in stores.limits.changed():
        change(stores, made.kind, made.name, limit=None)
    stores.limits.configure(Rules())
    file, runs, pools = Rules(), None, dict[str, int]()
    for kind, limit, what in steps:
        before = stores.queue.rules()
        if kind == "file":
            file = msgspec.convert({"max_concurrent_runs": limit, "pools": {"limits": what}}, Rules)
            stores.limits.configure(file)
        else:
            change(stores, kind, str(what), limit=limit)
            if kind == "runs":
                runs = limit
            else:
                pools = {name: old for name, old in pools.items() if name != what}
                pools |= {} if limit is None else {str(what): limit}
        rules = stores.queue.rules()
        assert rules.max_concurrent_runs == (file.max_concurrent_runs if runs is None else runs)
        assert rules.pools.limits == file.pools.limits | pools
        same = msgspec.structs.replace(rules, version=before.version) == before
        assert rules.version == before.version + (0 if same else 1)


def test_new_rules_come_in_between_enqueuers_that_leave_no_gap(postgres_stores: SqlStores) -> None:
    """Runs are enqueued under rules locked for share: without a turn of its own a change would wait for the last."""
    database, stored = postgres_stores.database, StoredRules()
    ends, second_may_end, changed = threading.Event(), threading.Event(), threading.Event()

    def enqueuer(over: threading.Event) -> None:
        with database.write() as connection:
            stored.lock(connection)
            locked.release()
            over.wait(30)

    def changer() -> None:
        change(postgres_stores, "runs", limit=3)
        changed.set()

    locked = threading.Semaphore(0)
    first = threading.Thread(target=enqueuer, args=(ends,))
    first.start()
    locked.acquire()
    change_thread = threading.Thread(target=changer)
    change_thread.start()
    until_someone_waits(postgres_stores)
    second = threading.Thread(target=enqueuer, args=(second_may_end,))
    second.start()
    until_two_wait_or(postgres_stores, locked)
    ends.set()
    came_first = changed.wait(4)
    second_may_end.set()
    for thread in (first, change_thread, second):
        thread.join()
    assert came_first


def until_two_wait_or(stores: SqlStores, locked: threading.Semaphore) -> None:
    """Return once the second enqueuer either waits behind the change or has passed it."""
    for _ in range(100_000):
        with stores.database.read() as connection:
            waiting = connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one()
        if waiting > 1 or locked.acquire(blocking=False):
            return
    raise AssertionError("the second enqueuer did neither")
