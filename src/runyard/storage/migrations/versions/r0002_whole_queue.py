"""The whole queue: pools with slots, what people did to it, step slots, estimates, and indexes for its order.

Data: what a run needs of pools was a list of names and is now one slot of each; the rules get a body that keeps apart
what the instance file says. Lanes were spelt differently, so all of them count as stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CONVERTED = sa.table("converted", sa.column("was", sa.Text), sa.column("now", sa.Text))
_LOCATIONS = sa.table("locations", sa.column("name", sa.Text), sa.column("body", sa.Text))
_RUNS = sa.table("runs", *(sa.column(name, sa.Text) for name in ("pools", "lane", "status")))
_WITH_LANE = ("QUEUED", "STARTING", "STARTED", "CANCELING")


def upgrade() -> None:
    connection = op.get_bind()
    file = Path(__file__).with_name(f"r0002_whole_queue.{connection.dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    _convert(connection, _RUNS.c.pools, _needs)
    # They are computed anew, but the leader has to be able to read them until then.
    _convert(connection, _RUNS.c.lane, _lane, _RUNS.c.status.in_(_WITH_LANE))
    _convert_locations(connection)


def _convert(connection: sa.Connection, column: sa.ColumnClause[str], new: Callable[[str], str], *where: Any) -> None:
    """One statement for all runs: few texts are shared by many."""
    found = connection.execute(sa.select(column).where(column.is_not(None), *where).distinct()).scalars()
    rows = [{"was": was, "now": new(was)} for was in found]
    if not rows:
        return
    connection.exec_driver_sql("CREATE TEMPORARY TABLE converted (was TEXT PRIMARY KEY, now TEXT NOT NULL)")
    connection.execute(sa.insert(_CONVERTED), rows)
    now = sa.select(_CONVERTED.c.now).where(_CONVERTED.c.was == column).scalar_subquery()
    connection.execute(sa.update(_RUNS).where(column.is_not(None), *where).values({column: now}))
    connection.exec_driver_sql("DROP TABLE converted")


def _convert_locations(connection: sa.Connection) -> None:
    """What a location published says of each job's pools the same way."""
    for name, body in connection.execute(sa.select(_LOCATIONS.c.name, _LOCATIONS.c.body)).all():
        record = json.loads(body)
        for job in (record.get("definitions") or {}).get("jobs", ()):
            job["pools"] = _of_names(job.get("pools", []))
        same = _LOCATIONS.c.name == name
        connection.execute(sa.update(_LOCATIONS).where(same).values(body=json.dumps(record, separators=(",", ":"))))


def _needs(text: str) -> str:
    return json.dumps(_of_names(json.loads(text)), separators=(",", ":"))


def _lane(text: str) -> str:
    lane = json.loads(text)
    return json.dumps(lane | {"pools": _of_names(lane.get("pools", []))["all"]}, separators=(",", ":"))


def _of_names(names: list[str]) -> dict[str, dict[str, int]]:
    return {"all": dict.fromkeys(names, 1), "roots": {}}
