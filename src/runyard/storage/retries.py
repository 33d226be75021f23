"""The retry of a run that fails, in the transaction in which it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ..core.errors import UserError
from ..core.ids import new_id
from ..core.policies import RunPolicies
from ..core.pools import PoolNeeds
from ..core.retry import Decision, Note, decide, root_of
from ..core.run import NewRun, Run, RunFailure
from ..core.tags import AUTO_RETRY_RUN_ID, IS_RESUME_RETRY, RETRY_NUMBER, WILL_RETRY
from .database import Database, translated
from .journal import engine_event, write_events
from .overlap import lock_jobs
from .policies import read_policies
from .rows import RUN_COLUMNS, decode_pools, text, to_run
from .run_insert import insert_retry
from .schema import run_tags, runs
from .stored_rules import RulesInForce, StoredRules

_JOBS = sa.select(runs.c.location_name, runs.c.job_name).where(
    runs.c.run_id.in_(sa.bindparam("run_ids", expanding=True))
)
_FAILED = (
    sa.select(*RUN_COLUMNS).where(runs.c.run_id.in_(sa.bindparam("run_ids", expanding=True))).order_by(runs.c.run_id)
)
_POOLS = sa.select(runs.c.pools).where(runs.c.run_id == sa.bindparam("root"))
_DESCENDANTS = sa.select(sa.func.count()).select_from(runs).where(runs.c.root_run_id == sa.bindparam("root"))
_SET_TAGS = sa.update(runs).where(runs.c.id == sa.bindparam("key")).values(tags=sa.bindparam("new_tags"))


class Retrying(NamedTuple):
    """What retries obey; ``rules`` are locked for share, and None where nothing is retried."""

    policies: RunPolicies
    rules: RulesInForce | None


class Failed(NamedTuple):
    failure: RunFailure
    #: What a retry from the failure on needs of pools, where the worker said so.
    pools_left: PoolNeeds | None = None
    #: It was CANCELING because somebody wanted so.
    canceled: bool = False


def prepare_retries(
    database: Database, stored_rules: StoredRules, connection: sa.Connection, run_ids: Iterable[str]
) -> Retrying:
    """Lock what retries of these runs need. To be called before any run's row is locked: see ``pool_holders``."""
    policies = read_policies(connection)
    if not policies.retries_enabled:
        return Retrying(policies, None)
    in_force = stored_rules.lock(connection)
    if in_force.rules.overlaps:
        # Whoever inserts a run of the job locks the job first and may want this run's row then.
        jobs = connection.execute(_JOBS, {"run_ids": sorted(run_ids)}).all()
        lock_jobs(database, connection, in_force.rules, [(location, job) for location, job in jobs])
    return Retrying(policies, in_force)


def retry_failed(
    database: Database, connection: sa.Connection, retrying: Retrying, failed: Mapping[str, Failed], now: float
) -> dict[str, dict[str, str]]:
    """Queue the retries of runs that have become FAILURE; the tags that these have now, by run id."""
    if retrying.rules is None or not failed:
        return {}
    tags = {}
    for row in connection.execute(_FAILED, {"run_ids": sorted(failed)}).all():
        run = to_run(row)
        decision = _retry(database, connection, retrying, run, failed[run.run_id], now)
        tags[run.run_id] = run.tags | _result(decision.retry)
        _put_tags(database, connection, row.id, tags[run.run_id], _result(decision.retry))
        notes = [
            engine_event(run.run_id, now, note.message, attempt=run.attempt, level=note.level)
            for note in decision.notes
        ]
        write_events(database, connection, notes)
    return tags


def _retry(
    database: Database, connection: sa.Connection, retrying: Retrying, run: Run, failed: Failed, now: float
) -> Decision:
    """What was decided, and done: a retry that is refused is none."""
    others = connection.execute(_DESCENDANTS, {"root": root_of(run)}).scalar_one()
    decision = decide(
        run,
        failed.failure,
        retrying.policies,
        group_size=1 + others,
        retry_id=new_id(),
        pools_left=failed.pools_left,
        root_pools=_pools_of_root(connection, run),
        canceled=failed.canceled,
    )
    if decision.retry is None or retrying.rules is None:
        return decision
    try:
        # Taken back by itself: what keeps the retry out must not keep the failure out.
        with translated(database.kind), connection.begin_nested():
            insert_retry(database, retrying.rules, connection, decision.retry, now)
    except UserError as error:
        return Decision(None, (*decision.notes[:-1], Note(f"Not retried: {error}", "WARNING")))
    said = f"Retry {decision.retry.tags[RETRY_NUMBER]} of run {root_of(run)[:8]}, after run {run.run_id[:8]} failed."
    write_events(database, connection, [engine_event(decision.retry.run_id, now, said)])
    return decision


def _pools_of_root(connection: sa.Connection, run: Run) -> PoolNeeds | None:
    """For a run that does what its parent left, which an ALL_STEPS retry of it does not; None: its own will do."""
    if IS_RESUME_RETRY not in run.tags:
        return None
    pools = connection.execute(_POOLS, {"root": root_of(run)}).scalar_one_or_none()
    return None if pools is None else decode_pools(pools)


def _result(retry: NewRun | None) -> dict[str, str]:
    if retry is None:
        return {WILL_RETRY: "false"}
    return {WILL_RETRY: "true", AUTO_RETRY_RUN_ID: retry.run_id}


def _put_tags(
    database: Database, connection: sa.Connection, run_no: int, tags: Mapping[str, str], new: Mapping[str, str]
) -> None:
    connection.execute(_SET_TAGS, {"key": run_no, "new_tags": text(tags)})
    insert = database.insert(run_tags)
    put = insert.on_conflict_do_update(index_elements=["run_no", "key"], set_={"value": insert.excluded.value})
    rows: Sequence[dict[str, object]] = [{"run_no": run_no, "key": key, "value": value} for key, value in new.items()]
    connection.execute(put, rows)
