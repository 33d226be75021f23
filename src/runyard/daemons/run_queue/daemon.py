"""The daemon: as leader it follows the queue, claims what is admissible and has it handed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...core.clock import Clock
from ...core.daemon import DaemonType
from ...core.lease import Fence
from ...core.queue import Claim, QueueHead
from ...launchers.base import Launcher
from ...locations.api import Workspace
from ...operations.queue.ahead import QueueViewStores
from ...queue.admission.admission import Admission
from ...service.daemon import PassResult, Report, Wake
from ...settings.instance import InstanceSettings, QueueSettings
from ...storage.protocols import Wakeups
from .availability import Availability
from .back_off import BackOff
from .estimating import Estimating
from .handover import Handover
from .mirror import Mirror

#: Runs claimed in one transaction.
BATCH = 500
#: Runs whose lanes are computed again together when they are found at the front.
STALE = 100
#: Lanes that are moved between two looks at the time, after rules have come or many lanes were read.
SETTLED_AT_ONCE = 5_000
#: Seconds after which a pass that still finds something to launch ends, and the next one begins.
SLICE = 0.25
#: Seconds until changes are read again that a transaction which is still under way keeps hidden.
HIDDEN_PAUSE = 0.02


class RunQueueStores(QueueViewStores, Protocol):
    wakeups: Wakeups


class RunQueueDaemon:
    """Keeps the queue's state in memory as leader, follows its changes and launches what is admissible."""

    type = DaemonType.QUEUED_RUN_COORDINATOR
    deadline = 60.0

    def __init__(
        self,
        stores: RunQueueStores,
        workspace: Workspace,
        launcher: Launcher,
        settings: QueueSettings,
        *,
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._launcher = launcher
        self._settings = settings
        self._clock = clock
        self._back_off = BackOff(clock)
        self._handover = Handover(stores, workspace, settings, self._back_off, clock)
        self._availability = Availability(stores.locations, workspace, launcher, self._back_off)
        self._estimating = Estimating(stores, clock)
        self._mirror: Mirror | None = None
        self._wake: Wake = lambda: None

    def attach(self, wake: Wake, report: Report) -> None:
        self._wake = wake
        self._handover.attach(wake, report)
        self._estimating.report = report

    def configure(self, settings: InstanceSettings) -> None:
        self._settings = settings.queue
        self._handover.configure(settings.queue)

    def stand_by(self) -> None:
        self._mirror = None

    def close(self) -> None:
        self._handover.close()
        self._estimating.close()

    def run_once(self, now: float, fence: Fence) -> PassResult:
        mirror = self._following(fence, now)
        self._lift_lapsed(mirror, fence, now)
        until = self._clock.monotonic() + SLICE
        launched, more = 0, True
        while more and self._clock.monotonic() <= until:
            claimed, more = self._step(mirror, fence, until)
            launched += claimed
        if launched:
            self._stores.wakeups.poke("runs")
        self._estimating.look_if_due()
        wake_at = now if more or mirror.relaning else self._next_wake(mirror, now)
        return PassResult(wake_at, _outcome(launched), idle=launched == 0)

    def _following(self, fence: Fence, now: float) -> Mirror:
        """The picture of the queue, brought up to date."""
        mirror = self._mirror
        if mirror is None:
            mirror = Mirror(self._stores, self._handover, batch=self._batch())
            mirror.load(fence, now)
            self._availability.begin()
            self._mirror = mirror
        else:
            mirror.relane_some(fence)
            mirror.follow(fence, now)
        if self._handover.was_lost():
            self._handover.recover(fence, now)
            mirror.follow(fence, now)
        return mirror

    def _batch(self) -> int:
        """Runs that are worth taking at a time: more than the launcher starts would only wait elsewhere."""
        capacity = self._launcher.capacity()
        return BATCH if capacity is None else min(BATCH, capacity)

    def _lift_lapsed(self, mirror: Mirror, fence: Fence, now: float) -> None:
        rules = mirror.admission.rules
        if rules.at(now) is not rules and self._stores.limits.lift_lapsed(now=now, fence=fence):
            mirror.follow(fence, now)

    def _step(self, mirror: Mirror, fence: Fence, until: float) -> tuple[int, bool]:
        """Launch a batch: how many, and whether the next can be taken at once."""
        self._read_more(mirror, fence)
        # One moment for both: a rate counts the launches that storage knows by their times.
        now = self._clock.now()
        mirror.admission.pass_time(now)
        if not mirror.admission.settle(SETTLED_AT_ONCE):
            return 0, True
        fresh, stale = self._admit(mirror, fence, until)
        claims = self._claim(mirror.admission, fresh, fence, now)
        self._handover.dispatch(claims)
        if stale:
            mirror.relane_runs(stale, fence)
        if stale or len(claims) < len(fresh):
            # Rules or lanes have moved under us: the next pass follows them first.
            self._wake()
            return len(claims), False
        return len(claims), len(fresh) == BATCH or mirror.feed.is_asked(self._availability.locations())

    def _read_more(self, mirror: Mirror, fence: Fence) -> bool:
        read = mirror.feed.refill(self._availability.locations())
        # Before anything is taken: what was read may be in a location that cannot launch.
        self._availability.apply(mirror.admission, mirror.feed.locations, fence)
        return read

    def _admit(self, mirror: Mirror, fence: Fence, until: float) -> tuple[list[QueueHead], list[QueueHead]]:
        """The next runs in order, and behind them some whose lanes are of another time: nothing may overtake those.

        Reads on while that yields runs: a transaction is worth most when its batch is full.
        """
        fresh: list[QueueHead] = []
        stale: list[QueueHead] = []
        read_at = 0
        while len(fresh) < BATCH and len(stale) < STALE:
            head = mirror.admission.next()
            if head is None:
                if len(fresh) == read_at or stale or self._clock.monotonic() > until:
                    break
                read_at = len(fresh)
                if not self._read_more(mirror, fence):
                    break
            elif head.stale:
                stale.append(head)
            elif stale:
                mirror.admission.give_back(head)
                break
            else:
                fresh.append(head)
        return fresh, stale

    def _claim(self, admission: Admission, heads: Sequence[QueueHead], fence: Fence, now: float) -> Sequence[Claim]:
        if not heads:
            return ()
        version = admission.rules.version
        claims = self._stores.queue.claim(heads, fence=fence, rules_version=version, now=now)
        won = {claim.run_id for claim in claims}
        for head in heads:
            if head.run_id not in won:
                admission.give_back(head)
        return claims

    def _next_wake(self, mirror: Mirror, now: float) -> float:
        pause = self._back_off.next_try()
        if mirror.changes_hidden():
            # Whoever made them has poked already and will not again.
            pause = min(pause, HIDDEN_PAUSE)
        event = mirror.admission.next_event()
        if event is not None:
            pause = min(pause, event - now)
        return now + min(self._settings.dequeue_interval_seconds, max(0.0, pause))


def _outcome(launched: int) -> str:
    if not launched:
        return "nothing to launch"
    return f"launched {launched} run{'s' if launched != 1 else ''}"
