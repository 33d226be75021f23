"""How each daemon is, judged from heartbeats alone so that any process can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from ..core.clock import Clock
from ..core.daemon import LIVE_WITHIN, DaemonError, DaemonType, Heartbeat, PassRecord
from ..core.lease import daemon_lease
from ..settings.instance import InstanceSettings
from ..storage.protocols import Heartbeats, Leases

#: Seconds that a pass may be overdue before the daemon counts as late.
LATE_AFTER = 10.0
#: Seconds that the database's clock, which leases are judged by, may differ from this machine's.
CLOCKS_APART = 2.0

State = Literal["healthy", "idle", "late", "hung", "failing", "not_running", "off"]


class HeartbeatStores(Protocol):
    heartbeats: Heartbeats


class LeadershipStores(HeartbeatStores, Protocol):
    leases: Leases


class Standby(msgspec.Struct, frozen=True):
    host: str
    pid: int
    last_heartbeat: float


class DaemonStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon for people: its state, and what is known of who leads it."""

    type: DaemonType
    state: State
    required: bool
    why_off: str | None = None
    last_heartbeat: float | None = None
    last_pass: PassRecord | None = None
    next_pass_at: float | None = None
    pass_since: float | None = None
    errors: tuple[DaemonError, ...] = ()
    host: str | None = None
    pid: int | None = None
    leader: str | None = None
    standbys: tuple[Standby, ...] = ()

    @property
    def live(self) -> bool:
        """Off counts as live: nothing is missing."""
        return self.state != "not_running"

    @property
    def passes(self) -> bool:
        """Live and doing its work."""
        return self.state in ("healthy", "idle", "late", "off")


def required_daemons(settings: InstanceSettings) -> list[DaemonType]:
    """The daemons that the instance file asks for."""
    return [kind for kind in DaemonType if kind.value not in settings.why_off]


def daemon_statuses(
    stores: HeartbeatStores, settings: InstanceSettings, *, clock: Clock, tolerance: float = LIVE_WITHIN
) -> list[DaemonStatus]:
    """Every daemon, those that are off too. ``tolerance``: seconds that a heartbeat stays good."""
    rows = stores.heartbeats.all()
    required = required_daemons(settings)
    return [
        _status(kind, [row for row in rows if row.daemon_type is kind], clock.now(), tolerance)
        if kind in required
        else DaemonStatus(type=kind, state="off", required=False, why_off=_why_off(settings, kind))
        for kind in DaemonType
    ]


def daemon_alive(stores: LeadershipStores, kind: DaemonType, *, clock: Clock) -> bool:
    """Whether some process leads this daemon now.

    A lease that is free or has run out tells of a leader's end before its heartbeat grows old.
    """
    now = clock.now()
    oldest = now - LIVE_WITHIN
    lease = next((lease for lease in stores.leases.list() if lease.name == daemon_lease(kind)), None)
    if lease is not None and (lease.holder is None or lease.expires_at + CLOCKS_APART < now):
        return False
    return any(row.daemon_type is kind and row.leader and row.at >= oldest for row in stores.heartbeats.all())


def _why_off(settings: InstanceSettings, kind: DaemonType) -> str:
    reason = settings.why_off[kind.value]
    return f"{reason.setting}, {reason.where}" if reason.where else f"{reason.setting} (the default)"


def _status(kind: DaemonType, rows: Sequence[Heartbeat], now: float, tolerance: float) -> DaemonStatus:
    newest = sorted(rows, key=lambda row: (row.leader, row.term, row.at), reverse=True)
    if not newest:
        return DaemonStatus(type=kind, state="not_running", required=True)
    leader, others = newest[0], newest[1:]
    return DaemonStatus(
        type=kind,
        state=_state(leader, now, tolerance),
        required=True,
        last_heartbeat=leader.at,
        last_pass=leader.last_pass,
        next_pass_at=leader.next_pass_at,
        pass_since=leader.pass_since,
        errors=leader.errors,
        host=leader.machine,
        pid=leader.pid,
        leader=leader.process_id,
        standbys=tuple(Standby(row.machine, row.pid, row.at) for row in others if now - row.at <= tolerance),
    )


def _state(row: Heartbeat, now: float, tolerance: float) -> State:
    if now - row.at > tolerance:
        return "not_running"
    if row.pass_since is not None and now - row.pass_since > row.deadline:
        return "hung"
    if row.errors and (row.last_pass is None or row.errors[0].at >= row.last_pass.at):
        return "failing"
    if row.pass_since is None and row.next_pass_at is not None and now - row.next_pass_at > LATE_AFTER:
        return "late"
    return "idle" if row.last_pass is not None and row.last_pass.idle else "healthy"
