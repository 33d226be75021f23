"""What people did to what admission obeys."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from ..core.queue import AuditEntry
from .rows import text
from .schema import audit

_ENTRIES = sa.select(*(audit.c[name] for name in ["id", "at", "by", "action", "subject", "message"]))
_text = msgspec.json.Decoder(str).decode


def write_entry(connection: sa.Connection, *, action: str, subject: str, message: str, by: str, now: float) -> None:
    row = {"at": now, "by": text(by), "action": action, "subject": text(subject), "message": text(message)}
    connection.execute(sa.insert(audit), row)


def read_entries(connection: sa.Connection, *, limit: int, before: int | None) -> Sequence[AuditEntry]:
    """Newest first, those older than the entry ``before``."""
    query = _ENTRIES.order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [
        AuditEntry(
            entry_id=entry_id, at=at, by=_text(by), action=action, subject=_text(subject), message=_text(message)
        )
        for entry_id, at, by, action, subject, message in connection.execute(query)
    ]
