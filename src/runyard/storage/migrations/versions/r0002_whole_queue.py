"""The whole queue: pools with slots, what people did to it, step slots, estimates, and indexes for its order.

Data: what a run needs of pools was a list of names and is now one slot of each; the rules get a body that keeps apart
what the instance file says. Lanes were spelt differently, so all of them count as stale.
"""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CONVERTED = sa.table("converted_pools", sa.column("was", sa.Text), sa.column("now", sa.Text))
_RUNS = sa.table("runs", sa.column("pools", sa.Text))


def upgrade() -> None:
    connection = op.get_bind()
    file = Path(__file__).with_name(f"r0002_whole_queue.{connection.dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    _convert_pools(connection)


def _convert_pools(connection: sa.Connection) -> None:
    """One statement for all runs: few sets of pools are shared by many."""
    found = connection.execute(sa.select(_RUNS.c.pools).distinct()).scalars()
    rows = [{"was": was, "now": _needs(json.loads(was))} for was in found]
    if not rows:
        return
    connection.exec_driver_sql("CREATE TEMPORARY TABLE converted_pools (was TEXT PRIMARY KEY, now TEXT NOT NULL)")
    connection.execute(sa.insert(_CONVERTED), rows)
    new = sa.select(_CONVERTED.c.now).where(_CONVERTED.c.was == _RUNS.c.pools).scalar_subquery()
    connection.execute(sa.update(_RUNS).values(pools=new))
    connection.exec_driver_sql("DROP TABLE converted_pools")


def _needs(names: list[str]) -> str:
    return json.dumps({"all": dict.fromkeys(names, 1), "roots": {}}, separators=(",", ":"))
