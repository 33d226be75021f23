"""What admission obeys, as people and the instance file set it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import msgspec
import sqlalchemy as sa

from ..core.lease import Fence
from ..core.queue import AuditEntry, LimitChange
from ..queue.limit_changes import applies, check_change, limit_of, put_change, subject_of
from ..queue.pauses import check_pause, pause_name
from ..queue.rules import Pause, PauseScope, Rules
from .audit import read_entries, write_entry
from .database import Database
from .pool_line import serve_under_new_rules
from .stored_rules import RulesBody, RulesChange, StoredRules

#: Who ends a pause whose time is over.
_ITSELF = "runyard"


class SqlLimits:
    """``storage.protocols.Limits``."""

    def __init__(self, database: Database, stored_rules: StoredRules) -> None:
        self._database = database
        self._rules = stored_rules

    def configure(self, rules: Rules) -> Rules:
        bare = msgspec.structs.replace(rules, version=0, pauses=(), also_tracked=())
        with self._database.write() as connection:
            made = self._rules.change(connection, lambda body: msgspec.structs.replace(body, configured=bare))
            serve_under_new_rules(self._database, connection, made, self._database.clock.now())
        return made.after

    def configured(self) -> Rules:
        with self._database.read() as connection:
            return self._rules.body(connection).configured

    def change(self, change: LimitChange, *, by: str, now: float) -> Rules:
        with self._database.write() as connection:
            made = self._rules.change(connection, lambda body: _put(body, change))
            serve_under_new_rules(self._database, connection, made, now)
            if made.stored:
                message = _limit_message(change, made)
                write_entry(connection, action="limit", subject=subject_of(change), message=message, by=by, now=now)
        return made.after

    def changed(self) -> Sequence[LimitChange]:
        with self._database.read() as connection:
            body = self._rules.body(connection)
        return [change for change in body.changes if applies(change, body.configured)]

    def pause(self, pause: Pause) -> Rules:
        check_pause(pause)
        with self._database.write() as connection:
            made = self._rules.change(connection, lambda body: _without(body, pause.subject, pause))
            serve_under_new_rules(self._database, connection, made, pause.since)
            if made.stored:
                action, subject = "drain" if pause.drain else "pause", pause_name(*pause.subject)
                message = _pause_message(pause)
                write_entry(connection, action=action, subject=subject, message=message, by=pause.by, now=pause.since)
        return made.after

    def resume(self, scope: PauseScope, name: str = "", value: str = "", *, by: str, now: float) -> Pause | None:
        subject = (scope, name, value)
        with self._database.write() as connection:
            made = self._rules.change(connection, lambda body: _without(body, subject))
            serve_under_new_rules(self._database, connection, made, now)
            ended = next((pause for pause in made.before.pauses if pause.subject == subject), None)
            if ended is not None:
                self._write_end(connection, ended, f"Resumed; {ended.by} had paused it{_why(ended)}.", by, now)
        return ended

    def lift_lapsed(self, *, now: float, fence: Fence) -> int:
        with self._database.write(fence) as connection:
            # Looked at before the row is locked: nothing has lapsed nearly always.
            rules = self._rules.read(connection).rules
            if rules.at(now) is rules:
                return 0
            made = self._rules.change(connection, lambda body: _unlapsed(body, now))
            serve_under_new_rules(self._database, connection, made, now)
            lapsed = [pause for pause in made.before.pauses if pause not in made.after.pauses]
            for pause in lapsed:
                self._write_end(connection, pause, f"The pause by {pause.by}{_why(pause)} is over.", _ITSELF, now)
        return len(lapsed)

    def _write_end(self, connection: sa.Connection, pause: Pause, message: str, by: str, now: float) -> None:
        subject = pause_name(*pause.subject)
        write_entry(connection, action="resume", subject=subject, message=message, by=by, now=now)

    def note(self, *, action: str, subject: str, message: str, by: str, now: float) -> None:
        with self._database.write() as connection:
            write_entry(connection, action=action, subject=subject, message=message, by=by, now=now)

    def audit(self, *, limit: int, before: int | None = None) -> Sequence[AuditEntry]:
        with self._database.read() as connection:
            return read_entries(connection, limit=limit, before=before)


def _put(body: RulesBody, change: LimitChange) -> RulesBody:
    changes = put_change(body.changes, change)
    if change.limit is not None or changes == body.changes:
        # What was set once can be taken back also after the file has lost the rule.
        check_change(change, body.configured)
    return msgspec.structs.replace(body, changes=changes)


def _without(body: RulesBody, subject: tuple[str, str, str], *new: Pause) -> RulesBody:
    rest = tuple(pause for pause in body.pauses if pause.subject != subject)
    return msgspec.structs.replace(body, pauses=(*rest, *new))


def _unlapsed(body: RulesBody, now: float) -> RulesBody:
    return msgspec.structs.replace(body, pauses=body.in_force(0).at(now).pauses)


def _limit_message(change: LimitChange, made: RulesChange) -> str:
    old, new = (_number(limit_of(change, rules)) for rules in (made.before, made.after))
    if change.limit is None:
        return f"What the instance file says again: {new} (was {old})."
    return f"{new} (was {old})."


def _number(limit: int | None) -> str:
    return "no limit" if limit is None else str(limit)


def _pause_message(pause: Pause) -> str:
    done = "Draining: nothing new is launched" if pause.drain else "Paused"
    return f"{done}{_until(pause)}{_why(pause)}."


def _until(pause: Pause) -> str:
    if pause.until is None:
        return ""
    return f" until {datetime.fromtimestamp(pause.until, tz=timezone.utc).isoformat(timespec='seconds')}"


def _why(pause: Pause) -> str:
    return f" ({pause.reason})" if pause.reason else ""
