"""Ask for a run: the one way in for the command line, HTTP and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from ..core import tags as tagging
from ..core.bounds import NAME, check_run, check_text
from ..core.clock import Clock
from ..core.errors import InvalidRunConfig, LocationUnavailable, NotFound, UserError
from ..core.ids import new_id
from ..core.jsonable import unstorable
from ..core.location import JobInfo, LocationRecord
from ..core.policy_tags import TagsInForce, check_policy_tags, steering_from_code
from ..core.request_key import request_key
from ..core.run import NewRun, Run
from ..core.tag_owners import TagSetter, check_settable
from ..core.text import quoted
from ..locations.api import Location
from ..queue.never import check_admissible
from ..queue.rules import Rules
from ..storage.protocols import Locations, Queue, Runs, Wakeups
from .cancel import enqueue_topics
from .launch import launch_now
from .reachable import Reachable, check_loaded, reach

VALIDATE_SECONDS = 60.0
EVERY_TAG = TagsInForce()


class SubmitStores(Protocol):
    """What submitting needs of storage."""

    runs: Runs
    queue: Queue
    locations: Locations
    wakeups: Wakeups


class SubmitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a person or program asks for. Tags may hold any value with a JSON form."""

    job_name: str
    location_name: str | None = None
    run_config: Mapping[str, Any] = {}
    tags: Mapping[str, Any] = {}
    run_id: str | None = None
    #: The same key again gives the run of the first time.
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        check_text("The name of a job", self.job_name, NAME)
        check_text("The name of a code location", self.location_name, NAME)

    @property
    def asked(self) -> tuple[Any, ...]:
        """What makes it the same request when it comes again."""
        return (self.job_name, self.location_name, self.run_config, self.tags)


def submit(
    stores: SubmitStores,
    locations: Reachable,
    request: SubmitRequest,
    *,
    clock: Clock,
    queued: bool = True,
    in_force: TagsInForce = EVERY_TAG,
) -> Run:
    """Check the request whole, then insert the run: QUEUED, or handed to a worker at once when not ``queued``.

    ``in_force``: of tags for what the instance file leaves off, the run's log tells.

    Raises:
        NotFound: no such job or location.
        InvalidTag: a tag's value, or one that steers the run (priority, slots, run time, retries) and means nothing.
        InvalidRunConfig: the job does not take this run config.
        LocationUnavailable: its code location cannot check the config now.
        NeverAdmissible: it takes more slots than a limit in force has.
        OverlapRefused: the overlap policy of its job refuses it now.
        KeyReused: its idempotency key was used for another request.
    """
    record, job = find_job(stores.locations, request.job_name, request.location_name, reachable=locations)
    new = new_run(request, record, job, in_force)
    key = request_key(request.idempotency_key, [request.asked])
    rules = stores.queue.rules()
    if queued:
        check_fits(rules, new)
    location = reach(locations, record.name)
    check_config(location, new.job_name, new.run_config)
    run = stores.runs.add([new], enqueue=queued, key=key)[0]
    if not queued:
        return launch_now(stores, location, run, clock=clock)
    for topic in enqueue_topics(rules):
        stores.wakeups.poke(topic)
    return run


def find_job(
    locations: Locations, job_name: str, location_name: str | None, *, reachable: Reachable
) -> tuple[LocationRecord, JobInfo]:
    """The location and job that a person names; the location may be left out where the job's name is unique.

    Raises:
        StillLoading: a location that may have it is loading.
        NotFound: no such job or location.
        LocationUnavailable: the named location has no definitions.
        UserError: several locations have a job of that name.
    """
    records = [record for record in _known(locations, reachable) if location_name in (None, record.name)]
    found = [(record, job) for record in records for job in _jobs(record) if job.name == job_name]
    if not found:
        check_loaded(reachable, location_name)
    if len(found) > 1:
        names = ", ".join(sorted(record.name for record, _ in found))
        raise UserError(f"Several locations have a job {quoted(job_name)}: {names}. Name the location.")
    if not found and location_name is not None and not records:
        raise NotFound("code location", location_name, [record.name for record in locations.all()])
    if not found:
        _explain_absence(records, job_name)
    return found[0]


def check_fits(rules: Rules, run: NewRun) -> None:
    """Raises NeverAdmissible for a run that takes more slots than a limit has."""
    check_admissible(
        rules,
        location_name=run.location_name,
        job_name=run.job_name,
        tags=run.tags,
        pools=run.pools,
        weight=tagging.slots_or_one(run.tags)[0],
    )


def check_config(location: Location, job_name: str, run_config: Mapping[str, Any]) -> None:
    """Raises InvalidRunConfig with every problem that the job sees in ``run_config``."""
    issues = location.validate(job_name, run_config, timeout=VALIDATE_SECONDS)
    if issues:
        raise InvalidRunConfig(job_name, list(issues))


def _known(locations: Locations, reachable: Reachable) -> list[LocationRecord]:
    """What storage knows, and of this process's own locations what it knows itself: it is published a moment later."""
    stored = {record.name: record for record in locations.all()}
    return list((stored | {location.name: location.record() for location in reachable.all()}).values())


def _jobs(record: LocationRecord) -> tuple[JobInfo, ...]:
    return record.definitions.jobs if record.definitions else ()


def _explain_absence(records: list[LocationRecord], job_name: str) -> None:
    if len(records) == 1 and records[0].definitions is None:
        error = records[0].error
        reason = f"it does not load: {error.class_name}: {error.message}" if error else "it is loading"
        raise LocationUnavailable(records[0].name, reason)
    raise NotFound("job", job_name, [job.name for record in records for job in _jobs(record)])


def check_storable(run: NewRun) -> None:
    """Refuse what a database would not give back as it was, before anything is written."""
    check_run(run)
    fault = unstorable(run.run_config)
    if fault:
        raise InvalidRunConfig(run.job_name, [fault])


def by_hand(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags that a person or program sets on a run, as they are stored.

    Raises:
        InvalidTag: a key that is not theirs to set, or a value that means nothing.
    """
    found = tagging.normalise(tags)
    check_settable(TagSetter.PERSON, found)
    tagging.parse_priority(found)
    tagging.parse_slots(found)
    check_policy_tags(found)
    return found


def new_run(request: SubmitRequest, record: LocationRecord, job: JobInfo, in_force: TagsInForce) -> NewRun:
    """The run that a request means, all but its config checked.

    Raises:
        InvalidTag: of the tags by hand. Those of the job that mean nothing are warnings of the run.
        InvalidRunConfig: the config holds what no storage takes.
        TooLarge: a name, the tags or the config are larger than Runyard keeps.
    """
    tags = {**job.tags, **by_hand(request.tags), tagging.CODE_LOCATION: record.name}
    priority, warnings = steering_from_code(tags, in_force)
    run = NewRun(
        run_id=request.run_id or new_id(),
        job_name=job.name,
        location_name=record.name,
        priority=priority,
        tags=tags,
        run_config=dict(request.run_config),
        pools=job.pools,
        warnings=warnings,
    )
    check_storable(run)
    return run
