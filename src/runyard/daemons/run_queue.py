"""The run queue daemon: admits queued runs by priority and limits, and hands them to their locations."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from ..core.clock import Clock
from ..core.daemon import DaemonType
from ..core.errors import LocationUnavailable, RunyardError
from ..core.events import BEGINNING, Cursor
from ..core.launch import LaunchResult
from ..core.lease import Fence
from ..core.queue import Claim, QueueChange, QueueHead
from ..core.run import RunFailure, RunStatus
from ..launchers.base import Launcher
from ..locations.api import Location, Workspace
from ..operations.launch import fail_launch, launch_claims
from ..queue.admission import Admission
from ..queue.lanes import parse_lane
from ..service.daemon import PassResult, Report, Wake, log_report
from ..settings.instance import QueueSettings
from ..storage.protocols import Queue, Runs, RunsFilter, Wakeups

logger = logging.getLogger(__name__)

#: Runs claimed in one transaction.
BATCH = 100
#: Locations that are asked for workers side by side.
MOST_AT_ONCE = 32
#: Changes read at a time.
CHANGES = 1000
#: Seconds between asking a location again that could not be reached.
UNREACHABLE_PAUSE = 2.0
#: Seconds until changes are read again that a transaction which is still under way keeps hidden.
HIDDEN_PAUSE = 0.02
#: Seconds between deletions of applied changes: a transaction a pass would be one too many.
FORGET_EVERY = 5.0


class Handover(msgspec.Struct, frozen=True):
    """A claim on its way to its worker. ``host_id`` has taken it; None while it is being asked."""

    attempt: int
    location_name: str
    host_id: str | None = None


class RunQueueStores(Protocol):
    runs: Runs
    queue: Queue
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
        self._workspace = workspace
        self._launcher = launcher
        self._settings = settings
        self._clock = clock
        self._admission: Admission | None = None
        self._cursor: Cursor = BEGINNING
        self._forgot_at = float("-inf")
        self._locations: set[str] = set()
        #: Launches of this process that are on their way: their workers have not begun.
        self._handed: dict[str, Handover] = {}
        #: A launch may have been lost: look for claimed runs that are on nobody's way.
        self._lost = False
        #: Locations that are left alone for a while: until when, by the steady clock.
        self._unreachable: dict[str, float] = {}
        self._lock = threading.Lock()
        #: By location that is being asked for workers, the claims that wait until it has answered.
        self._waiting: dict[str, list[Claim]] = {}
        self._pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="launch")
        self._wake: Wake = lambda: None
        self._report: Report = log_report

    def attach(self, wake: Wake, report: Report) -> None:
        self._wake, self._report = wake, report

    def stand_by(self) -> None:
        self._admission = None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def run_once(self, now: float, fence: Fence) -> PassResult:
        known = self._admission
        admission = self._load(fence, now) if known is None else self._follow(known, fence, now)
        if self._launch_was_lost():
            self._recover_handovers(fence, now)
            admission = self._follow(admission, fence, now)
        self._apply_availability(admission)
        launched = 0
        while claims := self._claim(admission, fence):
            launched += len(claims)
            self._dispatch(claims)
        if launched:
            self._stores.wakeups.poke("runs")
        return PassResult(self._next_wake(now), _outcome(launched), idle=launched == 0)

    # -- state ------------------------------------------------------------------------------------------------

    def _load(self, fence: Fence, now: float) -> Admission:
        """Read the whole state; the cursor first, so that what changes meanwhile is applied again, harmlessly."""
        queue = self._stores.queue
        self._cursor = queue.change_head()
        rules = queue.rules()
        while queue.relane(fence=fence, rules=rules):
            pass
        self._recover_handovers(fence, now)
        admission = Admission(rules)
        for run in queue.active():
            admission.occupy(run)
        self._read_heads(admission, queue.lanes())
        self._admission = admission
        return admission

    def _recover_handovers(self, fence: Fence, now: float) -> None:
        """Runs that were claimed but are on nobody's way to a worker: back to their place, their tokens are void."""
        self._lost = False
        with self._lock:
            handed = dict(self._handed)
        claimed = self._stores.runs.list(RunsFilter(statuses=(RunStatus.STARTING,)), limit=10_000)
        for run in claimed:
            ours = handed.get(run.run_id)
            if run.host_id is None and (ours is None or ours.attempt != run.attempt):
                self._stores.runs.requeue(
                    run.run_id, attempt=run.attempt, reason="its launch was interrupted", now=now, fence=fence
                )
        # Changes that a load skips may have told of the others.
        for run_id in handed.keys() - {run.run_id for run in claimed}:
            self._arrived(run_id)

    def _launch_was_lost(self) -> bool:
        """Also forgets launches that a host took which is not their location's any more: it may have died with them."""
        present = {name: self._host_of(name) for name in {handed.location_name for handed in self._handed_over()}}
        with self._lock:
            gone = [
                run_id
                for run_id, handed in self._handed.items()
                if handed.host_id is not None and present.get(handed.location_name) not in (None, handed.host_id)
            ]
            for run_id in gone:
                del self._handed[run_id]
        return self._lost or bool(gone)

    def _handed_over(self) -> list[Handover]:
        with self._lock:
            return list(self._handed.values())

    def _host_of(self, name: str) -> str | None:
        location = self._workspace.get(name)
        return None if location is None else location.record().host_id

    def _follow(self, admission: Admission, fence: Fence, now: float) -> Admission:
        read = CHANGES
        while read == CHANGES:
            changes = self._stores.queue.changes(self._cursor, limit=CHANGES)
            if any(change.kind == "rules" for change in changes):
                return self._load(fence, now)
            self._apply(admission, changes)
            read = len(changes)
        if now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            self._stores.queue.forget_changes(self._cursor)
        return admission

    def _apply(self, admission: Admission, changes: Sequence[QueueChange]) -> None:
        for change in changes:
            if change.run_id is not None and change.kind == "ended":
                self._arrived(change.run_id)
                admission.release(change.run_id)
            elif change.run_id is not None and change.kind == "started":
                self._arrived(change.run_id)
                admission.started(change.run_id)
        moved = {change.lane for change in changes if change.kind == "lane" and change.lane is not None}
        self._read_heads(admission, sorted(moved))
        if changes:
            self._cursor = changes[-1].cursor

    def _arrived(self, run_id: str) -> None:
        with self._lock:
            self._handed.pop(run_id, None)

    def _read_heads(self, admission: Admission, lanes: Sequence[str]) -> None:
        if not lanes:
            return
        # Few lanes are read deep, so that a batch is not cut short; many are read shallow, to bound memory.
        asked = max(3, BATCH // len(lanes))
        heads: defaultdict[str, list[QueueHead]] = defaultdict(list)
        for head in self._stores.queue.heads(lanes, per_lane=asked):
            heads[head.lane].append(head)
        for lane in lanes:
            self._locations.add(parse_lane(lane).location)
            admission.set_heads(lane, heads[lane], more=len(heads[lane]) == asked)

    def _apply_availability(self, admission: Admission) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._unreachable = {name: until for name, until in self._unreachable.items() if until > now}
            unreachable = set(self._unreachable)
        for name in self._locations:
            location = self._workspace.get(name)
            if location is None or location.record().definitions is None or name in unreachable:
                admission.pause_location(name)
            else:
                admission.set_capacity(name, self._launcher.capacity())
                admission.resume_location(name)

    def _next_wake(self, now: float) -> float:
        with self._lock:
            pause = min(self._unreachable.values(), default=float("inf")) - self._clock.monotonic()
        if self._stores.queue.changes_hidden(self._cursor):
            # Whoever made them has poked already and will not again.
            pause = min(pause, HIDDEN_PAUSE)
        return now + min(self._settings.dequeue_interval_seconds, max(0.0, pause))

    # -- admission and hand-over ------------------------------------------------------------------------------

    def _claim(self, admission: Admission, fence: Fence) -> Sequence[Claim]:
        """Take a batch and claim it; none when nothing is admissible."""
        heads = self._admit(admission)
        if not heads:
            return ()
        version = admission.rules.version
        claims = self._stores.queue.claim(heads, fence=fence, rules_version=version, now=self._clock.now())
        won = {claim.run_id for claim in claims}
        for head in heads:
            if head.run_id not in won:
                admission.give_back(head)
        if not claims:
            # Rules or lanes moved under us: the next pass follows them first.
            self._wake()
        return claims

    def _admit(self, admission: Admission) -> list[QueueHead]:
        """The next batch. Lanes are read before it, never within: storage does not know yet what it has taken."""
        self._read_heads(admission, admission.hungry())
        heads: list[QueueHead] = []
        while len(heads) < BATCH and (head := admission.next()) is not None:
            heads.append(head)
        return heads

    def _dispatch(self, claims: Sequence[Claim]) -> None:
        by_location: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            with self._lock:
                self._handed[claim.run_id] = Handover(claim.attempt, claim.location_name)
            by_location[claim.location_name].append(claim)
        for name, batch in by_location.items():
            with self._lock:
                if name in self._waiting:
                    self._waiting[name].extend(batch)
                    continue
                self._waiting[name] = []
            self._pool.submit(self._hand_over_all, name, batch)

    def _hand_over_all(self, name: str, claims: Sequence[Claim]) -> None:
        """Runs on a thread of the pool, one for each location, so that one that does not answer delays no other."""
        while claims:
            try:
                self._hand_over(name, claims)
            except Exception as error:
                logger.exception("handing runs over to location '%s' failed", name)
                self._report(error)
            with self._lock:
                claims = self._waiting.pop(name)
                if claims:
                    self._waiting[name] = []

    def _hand_over(self, name: str, claims: Sequence[Claim]) -> None:
        # Before the call: a host that comes in its place meanwhile is another one, and the launch is looked for.
        host_id = self._host_of(name)
        try:
            results = launch_claims(self._location(name), claims)
        except LocationUnavailable as error:
            results = [_unreached(claim, error) for claim in claims]
        except Exception as error:
            logger.exception("launching in location '%s' failed", name)
            self._report(error)
            results = [_unreached(claim, error) for claim in claims]
        self._taken(claims, host_id)
        failed = [result for result in results if result.error]
        for result in failed:
            self._guarded_settle(name, result)
        if failed:
            self._wake()
            self._stores.wakeups.poke("runs")

    def _taken(self, claims: Sequence[Claim], host_id: str | None) -> None:
        with self._lock:
            for claim in claims:
                handed = self._handed.get(claim.run_id)
                if handed is not None and handed.attempt == claim.attempt:
                    self._handed[claim.run_id] = msgspec.structs.replace(handed, host_id=host_id)

    def _location(self, name: str) -> Location:
        location = self._workspace.get(name)
        if location is None:
            raise LocationUnavailable(name, "it left the workspace.")
        return location

    def _guarded_settle(self, name: str, result: LaunchResult) -> None:
        try:
            self._settle(name, result)
        except RunyardError as error:
            # Left STARTING without a host: the next pass, or the next leader, takes it from there.
            logger.warning("run %s: %s", result.run_id, error)
            self._report(error)
            self._arrived(result.run_id)
            self._lost = True

    def _settle(self, name: str, result: LaunchResult) -> None:
        now = self._clock.now()
        if not result.retriable:
            fail_launch(self._stores.runs, result, now=now)
            return
        limit = self._settings.max_user_code_failure_retries
        if limit and result.attempt > limit:
            failure = RunFailure(error_class="LocationUnavailable", message=result.error or "")
            self._stores.runs.fail(
                result.run_id, attempt=result.attempt, expected=(RunStatus.STARTING,), failure=failure, now=now
            )
            return
        pause = self._settings.user_code_failure_retry_delay if limit else UNREACHABLE_PAUSE
        with self._lock:
            self._unreachable[name] = self._clock.monotonic() + pause
        self._stores.runs.requeue(result.run_id, attempt=result.attempt, reason=result.error or "", now=now)


def _unreached(claim: Claim, error: Exception) -> LaunchResult:
    return LaunchResult(run_id=claim.run_id, attempt=claim.attempt, error=str(error), retriable=True)


def _outcome(launched: int) -> str:
    if not launched:
        return "nothing to launch"
    return f"launched {launched} run{'s' if launched != 1 else ''}"
