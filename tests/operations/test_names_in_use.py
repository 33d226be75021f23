"""What limits and pauses may name, from published definitions and stored runs, and what is said of other names."""

from __future__ import annotations

from typing import Any

import pytest

from daemons.fakes import FakeLocation, FakeWorkspace
from runyard.core.errors import NotFound
from runyard.core.ids import new_id
from runyard.core.location import (
    JobInfo,
    LocationDefinitions,
    LocationRecord,
    LocationState,
    OpInfo,
    ScheduleInfo,
    SensorInfo,
)
from runyard.core.pools import PoolNeeds
from runyard.core.run import NewRun
from runyard.operations.queue.limits import in_force, limits_in_force, set_limit
from runyard.operations.queue.names_in_use import LATEST, idle, names_in_use
from runyard.operations.queue.pauses import pause, pauses, unmatched
from runyard.queue.rules import JOB, LOCATION, PoolRules, Rules, TagRule

from .yard import Yard

DEFINITIONS = LocationDefinitions(
    jobs=(
        JobInfo(
            name="etl",
            tags={"team": "docs"},
            ops=(OpInfo(key="load", op_name="load", pool="db", tags={"layer": "gold"}),),
            pools=PoolNeeds({"db": 1}, {"db": 1}),
        ),
    ),
    schedules=(ScheduleInfo(name="daily", cron_schedule=("@daily",), tags={"every": "day"}),),
    sensors=(SensorInfo(name="watch", tags={"source": "files"}),),
)


@pytest.fixture
def known(both: Yard) -> Yard:
    both.location = FakeLocation("yard", DEFINITIONS)
    both.workspace = FakeWorkspace(both.location)
    both.stores.locations.publish(both.location.record())
    return both


def store(yard: Yard, count: int = 1, **tags: str) -> None:
    new = [NewRun(run_id=new_id(), job_name="gone", location_name="yard", tags=tags) for _ in range(count)]
    yard.stores.runs.add(new, enqueue=True)


def unload(yard: Yard, name: str = "late") -> None:
    yard.stores.locations.publish(LocationRecord(name=name, state=LocationState.LOADING))


def test_names_are_those_of_definitions_and_of_runs(known: Yard) -> None:
    store(known, customer="acme", **{"dagster/parent_run_id": "x"})
    names = names_in_use(known.stores)
    assert names.jobs == {"yard": {"etl"}}
    assert (names.pools, names.op_tags, names.unloaded) == ({"db"}, {"layer"}, ())
    wanted = {"team": {"docs"}, "every": {"day"}, "source": {"files"}, "customer": {"acme"}}
    wanted |= {"dagster/schedule_name": {"daily"}, "dagster/sensor_name": {"watch"}, "dagster/code_location": {"yard"}}
    assert {key: names.tags[key] for key in wanted} == wanted


def test_a_tag_of_any_run_however_old_keeps_a_limit_from_being_idle(known: Yard) -> None:
    store(known, customer="acme")
    store(known, LATEST, other="x")
    assert "customer" not in names_in_use(known.stores).tags
    assert idle(known.stores, Rules(tag_rules=(TagRule("customer", 1), TagRule("customer", 1, "acme")))) == []
    (only,) = idle(known.stores, Rules(tag_rules=(TagRule("customer", 1, "acne"),)))
    assert "no definition and no run has customer=acne." in only.message


def test_limits_in_force_say_what_they_match_nothing_of(known: Yard) -> None:
    rules = Rules(tag_rules=(TagRule("teem", 1), TagRule("team", 2)), pools=PoolRules(limits={"dbb": 1, "db": 1}))
    known.stores.limits.configure(rules)
    notes = {limit.name: limit.note for limit in limits_in_force(known.stores)}
    assert notes == {
        "": None,
        "teem": "Limit teem counts no run: no definition and no run has the tag 'teem'. Did you mean 'team'?",
        "team": None,
        "db": None,
        "dbb": "Limit of pool dbb holds no step back: no op is in a pool 'dbb'. Did you mean 'db'?",
    }
    set_limit(known.stores, "pool", "nope", 1, by="ops", clock=known.clock)
    made = in_force(known.stores, "pool", "nope")
    assert (made.limit, made.note) == (1, "Pool nope holds no step back: no op is in a pool 'nope'.")
    assert in_force(known.stores, "pool", "db").note is None


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        (("tag", JOB, "ettl"), "No job named 'ettl'. Did you mean 'etl'?"),
        (("tag", LOCATION, "yart"), "No code location named 'yart'. Did you mean 'yard'?"),
        (("location", "yart"), "No code location named 'yart'. Did you mean 'yard'?"),
        (("pool", "dbb"), "No pool named 'dbb'. Did you mean 'db'?"),
    ],
)
def test_a_pause_of_what_is_not_there_is_refused_unless_code_that_has_not_loaded_may_have_it(
    known: Yard, subject: Any, says: str
) -> None:
    with pytest.raises(NotFound) as caught:
        pause(known.stores, *subject, by="ops", clock=known.clock)
    assert str(caught.value) == says
    assert pauses(known.stores, clock=known.clock) == []
    unload(known)
    if subject[-1] == "yart":
        return
    made = pause(known.stores, *subject, by="ops", clock=known.clock)
    told = unmatched(known.stores, made)
    assert told is not None
    assert told.startswith("It holds nothing back so far: no ")
    assert told.endswith("Code location late has not loaded and may.")


def test_a_job_that_only_runs_have_is_paused(known: Yard) -> None:
    store(known)
    pause(known.stores, "tag", JOB, "gone", by="ops", clock=known.clock)
    assert [each.value for each in pauses(known.stores, clock=known.clock)] == ["gone"]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("team", "docs", None),
        ("customer", "acme", None),
        ("teem", "docs", "no definition and no run has the tag 'teem'. Did you mean 'team'?"),
        ("team", "dogs", "no definition and no run has team=dogs. Did you mean 'team=docs'?"),
        ("layer", "gold", "'layer' is a tag of ops, and runs do not have it."),
        ("t", "1=x", "no definition and no run has the tag 't'. Did you mean 't\\=1=x'?"),
    ],
)
def test_a_pause_of_a_tag_is_made_and_says_that_nothing_has_it(
    known: Yard, key: str, value: str, says: str | None
) -> None:
    """The next run may come with it: a pause ahead of an incident is no mistake."""
    store(known, customer="acme", **{"t=1": "x"})
    made = pause(known.stores, "tag", key, value, by="ops", clock=known.clock)
    assert unmatched(known.stores, made) == (says and f"It holds nothing back so far: {says}")


def test_nothing_is_said_while_no_code_is_known(both: Yard) -> None:
    for record in both.stores.locations.all():
        both.stores.locations.remove(record.name)
    unload(both, "yard")
    made = pause(both.stores, "tag", "teem", "docs", by="ops", clock=both.clock)
    assert unmatched(both.stores, made) is None
    assert in_force(both.stores, "pool", "nope").note is None
