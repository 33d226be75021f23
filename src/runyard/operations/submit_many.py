"""Ask for many runs at once, of one job or of several: all checked before the first is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ..core.errors import RunyardError, UserError
from ..core.location import JobInfo, LocationRecord
from ..core.policy_tags import TagsInForce
from ..core.request_key import request_key
from ..core.run import NewRun
from .cancel import enqueue_topics
from .reachable import Reachable, reach
from .submit import (
    EVERY_TAG,
    SubmitRequest,
    SubmitStores,
    check_config,
    check_fits,
    find_job,
    new_run,
)

#: Runs that one transaction inserts at most; between two, other writers have their turn.
BATCH = 1000


class RequestRefused(UserError):
    """One of many requests cannot be granted; none was. ``index`` counts from 0."""

    def __init__(self, index: int, error: UserError) -> None:
        self.index, self.error = index, error
        super().__init__(f"Run {index + 1}: {error}")


class EnqueuedInPart(UserError):
    """What went wrong after the first batches were written; ``run_ids`` are in the queue."""

    def __init__(self, run_ids: Sequence[str], wanted: int, error: RunyardError) -> None:
        self.run_ids, self.error = tuple(run_ids), error
        super().__init__(f"{len(run_ids)} of {wanted} runs are in the queue, the others are not: {error}")


def submit_many(
    stores: SubmitStores,
    locations: Reachable,
    requests: Sequence[SubmitRequest],
    *,
    in_force: TagsInForce = EVERY_TAG,
    idempotency_key: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Put a run for each request into the queue, ``BATCH`` a transaction, and return their ids in the same order.

    Run config is checked once for each job and different config. ``progress`` is called after each batch with how many
    runs are in. The same ``idempotency_key`` with the same requests again enqueues nothing that is in already.

    Raises:
        RequestRefused: the first request that cannot be granted; nothing was written.
        EnqueuedInPart: a later batch could not be written.
        KeyReused: the key was used for other requests.
        UserError: the first batch could not be, for example because of an overlap policy.
    """
    new = _checked(stores, locations, requests, in_force)
    key = request_key(idempotency_key, [request.asked for request in requests])
    run_ids: list[str] = []
    topics = enqueue_topics(stores.queue.rules())
    for start in range(0, len(new), BATCH):
        batch = new[start : start + BATCH]
        try:
            added = stores.runs.add(batch, enqueue=True, key=key and key.of_part(start // BATCH))
        except RunyardError as error:
            if not run_ids:
                raise
            raise EnqueuedInPart(run_ids, len(new), error) from error
        for topic in topics:
            stores.wakeups.poke(topic)
        run_ids += [run.run_id for run in added]
        progress(len(run_ids))
    return run_ids


def _checked(
    stores: SubmitStores, locations: Reachable, requests: Sequence[SubmitRequest], in_force: TagsInForce
) -> list[NewRun]:
    checks = _Checks(stores, locations, in_force)
    return [checks.numbered(index, request) for index, request in enumerate(requests)]


class _Checks:
    """What was looked up and found good already."""

    def __init__(self, stores: SubmitStores, locations: Reachable, in_force: TagsInForce) -> None:
        self._stores = stores
        self._locations = locations
        self._in_force = in_force
        self._rules = stores.queue.rules()
        self._jobs: dict[tuple[str, str | None], tuple[LocationRecord, JobInfo]] = {}
        self._good: set[tuple[str, str, bytes]] = set()

    def numbered(self, index: int, request: SubmitRequest) -> NewRun:
        """The run that is asked for. Raises RequestRefused when it cannot be."""
        try:
            return self._run(request)
        except UserError as error:
            raise RequestRefused(index, error) from error

    def _run(self, request: SubmitRequest) -> NewRun:
        named = (request.job_name, request.location_name)
        if named not in self._jobs:
            self._jobs[named] = find_job(self._stores.locations, *named, reachable=self._locations)
        run = new_run(request, *self._jobs[named], self._in_force)
        check_fits(self._rules, run)
        config = (run.location_name, run.job_name, msgspec.json.encode(run.run_config, order="deterministic"))
        if config not in self._good:
            check_config(reach(self._locations, run.location_name), run.job_name, run.run_config)
            self._good.add(config)
        return run
