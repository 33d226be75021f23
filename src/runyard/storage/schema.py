"""The tables. Constraints hold what must never be broken, whoever writes.

Text that users choose freely (messages, configuration, cursors) is JSON, because PostgreSQL refuses NUL in text.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ..core.run import ACTIVE, FINISHED, RunStatus
from ..core.tick import InstigatorStatus, TickStatus
from .columns import NAME, SERIAL, TransactionId

#: Every revision of the schema, oldest first; the last is what this version of Runyard works with.
REVISIONS = ("0001", "0002", "0003", "0004", "0005")
REVISION = REVISIONS[-1]

metadata = sa.MetaData()


def _one_of(values: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def _either(column: str, values: Iterable[str]) -> str:
    # For IN with more than two values SQLite builds a table each time that a row is checked: 20 µs every one.
    return "(" + " OR ".join(f"{column} = '{value}'" for value in values) + ")"


_KNOWN = _either("status", (status.value for status in RunStatus))
_ACTIVE = _either("status", (status.value for status in RunStatus if status in ACTIVE))
_FINISHED = _either("status", (status.value for status in RunStatus if status in FINISHED))

# Literal text, not parameters: a partial index serves a query only when its condition is seen to hold while planning.
QUEUED = sa.text("status = 'QUEUED'")
IS_ACTIVE = sa.text(_ACTIVE)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("run_id", NAME, nullable=False, unique=True),
    sa.Column("job_name", NAME, nullable=False),
    sa.Column("location_name", NAME, nullable=False),
    sa.Column("status", NAME, nullable=False),
    # Minus the priority: the queue's order is ascending in both of its columns.
    sa.Column("np", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("run_config", sa.Text, nullable=False),
    sa.Column("pools", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    # The attempt whose worker presented its token, and the one that said how it ended: they tell repetitions apart.
    sa.Column("began_attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ended_attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("launch_token", NAME),
    sa.Column("queue_seq", sa.BigInteger),
    sa.Column("launch_seq", sa.BigInteger),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("queued_at", sa.Double),
    sa.Column("launched_at", sa.Double),
    sa.Column("started_at", sa.Double),
    sa.Column("canceling_at", sa.Double),
    sa.Column("ended_at", sa.Double),
    sa.Column("failure", sa.Text),
    sa.Column("lane", NAME),
    # The generation of tracked keys that ``lane`` was computed under.
    sa.Column("lane_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.Integer, nullable=False, server_default="0"),
    sa.Column("held_by", sa.Text),
    sa.Column("held_reason", sa.Text),
    sa.Column("host_id", NAME),
    sa.Column("pid", sa.BigInteger),
    sa.Column("parent_run_id", NAME),
    sa.Column("root_run_id", NAME),
    sa.Column("resumes", sa.Integer, nullable=False, server_default="0"),
    # What a run that is stopped for a reason of ours fails with, until it has stopped.
    sa.Column(
        "stop_failure",
        sa.Text,
        sa.CheckConstraint("stop_failure IS NULL OR status = 'CANCELING'", name="runs_stop_failure_canceling"),
    ),
    sa.CheckConstraint(_KNOWN, name="runs_status_known"),
    sa.CheckConstraint(
        "status <> 'QUEUED' OR (queue_seq IS NOT NULL AND lane IS NOT NULL AND queued_at IS NOT NULL)",
        name="runs_queued_has_place",
    ),
    sa.CheckConstraint(
        f"NOT {_ACTIVE} OR (launch_token IS NOT NULL AND launch_seq IS NOT NULL"
        " AND lane IS NOT NULL AND launched_at IS NOT NULL AND attempt > 0)",
        name="runs_active_has_launch",
    ),
    sa.CheckConstraint(f"(ended_at IS NOT NULL) = {_FINISHED}", name="runs_ended_at_when_finished"),
    sa.CheckConstraint("(failure IS NOT NULL) = (status = 'FAILURE')", name="runs_failure_when_failed"),
    sa.CheckConstraint("held IN (0, 1) AND (held = 0 OR status = 'QUEUED')", name="runs_held_only_queued"),
    sa.CheckConstraint("began_attempt <= attempt AND ended_attempt <= attempt", name="runs_attempts_in_order"),
    sqlite_autoincrement=True,
)

run_tags = sa.Table(
    "run_tags",
    metadata,
    sa.Column("run_no", SERIAL, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("key", NAME, primary_key=True),
    sa.Column("value", NAME, nullable=False),
    sqlite_with_rowid=False,
)

# No foreign key to runs: checking it for every log line would cost more than the line. Writers lock the run's row.
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("txn", sa.BigInteger, nullable=False, server_default=TransactionId()),
    sa.Column("run_id", NAME, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger),
    sa.Column("type", NAME, nullable=False),
    sa.Column("timestamp", sa.Double, nullable=False),
    sa.Column("step_key", NAME),
    sa.Column("level", NAME, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# Row ids never come again (AUTOINCREMENT): readers keep cursors into a table that is emptied behind them.
queue_changes = sa.Table(
    "queue_changes",
    metadata,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("txn", sa.BigInteger, nullable=False, server_default=TransactionId()),
    sa.Column("kind", NAME, nullable=False),
    sa.Column("lane", NAME),
    sa.Column("run_id", NAME),
    sa.Column("status", NAME),
    sa.CheckConstraint(_either("kind", ("lane", "started", "ended", "rules", "pool")), name="queue_changes_kind_known"),
    sqlite_autoincrement=True,
)

#: Places of a priority that are counted together.
BLOCK = 1024

# How many runs are queued, kept by ``queue_counts``: a rank is a sum, not a walk over all that comes before. Each
# transaction has rows of its own on PostgreSQL, where writers would wait for each other at a shared one.
queue_counts = sa.Table(
    "queue_counts",
    metadata,
    sa.Column("held", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("np", sa.BigInteger, primary_key=True, autoincrement=False),
    # Of ``queue_seq`` divided by BLOCK.
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("txn", sa.BigInteger, primary_key=True, autoincrement=False, server_default=TransactionId()),
    sa.Column("n", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One row. Every transaction that computes a lane locks it for share, so that new rules wait for lanes under way.
rules = sa.Table(
    "rules",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    # Grows only when the tracked keys change: lanes of an older generation have to be computed again.
    sa.Column("lane_version", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.CheckConstraint("id = 1", name="rules_one_row"),
)

# What people did to what admission obeys; ``subject`` and ``message`` are JSON.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", SERIAL, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("action", NAME, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# Steps of many hosts take slots of one pool: the guarded counter decides, the holders say who.
pool_counters = sa.Table(
    "pool_counters",
    metadata,
    sa.Column("pool", NAME, primary_key=True),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.CheckConstraint("used >= 0", name="pool_counters_not_negative"),
)

pool_holders = sa.Table(
    "pool_holders",
    metadata,
    sa.Column("pool", NAME, sa.ForeignKey("pool_counters.pool"), primary_key=True),
    sa.Column("run_id", NAME, primary_key=True),
    sa.Column("step_key", NAME, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("slots", sa.BigInteger, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.CheckConstraint("slots > 0", name="pool_holders_positive"),
)

# In line for a pool: the lowest ``np`` first, then the lowest ``seq``, which is drawn under the lock of the counter.
pool_waiters = sa.Table(
    "pool_waiters",
    metadata,
    sa.Column("seq", SERIAL, primary_key=True),
    sa.Column("pool", NAME, sa.ForeignKey("pool_counters.pool"), nullable=False),
    sa.Column("run_id", NAME, nullable=False),
    sa.Column("step_key", NAME, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("slots", sa.BigInteger, nullable=False),
    # Minus the priority, as in the queue.
    sa.Column("np", sa.BigInteger, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.CheckConstraint("slots > 0", name="pool_waiters_positive"),
    sqlite_autoincrement=True,
)

# One row: what becomes of failed runs and lost workers.
policies = sa.Table(
    "policies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.CheckConstraint("id = 1", name="policies_one_row"),
)

# What starts were expected to be, to say how far off estimates are; when a run was launched says its own row.
estimates = sa.Table(
    "estimates",
    metadata,
    sa.Column("run_id", NAME, primary_key=True),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("estimated_start", sa.Double, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("holder", NAME),
    sa.Column("term", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
)

hosts = sa.Table(
    "hosts",
    metadata,
    sa.Column("host_id", NAME, primary_key=True),
    sa.Column("lease_expires_at", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    sa.Column("daemon_type", NAME, primary_key=True),
    sa.Column("process_id", NAME, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

processes = sa.Table(
    "processes",
    metadata,
    sa.Column("process_id", NAME, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

locations = sa.Table(
    "locations",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

# Written by the run queue's leader, while ``locations`` is written by whoever has the location's host.
left_alone = sa.Table(
    "left_alone",
    metadata,
    sa.Column("location_name", NAME, primary_key=True),
    sa.Column("until", sa.Double, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

_KINDS = "kind IN ('schedule', 'sensor')"

instigators = sa.Table(
    "instigators",
    metadata,
    sa.Column("kind", NAME, primary_key=True),
    sa.Column("location_name", NAME, primary_key=True),
    sa.Column("name", NAME, primary_key=True),
    sa.Column("status", NAME, nullable=False),
    sa.Column("started_at", sa.Double),
    sa.Column("cursor", sa.Text),
    sa.Column("last_tick_at", sa.Double),
    sa.Column("last_run_key", sa.Text),
    sa.Column("decided_until", sa.Double),
    sa.Column("consecutive_failures", sa.Integer, nullable=False, server_default="0"),
    # From a sequence, so that no version comes again when a state is deleted and made anew.
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint(_KINDS, name="instigators_kind_known"),
    sa.CheckConstraint(
        f"status IN {_one_of(status.value for status in InstigatorStatus)}", name="instigators_status_known"
    ),
)

ticks = sa.Table(
    "ticks",
    metadata,
    sa.Column("tick_id", NAME, primary_key=True),
    sa.Column("kind", NAME, nullable=False),
    sa.Column("location_name", NAME, nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("status", NAME, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.CheckConstraint(_KINDS, name="ticks_kind_known"),
    sa.CheckConstraint(f"status IN {_one_of(status.value for status in TickStatus)}", name="ticks_status_known"),
)

# ``time`` is 0 for sensors: a sensor's key has one run for ever, a schedule's one for each time.
# Nothing deletes from here, neither retention nor deleting a run.
run_keys = sa.Table(
    "run_keys",
    metadata,
    sa.Column("kind", NAME, primary_key=True),
    sa.Column("location_name", NAME, primary_key=True),
    sa.Column("name", NAME, primary_key=True),
    sa.Column("time", sa.Double, primary_key=True),
    sa.Column("run_key", NAME, primary_key=True),
    sa.Column("run_id", NAME, nullable=False),
    sa.CheckConstraint("kind = 'schedule' OR (kind = 'sensor' AND time = 0)", name="run_keys_scope"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key", NAME, primary_key=True),
    sa.Column("run_ids", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    # A digest of the request; null from before it was kept: such a key answers to every request.
    sa.Column("request", NAME),
)

#: SQLite's stand-in for the sequences below; its single writer makes a row as good.
counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

sequences = (
    sa.Sequence("queue_seq", metadata=metadata, data_type=sa.BigInteger),
    sa.Sequence("launch_seq", metadata=metadata, data_type=sa.BigInteger),
    sa.Sequence("state_version", metadata=metadata, data_type=sa.BigInteger),
)

#: Alembic's own table, spelt as Alembic spells it: a new database is stamped without importing Alembic.
version_table = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def create_all(connection: sa.Connection) -> None:
    """Create every table, with the rows that always exist, in a database that has none."""
    from . import indexes  # noqa: F401, PLC0415  attaches them; only needed here, and slow to load

    tables = [table for table in metadata.sorted_tables if table is not counters or _is_sqlite(connection)]
    metadata.create_all(connection, tables=tables, checkfirst=False)
    connection.execute(sa.insert(rules).values(id=1, version=0, lane_version=0, body="{}"))
    connection.execute(sa.insert(policies).values(id=1, body="{}"))
    version_table.create(connection, checkfirst=False)
    connection.execute(sa.insert(version_table).values(version_num=REVISION))


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"
