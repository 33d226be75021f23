"""Pauses, changed limits and the audit as the JSON that commands and HTTP answer with."""

from __future__ import annotations

from ..core.queue import AuditEntry, LimitChange
from ..queue.pauses import pause_name
from ..queue.rules import Pause
from .shapes import Shape, iso


def pause_shape(pause: Pause, *, running: int) -> Shape:
    """``running``: how many active runs belong to what is paused; a drain is done when it is 0."""
    return {
        "scope": pause.scope,
        "name": pause.name,
        "value": pause.value,
        "subject": pause_name(*pause.subject),
        "by": pause.by,
        "reason": pause.reason,
        "since": iso(pause.since),
        "until": iso(pause.until),
        "drain": pause.drain,
        "running": running,
    }


def audit_shape(entry: AuditEntry) -> Shape:
    return {
        "id": entry.entry_id,
        "at": iso(entry.at),
        "by": entry.by,
        "action": entry.action,
        "subject": entry.subject,
        "message": entry.message,
    }


def limit_change_shape(change: LimitChange) -> Shape:
    """``limit`` null: what the instance file says is in force again."""
    return {"kind": change.kind, "name": change.name, "limit": change.limit}
