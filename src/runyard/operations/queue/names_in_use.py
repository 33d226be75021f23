"""What limits and pauses may name: jobs, pools and tags of loaded locations and of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol

from ...core import tags as tagging
from ...core.location import LocationDefinitions
from ...core.tag_owners import WRITTEN
from ...queue.idle_limits import IdleLimit, NamesInUse, TagAsked, idle_limits, tags_asked
from ...queue.rules import Rules
from ...storage.protocols import Locations, Queue, Runs

#: The newest runs whose tags are known without a look at one in particular: for what is nearest.
LATEST = 500


class NameStores(Protocol):
    runs: Runs
    queue: Queue
    locations: Locations


def idle(stores: NameStores, rules: Rules | None = None) -> list[IdleLimit]:
    """Limits that match nothing that is known, of the rules in force or of ``rules``."""
    rules = stores.queue.rules() if rules is None else rules
    return idle_limits(rules, names_in_use(stores, tags_asked(rules)))


def names_in_use(stores: NameStores, asked: Iterable[TagAsked] = ()) -> NamesInUse:
    """Names of definitions, and tags of runs: all of the ``LATEST``, and those ``asked`` for of every run."""
    records = stores.locations.all()
    loaded = {record.name: record.definitions for record in records if record.definitions is not None}
    jobs = [job for definitions in loaded.values() for job in definitions.jobs]
    return NamesInUse(
        jobs={name: frozenset(job.name for job in definitions.jobs) for name, definitions in loaded.items()},
        unloaded=tuple(record.name for record in records if record.definitions is None),
        pools=frozenset(pool for job in jobs for pool in job.pools.all),
        tags=_tags(stores.runs, loaded, asked),
        op_tags=frozenset(key for job in jobs for op in job.ops for key in op.tags),
    )


def _tags(runs: Runs, loaded: dict[str, LocationDefinitions], asked: Iterable[TagAsked]) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    # Runyard writes these on runs without a definition that says so.
    for key in WRITTEN:
        found[key].update(_written(key, loaded))
    for definitions in loaded.values():
        for tags in _tags_of(definitions):
            for key, value in tags.items():
                found[key].add(value)
    for key, values in runs.latest_tags(LATEST).items():
        found[key].update(values)
    for key, one in asked:
        if key not in found and runs.has_tag(key):
            found[key] = set()
        if one is not None and one not in found.get(key, ()) and runs.has_tag(key, one):
            found[key].add(one)
    return {key: frozenset(values) for key, values in found.items()}


def _tags_of(definitions: LocationDefinitions) -> Iterator[dict[str, str]]:
    """The tags that runs get of each definition."""
    yield from (job.tags for job in definitions.jobs)
    yield from (schedule.tags for schedule in definitions.schedules)
    yield from (sensor.tags for sensor in definitions.sensors)


def _written(key: str, loaded: dict[str, LocationDefinitions]) -> Iterable[str]:
    if key == tagging.CODE_LOCATION:
        return loaded
    if key == tagging.SCHEDULE_NAME:
        return (schedule.name for definitions in loaded.values() for schedule in definitions.schedules)
    if key == tagging.SENSOR_NAME:
        return (sensor.name for definitions in loaded.values() for sensor in definitions.sensors)
    return ()
