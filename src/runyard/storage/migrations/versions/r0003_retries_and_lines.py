"""Runs that are resumed, retried or stopped for a reason of ours, and steps that stand in line for a pool."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    connection = op.get_bind()
    file = Path(__file__).with_name(f"r0003_retries_and_lines.{connection.dialect.name}.sql")
    for statement in file.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
