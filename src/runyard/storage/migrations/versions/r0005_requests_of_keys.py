"""What an idempotency key was used for, so that another request under it is refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runyard.storage.columns import NAME

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("idempotency_keys", sa.Column("request", NAME))
