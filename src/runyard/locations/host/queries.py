"""Answers what user code asks its instance, from storage; a worker reads its own writes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ...core.errors import RunyardError
from ...core.events import BEGINNING, Event
from ...core.run import Run
from ...core.step import StepOrder, steps_done
from ...definitions.records import RunRecord, RunsFilter
from ...storage.protocols import Events, Runs
from ...storage.protocols import RunsFilter as StoredFilter
from ..messages import Answer, FromWorker, Query
from .committer import Committer
from .connection import Connection
from .loop import Loop
from .step_worker import Heard, Key, heard_of

log = logging.getLogger(__name__)

THREADS = 2
_PAGE = 500
#: Seconds until what storage could not tell is looked up again.
LOOK_AGAIN = 1.0


class Queries:
    """``answer`` returns at once; the answer follows what its worker has reported before."""

    def __init__(self, runs: Runs, events: Events, committer: Committer, loop: Loop) -> None:
        self._runs, self._events, self._committer, self._loop = runs, events, committer, loop
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="queries")

    def answer(self, connection: Connection[FromWorker], query: Query) -> None:
        # Through the committer's queue first, then off its thread: a slow question must hold up no commit.
        self._committer.after(lambda: self._pool.submit(self._answer, connection, query))

    def look_up(self, run: Key, order: StepOrder, then: Callable[[Heard], None]) -> None:
        """What storage has heard of a step process; ``then`` is called in the loop's thread, in an outage after it."""
        try:
            self._pool.submit(self._look_up, run, order, then)
        except RuntimeError:
            log.debug("the host ends: the next one looks it up")

    def _look_up(self, run: Key, order: StepOrder, then: Callable[[Heard], None]) -> None:
        run_id, attempt = run
        try:
            heard = heard_of(self._all_events(run_id), order, attempt)
        except RunyardError as error:
            log.warning("what became of step '%s' is looked up again: %s", order.step_key, error)
            self._loop.soon(lambda: self._loop.later(LOOK_AGAIN, lambda: self.look_up(run, order, then)))
        else:
            self._loop.soon(lambda: then(heard))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, connection: Connection[FromWorker], query: Query) -> None:
        try:
            answer = self._find(query)
        except RunyardError as error:
            answer = Answer(id=query.id, error=str(error))
        except Exception as error:
            log.exception("a question of user code failed")
            answer = Answer(id=query.id, error=f"{type(error).__name__}: {error}")
        connection.send(answer)

    def _find(self, query: Query) -> Answer:
        if query.method == "get":
            run = self._runs.get(query.run_id or "")
            return Answer(id=query.id, runs=() if run is None else (run,))
        wanted = query.filters or RunsFilter()
        if query.method == "steps":
            return Answer(id=query.id, steps=steps_done(self._all_events(query.run_id or "")))
        if query.method == "list":
            return Answer(id=query.id, runs=tuple(self._matching(wanted, query.cursor, query.limit)))
        return Answer(id=query.id, count=self._count(wanted))

    def _all_events(self, run_id: str) -> Iterator[Event]:
        after = BEGINNING
        while page := self._events.of_run(run_id, after=after, limit=_PAGE):
            yield from (stored.event for stored in page)
            after = page[-1].cursor

    def _count(self, wanted: RunsFilter) -> int:
        if _needs_a_look(wanted):
            return sum(1 for _ in self._matching(wanted, None, None))
        return self._runs.count(_stored(wanted))

    def _matching(self, wanted: RunsFilter, after: str | None, limit: int | None) -> Iterator[Run]:
        """Storage narrows down; what it has no column for is decided run by run."""
        found = 0
        while limit is None or found < limit:
            page = self._runs.list(_stored(wanted), limit=_PAGE, after=after)
            for run in page:
                if wanted.matches(RunRecord.of(run)):
                    yield run
                    found += 1
                    if found == limit:
                        return
            if len(page) < _PAGE:
                return
            after = page[-1].run_id


def _stored(wanted: RunsFilter) -> StoredFilter:
    return StoredFilter(
        run_ids=tuple(wanted.run_ids or ()),
        job_name=wanted.job_name,
        statuses=tuple(wanted.statuses or ()),
        tags={key: value for key, value in (wanted.tags or {}).items() if isinstance(value, str)},
    )


def _needs_a_look(wanted: RunsFilter) -> bool:
    times = (wanted.created_after, wanted.created_before, wanted.updated_after, wanted.updated_before)
    several = any(not isinstance(value, str) for value in (wanted.tags or {}).values())
    return several or any(time is not None for time in times)
