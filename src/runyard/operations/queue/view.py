"""The queue as people see it: order and reasons, computed on request by the code that decides.

What is looked at does not grow with the queue: a forecast of at most 1,000 starts over at most a few thousand rows, and
the rows shown. Reasons of the rows shown are exact; the order of starts is that of the rows that were looked at, which
are all lanes where these are few, and the first runs in order where they are many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.clock import Clock
from ...core.errors import UnknownCursor
from ...core.queue import QueueFilter
from ...core.run import Run, RunStatus
from ...queue.explanation.entries import Alternative, QueueEntry, QueueSummary
from ...queue.explanation.estimates import estimate_error, worth_noting
from ...queue.explanation.explain import explain
from ...queue.explanation.forecast import FORECAST, Forecast
from ...queue.explanation.overtaking import Overtaken, earliest, overtaken
from ...queue.explanation.sooner import Place, told, trials
from ...queue.explanation.starvation import who_starves_whom
from ...queue.explanation.state import QueueState
from ...storage.protocols import RunsFilter
from .ahead import QueueViewStores, look_ahead, queue_state
from .pages import page
from .true_lanes import with_true_lane

#: Of the runs launched since a queued one was enqueued, so many of the last are looked at.
OVERTAKERS = 200
#: So many of the first starts are looked at to say who starves whom.
STARVING_AMONG = 100


def entries(stores: QueueViewStores, *, clock: Clock, limit: int = 100, after: str | None = None) -> list[QueueEntry]:
    """Queued runs by forecast, then by position, held ones last, each with the reason that it waits.

    ``after`` is the run that the page before ended with; when it has left the queue meanwhile, this is the first page.

    Raises:
        UnknownCursor: there is no such run, or it was deleted since.
    """
    last = None if after is None else stores.runs.get(after)
    if after is not None and last is None:
        raise UnknownCursor(after, "no run has this id, or it was deleted since. Begin again without 'after'.")
    if last is not None and last.status is not RunStatus.QUEUED:
        last = None
    return _listed(stores, queue_state(stores, clock=clock), limit, last)


def entry(stores: QueueViewStores, run_id: str, *, clock: Clock) -> QueueEntry | None:
    """The entry of one queued run, whatever comes before it; None when it is not queued."""
    run = stores.runs.get(run_id)
    if run is None or run.status is not RunStatus.QUEUED:
        return None
    state = queue_state(stores, clock=clock)
    forecast = look_ahead(stores, state)
    return _explained(stores, forecast, state, [run])[0]


def sooner(stores: QueueViewStores, run_id: str, *, clock: Clock) -> list[Alternative]:
    """What would start a queued run sooner, after how things are; empty for runs beyond the forecast.

    Each is a forecast of its own under that one change: a higher priority, one place more, without the first holder.
    """
    run = stores.runs.get(run_id)
    if run is None or run.status is not RunStatus.QUEUED or run.held:
        return []
    state = queue_state(stores, clock=clock)
    forecast = look_ahead(stores, state)
    (now,) = _explained(stores, forecast, state, [run])
    before = Place.of(forecast, run_id)
    if before is None:
        return []
    found = [told(None, before, before, state.now)]
    for trial in trials(run, now, forecast, state):
        changed = look_ahead(stores, trial.state, moved=trial.head)
        found.append(told(trial, Place.of(changed, run_id), before, state.now))
    return found


def summary(stores: QueueViewStores, *, clock: Clock) -> QueueSummary:
    """The queue in numbers. Starvation is looked for among the first 100 starts."""
    state = queue_state(stores, clock=clock)
    listed = _listed(stores, state, STARVING_AMONG, None)
    oldest = stores.queue.oldest()
    return QueueSummary(
        depth=stores.queue.depth(),
        held=stores.queue.depth(QueueFilter(held=True)),
        oldest_wait=None if oldest is None else max(0.0, state.now - oldest),
        started_last_hour=stores.queue.count_launches(state.now - 3600),
        estimate_error=estimate_error(stores.queue.estimates()),
        starvation=who_starves_whom(listed, now=state.now),
        daemon_alive=state.daemon_alive,
    )


def note_estimates(stores: QueueViewStores, *, clock: Clock) -> int:
    """Keep when the runs of the forecast are expected to start, to be compared with what comes; returns how many.

    For the queue's leader, now and then: a run's first estimate stays, so that asking often does not improve them.
    """
    state = queue_state(stores, clock=clock)
    forecast = look_ahead(stores, state)
    forecast.reach(FORECAST)
    starts = [(start.head.run_id, start.at) for start in forecast.starts if start.at is not None]
    estimates = worth_noting(starts, now=state.now)
    if estimates:
        stores.queue.expect(estimates)
    return len(estimates)


def _listed(stores: QueueViewStores, state: QueueState, limit: int, last: Run | None) -> list[QueueEntry]:
    forecast = look_ahead(stores, state)
    rows = _rows(stores, page(stores.queue, forecast, limit=limit, last=last))
    return _explained(stores, forecast, state, rows)


def _explained(stores: QueueViewStores, forecast: Forecast, state: QueueState, rows: Sequence[Run]) -> list[QueueEntry]:
    if state.old_lanes:
        rows = [with_true_lane(run, state.rules) for run in rows]
    positions = stores.queue.positions([run for run in rows if not run.held])
    return explain(rows, forecast, state, positions=positions, overtaken=_overtaken(stores, rows, state.now))


def _overtaken(stores: QueueViewStores, rows: Sequence[Run], now: float) -> Mapping[str, Overtaken]:
    """One look for all of them: whoever overtook one of them was launched since the first of them was enqueued."""
    first = earliest(rows)
    if first is None:
        return {}
    launched = stores.queue.overtaken(first, limit=OVERTAKERS)
    return {run.run_id: overtaken(run, launched, now=now, limit=OVERTAKERS) for run in rows}


def _rows(stores: QueueViewStores, run_ids: Sequence[str]) -> list[Run]:
    """These runs in this order, without those that have left the queue meanwhile."""
    found = stores.runs.list(RunsFilter(run_ids=tuple(run_ids)), limit=len(run_ids)) if run_ids else ()
    by_id = {run.run_id: run for run in found if run.status is RunStatus.QUEUED}
    return [by_id[run_id] for run_id in run_ids if run_id in by_id]
