"""Whether a run that failed is retried, and by which run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from .errors import InvalidTag
from .policies import RunPolicies
from .policy_tags import RetryStrategy, max_retries, retry_on_step_failure, retry_strategy
from .pools import PoolNeeds
from .run import NewRun, Run, RunFailure
from .tags import IS_RESUME_RETRY, OF_ONE_RUN, PARENT_RUN_ID, RETRY_NUMBER, ROOT_RUN_ID

T = TypeVar("T")


class Note(NamedTuple):
    """Something that the log of the failed run is to say about it."""

    message: str
    level: str = "INFO"


class Decision(msgspec.Struct, frozen=True):
    """``retry`` None: the run stays failed."""

    retry: NewRun | None
    notes: tuple[Note, ...] = ()


class _Wishes(NamedTuple):
    """What the run's tags and the policies come to together."""

    most: int
    on_step_failure: bool
    strategy: RetryStrategy
    notes: tuple[Note, ...]


def decide(
    run: Run,
    failure: RunFailure,
    policies: RunPolicies,
    *,
    group_size: int,
    retry_id: str,
    pools_left: PoolNeeds | None = None,
    canceled: bool = False,
    root_pools: PoolNeeds | None = None,
) -> Decision:
    """Decide about a run that failed, under policies with retries turned on.

    Args:
        run: the run; its status does not matter.
        failure: what it failed with.
        policies: those in force.
        group_size: how many runs there are of its root, all retries and re-executions and the root itself.
        retry_id: the id for the retry.
        pools_left: what the steps that did not succeed need of pools, where that is known.
        root_pools: what the run's root needs, which may do more steps than the run.
        canceled: it had been told to stop, and not for a reason of ours.
    """
    wishes = _wishes(run.tags, policies)
    reason = _why_not(failure, policies, wishes, group_size - 1, canceled=canceled)
    if reason is not None:
        return Decision(None, (*wishes.notes, *reason))
    resumes = wishes.strategy is RetryStrategy.FROM_FAILURE
    told = f"Run {retry_id[:8]} retries it{', from the failure on' if resumes else ''}: {group_size} of {wishes.most}."
    retry = NewRun(
        run_id=retry_id,
        job_name=run.job_name,
        location_name=run.location_name,
        priority=run.priority,
        tags=_tags(run, group_size, resumes=resumes),
        run_config=run.run_config,
        pools=(pools_left if resumes else root_pools) or run.pools,
        parent_run_id=run.run_id,
        root_run_id=root_of(run),
    )
    return Decision(retry, (*wishes.notes, Note(told)))


def root_of(run: Run) -> str:
    """The first run of those that repeat each other."""
    return run.root_run_id or run.run_id


def _tags(run: Run, number: int, *, resumes: bool) -> dict[str, str]:
    own = {key: value for key, value in run.tags.items() if key not in OF_ONE_RUN}
    ours = {RETRY_NUMBER: str(number), PARENT_RUN_ID: run.run_id, ROOT_RUN_ID: root_of(run)}
    return own | ours | ({IS_RESUME_RETRY: "true"} if resumes else {})


def _wishes(tags: Mapping[str, str], policies: RunPolicies) -> _Wishes:
    most, bad_number = _read(max_retries, tags, policies.max_retries)
    on_step_failure, bad_flag = _read(retry_on_step_failure, tags, policies.retry_on_step_failure)
    strategy, bad_name = _read(retry_strategy, tags, RetryStrategy.FROM_FAILURE)
    if bad_number:
        return _Wishes(0, on_step_failure, strategy, (Note(f"{bad_number} The run is not retried.", "WARNING"),))
    notes = []
    # A run that is never retried need not hear how.
    if bad_flag and most:
        notes.append(Note(f"{bad_flag} What the instance file says counts: {str(on_step_failure).lower()}.", "WARNING"))
    if bad_name and most:
        notes.append(Note(f"{bad_name} {strategy.value} counts.", "WARNING"))
    return _Wishes(most, on_step_failure, strategy, tuple(notes))


def _read(
    read: Callable[[Mapping[str, str]], T | None], tags: Mapping[str, str], default: T
) -> tuple[T, InvalidTag | None]:
    """What the tag says, else the default; and what is wrong with it."""
    try:
        value = read(tags)
    except InvalidTag as error:
        return default, error
    return default if value is None else value, None


def _why_not(
    failure: RunFailure, policies: RunPolicies, wishes: _Wishes, done: int, *, canceled: bool
) -> tuple[Note, ...] | None:
    """None: nothing speaks against it."""
    if wishes.most == 0:
        return ()
    if canceled:
        return (Note("Not retried: it failed after it had been told to stop."),)
    if done >= wishes.most:
        return (Note(f"Not retried: {done} of {wishes.most} retries are done, those by hand included."),)
    if failure.by_step and not wishes.on_step_failure:
        return (
            Note(
                f"Not retried: {_step(failure)} failed by its own code, and such failures are not to be retried"
                " (retry_on_asset_or_op_failure is false)."
            ),
        )
    if not policies.queued:
        return (Note("Not retried: runs of this instance are started without a queue, and a retry needs one."),)
    return None


def _step(failure: RunFailure) -> str:
    return f"step '{failure.step_key}'" if failure.step_key else "a step"
