"""Limits as people see them: use, holders, who waits, and where each comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ...core.clock import Clock
from ...core.queue import QueueHead
from ...queue.explanation.decision import Decision
from ...queue.explanation.entries import LimitUse
from ...queue.explanation.forecast import FORECAST
from ...queue.explanation.limits_in_use import Waiting, changes_by_subject, limits_in_use
from ...queue.explanation.state import QueueState, admission_of, open_locations
from ...queue.limit_changes import subject_of
from ...storage.protocols import RunsFilter
from .ahead import QueueViewStores, look_ahead, queue_state, source_of

#: Besides the forecast's starts, so many runs from the front of the queue are looked at to count who waits at what.
LOOKED_AT = 1000
#: Of what people did, so much is looked through for who set a limit.
_AUDIT = 500


def limits(stores: QueueViewStores, *, clock: Clock) -> list[LimitUse]:
    """Every limit. Who waits at it is counted over the first 1,000 starts and the first 1,000 runs in order."""
    state = queue_state(stores, clock=clock)
    forecast = look_ahead(stores, state)
    forecast.reach(FORECAST)
    starts = [start.head for start in forecast.starts]
    first = source_of(stores, state).in_order(None, limit=LOOKED_AT + 1)
    looked_at = {head.run_id: head for head in (*starts, *first)}
    waiting = _waiting(stores, state, starts[: forecast.immediate], looked_at)
    lanes = {head.lane for head in looked_at.values()}
    admission = admission_of(state)
    open_locations(admission, state, state.locations)
    subjects = [subject_of(change) for change in stores.limits.changed()]
    return limits_in_use(
        admission,
        state,
        lanes,
        waiting,
        waiting_is_all=len(first) <= LOOKED_AT,
        changes=changes_by_subject(stores.limits.audit(limit=_AUDIT), subjects) if subjects else {},
    )


def _waiting(
    stores: QueueViewStores, state: QueueState, launched: list[QueueHead], looked_at: Mapping[str, QueueHead]
) -> dict[str, Waiting]:
    """By group, who waits at it. ``launched``: runs that wait for nothing."""
    obstacles = Decision(state, launched).obstacles(looked_at.values())
    heads: defaultdict[str, list[QueueHead]] = defaultdict(list)
    for run_id, obstacle in obstacles.items():
        heads[obstacle.group.id].append(looked_at[run_id])
    oldest = {group: min(members, key=lambda head: head.seq).run_id for group, members in heads.items()}
    runs = stores.runs.list(RunsFilter(run_ids=tuple(oldest.values())), limit=len(oldest)) if oldest else ()
    queued_at = {run.run_id: run.queued_at for run in runs}
    return {group: Waiting(len(members), queued_at.get(oldest[group])) for group, members in heads.items()}
