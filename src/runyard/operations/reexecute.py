"""Do a run's work again as a new run: all of it, what is left of it, or steps that a person chooses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, NamedTuple, Protocol

import msgspec

from ..core import tags as tagging
from ..core.clock import Clock
from ..core.errors import NotFound, StillLoading, UserError, WrongState
from ..core.events import BEGINNING, StoredEvent
from ..core.ids import new_id
from ..core.location import JobInfo
from ..core.policy_tags import TagsInForce, bad_policy_tags, idle_policy_tags
from ..core.pools import PoolNeeds
from ..core.run import FINISHED, NewRun, Run, RunStatus
from ..core.step import steps_done
from ..core.step_selection import needs_of, select, with_missing
from ..core.text import listing
from ..storage.protocols import Events
from .cancel import enqueue_topics
from .find_run import find_run
from .launch import launch_now
from .reachable import Reachable, reach
from .submit import EVERY_TAG, SubmitStores, by_hand, check_config, check_fits, check_storable, find_job

#: Events that are read at a time.
_PAGE = 1000
#: Runs that one transaction inserts at most.
BATCH = 1000


class Strategy(str, Enum):
    """Which steps the new run does."""

    ALL = "all"
    #: Those that have not succeeded in the run before, whose outputs are taken over.
    FROM_FAILURE = "from_failure"
    SELECTED = "selected"


class ReexecuteStores(SubmitStores, Protocol):
    events: Events


class JobGone(WrongState):
    """The job of a run that is to be done again is not defined any more."""

    def __init__(self, run: Run, error: NotFound) -> None:
        what = f"job '{run.job_name}' of code location '{run.location_name}'"
        super().__init__(f"Run {run.run_id[:8]} cannot be done again: its {what} is not there any more. {error}")


class NothingLeft(WrongState):
    """Every step of the run has succeeded."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.run_id[:8]} has no step left to do: all succeeded. Re-execute all of it instead.")


class Reexecution(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for.

    Parameters:
        run_id: id or prefix of the run before.
        steps: with ``SELECTED``, keys; ``key*`` with all after it, ``*key`` with all that it needs.
        run_config: in place of that of the run before; None keeps it.
        tags: beside those of the run before, whose values they replace.
    """

    run_id: str
    strategy: Strategy = Strategy.ALL
    steps: tuple[str, ...] = ()
    run_config: Mapping[str, Any] | None = None
    tags: Mapping[str, Any] = {}


class Refused(NamedTuple):
    """A run of many that is not done again, and why."""

    run_id: str
    error: UserError


class Reexecuted(NamedTuple):
    """The new runs, and the runs for which there is none."""

    runs: list[Run]
    refused: list[Refused]


class Reexecutor:
    """Makes runs that do others' work again, and starts them: through the queue, or at once when not ``queued``."""

    def __init__(
        self,
        stores: ReexecuteStores,
        locations: Reachable,
        *,
        clock: Clock,
        queued: bool = True,
        in_force: TagsInForce = EVERY_TAG,
    ) -> None:
        self._stores = stores
        self._locations = locations
        self._clock = clock
        self._queued = queued
        self._in_force = in_force
        self._rules = stores.queue.rules()

    def one(self, asked: Reexecution) -> Run:
        """The new run.

        Raises:
            RunNotFound: no such run.
            WrongState: it has not ended; from failure: it succeeded or has nothing left. JobGone, NothingLeft.
            NotFound, EmptySelection: a step that the job does not have, or no step at all.
            InvalidTag, InvalidRunConfig: of what is given anew.
            LocationUnavailable: the location is needed, for new run config or because there is no queue, and away.
            NeverAdmissible, OverlapRefused: the queue refuses it.
        """
        return self._add([self._new(asked)])[0]

    def many(
        self, run_ids: Sequence[str], strategy: Strategy, *, progress: Callable[[int], None] = lambda _: None
    ) -> Reexecuted:
        """One new run for each, in the same order, a batch a transaction; what cannot be done again is left out.

        ``progress`` is called after each batch with how many runs have been dealt with.
        """
        done = Reexecuted([], [])
        wanted = list(dict.fromkeys(run_ids))
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            before = {run.parent_run_id for run in done.runs}
            made = [each for run_id in batch if (each := self._or_refused(run_id, strategy, done)) is not None]
            # A run may be named by its id and by its first characters.
            new = {each.parent_run_id: each for each in made if each.parent_run_id not in before}
            self._add_batch(list(new.values()), done)
            progress(start + len(batch))
        return done

    def _or_refused(self, run_id: str, strategy: Strategy, done: Reexecuted) -> NewRun | None:
        try:
            return self._new(Reexecution(run_id=run_id, strategy=strategy))
        except UserError as error:
            if isinstance(error, StillLoading) and not done.runs:
                # Nothing was done yet: the caller may wait and ask for all of it again.
                raise
            done.refused.append(Refused(run_id, error))
            return None

    def _add_batch(self, new: Sequence[NewRun], done: Reexecuted) -> None:
        if self._queued:
            # One that is refused, such as by an overlap policy, keeps out all; alone, the others get in.
            with suppress(UserError):
                done.runs.extend(self._add(new))
                return
        for each in new:
            self._add_alone(each, done)

    def _add_alone(self, new: NewRun, done: Reexecuted) -> None:
        try:
            done.runs.extend(self._add([new]))
        except UserError as error:
            done.refused.append(Refused(new.parent_run_id or new.run_id, error))

    def _add(self, new: Sequence[NewRun]) -> list[Run]:
        runs = self._stores.runs.add(new, enqueue=self._queued) if new else []
        if not self._queued:
            return [self._launch(run) for run in runs]
        for topic in enqueue_topics(self._rules) if runs else ():
            self._stores.wakeups.poke(topic)
        return runs

    def _launch(self, run: Run) -> Run:
        return launch_now(self._stores, reach(self._locations, run.location_name), run, clock=self._clock)

    def _new(self, asked: Reexecution) -> NewRun:
        parent = find_run(self._stores.runs, asked.run_id)
        _check_state(parent, asked.strategy)
        run = self._run(asked, parent, self._work(asked, parent))
        check_storable(run)
        if self._queued:
            check_fits(self._rules, run)
        else:
            reach(self._locations, run.location_name)
        if asked.run_config is not None:
            check_config(reach(self._locations, run.location_name), run.job_name, run.run_config)
        return run

    def _work(self, asked: Reexecution, parent: Run) -> _Work:
        """A run that did only some steps is done again with those: it never had the others."""
        try:
            _, job = find_job(self._stores.locations, parent.job_name, parent.location_name, reachable=self._locations)
        except NotFound as error:
            raise JobGone(parent, error) from None
        own = tagging.parse_selection(parent.tags)
        steps = asked.steps if asked.strategy is Strategy.SELECTED else own
        if asked.strategy is Strategy.ALL and steps is None:
            return _Work({}, job.pools)
        chosen = tuple(op.key for op in job.ops) if steps is None else select(job.ops, steps)
        done = steps_done(stored.event for stored in self._events(parent.run_id))
        if asked.strategy is Strategy.FROM_FAILURE:
            return _what_is_left(parent, job, chosen, done, whole=own is None)
        return _chosen_steps(parent, job, chosen, done)

    def _run(self, asked: Reexecution, parent: Run, work: _Work) -> NewRun:
        given = by_hand(asked.tags)
        root = parent.root_run_id or parent.run_id
        own = {
            tagging.CODE_LOCATION: parent.location_name,
            tagging.PARENT_RUN_ID: parent.run_id,
            tagging.ROOT_RUN_ID: root,
        }
        tags = {**tagging.inherited(parent.tags), **given, **work.tags, **own}
        return NewRun(
            run_id=new_id(),
            job_name=parent.job_name,
            location_name=parent.location_name,
            priority=tagging.parse_priority(given) if tagging.PRIORITY in given else parent.priority,
            tags=tags,
            run_config=dict(parent.run_config if asked.run_config is None else asked.run_config),
            pools=work.pools,
            parent_run_id=parent.run_id,
            root_run_id=root,
            warnings=(*work.warnings, *bad_policy_tags(tags), *idle_policy_tags(tags, self._in_force)),
        )

    def _events(self, run_id: str) -> Iterator[StoredEvent]:
        place = BEGINNING
        while page := self._stores.events.of_run(run_id, after=place, limit=_PAGE):
            yield from page
            place = page[-1].cursor


class _Work(NamedTuple):
    """What sets the new run apart from the one before."""

    tags: dict[str, str]
    pools: PoolNeeds
    warnings: tuple[str, ...] = ()


def _what_is_left(parent: Run, job: JobInfo, chosen: Sequence[str], done: Collection[str], *, whole: bool) -> _Work:
    left = [key for key in chosen if key not in done]
    if not left:
        raise NothingLeft(parent)
    selection = {} if whole else {tagging.STEP_SELECTION: tagging.selection_text(chosen)}
    return _Work({tagging.IS_RESUME_RETRY: "true", **selection}, needs_of(job.ops, left))


def _chosen_steps(parent: Run, job: JobInfo, chosen: Sequence[str], done: Collection[str]) -> _Work:
    steps = with_missing(job.ops, chosen, done)
    more = [key for key in steps if key not in chosen]
    told = f"Run {parent.run_id[:8]} has no outputs of {listing(more)}: done too, because the steps chosen need them."
    return _Work(
        {tagging.STEP_SELECTION: tagging.selection_text(steps)}, needs_of(job.ops, steps), (told,) if more else ()
    )


def _check_state(parent: Run, strategy: Strategy) -> None:
    name = f"Run {parent.run_id[:8]}"
    if parent.status not in FINISHED:
        raise WrongState(f"{name} is {parent.status.value}: it can be done again once it has ended.")
    if strategy is Strategy.FROM_FAILURE and parent.status is RunStatus.SUCCESS:
        raise WrongState(f"{name} succeeded, so there is no failure to go on from. Re-execute all of it.")
