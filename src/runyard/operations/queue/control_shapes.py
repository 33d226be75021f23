"""Pauses, changed limits and the audit as the JSON that commands and HTTP answer with."""

from __future__ import annotations

from ...core.queue import AuditEntry, LimitChange
from ...core.text import shortened
from ...queue.idle_limits import IdleLimit
from ...queue.rules import Pause
from ..shapes import Shape, iso
from .limits import LimitInForce, shown_name
from .shapes import paused_shape

_LONGEST_SUBJECT, _LONGEST_MESSAGE = 300, 2_000


def idle_limit_shape(limit: IdleLimit) -> Shape:
    """A limit that matches nothing that is known."""
    return {
        "kind": limit.kind,
        "rule": shown_name(limit.rule),
        "name": shown_name(limit.name),
        "message": limit.message,
    }


def pause_shape(pause: Pause, *, running: int) -> Shape:
    """``running``: how many active runs belong to what is paused; a drain is done when it is 0."""
    return paused_shape(pause) | {"running": running}


def made_pause_shape(pause: Pause, *, running: int, note: str | None) -> Shape:
    """``note``: a sentence where the pause holds back nothing that is known, else null."""
    return pause_shape(pause, running=running) | {"note": note}


def audit_shape(entry: AuditEntry) -> Shape:
    return {
        "id": entry.entry_id,
        "at": iso(entry.at),
        "by": entry.by,
        "action": entry.action,
        "subject": shortened(entry.subject, _LONGEST_SUBJECT),
        "message": shortened(entry.message, _LONGEST_MESSAGE),
    }


def limit_change_shape(change: LimitChange, note: str | None) -> Shape:
    """``limit`` null: what the instance file says is in force again. ``note`` as of a limit in force."""
    return {"kind": change.kind, "name": shown_name(change.name), "limit": change.limit, "note": note}


def limit_in_force_shape(limit: LimitInForce) -> Shape:
    """``limit`` null: there is none. ``origin``: ``set`` by a person, ``file``, ``default`` or ``none``. ``note``: a
    sentence where the limit matches nothing that is known, else null.
    """
    return {
        "kind": limit.kind,
        "name": shown_name(limit.name),
        "limit": limit.limit,
        "origin": limit.origin,
        "note": limit.note,
    }
