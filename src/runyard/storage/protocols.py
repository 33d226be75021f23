"""What services may ask of storage: narrow Protocols, one conformance suite for every implementation.

Every method is one transaction and safe to call from any thread. Methods that take ``fence`` first lock the lease row
and raise LeaseLost, with nothing written, when the term has moved on. Any method may raise StorageUnavailable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ..core.bounds import check_filter
from ..core.daemon import Heartbeat
from ..core.events import BEGINNING, Cursor, Event, StoredEvent
from ..core.host import HostRecord
from ..core.launch import WorkerReport
from ..core.lease import Fence, Lease
from ..core.location import LeftAlone, LocationRecord
from ..core.policies import RunPolicies
from ..core.pools import PoolHolder, PoolWaiter
from ..core.process import ProcessRecord
from ..core.queue import (
    ActiveRun,
    AuditEntry,
    Claim,
    Estimate,
    Launch,
    LimitChange,
    PastRun,
    QueueChange,
    QueueFilter,
    QueueHead,
    Steered,
    Steering,
)
from ..core.request_key import RequestKey
from ..core.run import NewRun, Run, RunFailure, RunStatus
from ..core.tick import InstigatorKey, InstigatorState, Tick
from ..queue.pool_wait import PoolWait
from ..queue.rules import Pause, PauseScope, Rules


class RunsFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; an empty field does not restrict. ``tags``: all of them, each with its value.

    Raises:
        TooLarge: see ``bounds.check_filter``.
    """

    run_ids: tuple[str, ...] = ()
    job_name: str | None = None
    location_name: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    tags: Mapping[str, str] = {}
    host_id: str | None = None

    def __post_init__(self) -> None:
        check_filter(self.job_name, self.location_name, tags=self.tags)


class RunAddition(msgspec.Struct, frozen=True, kw_only=True):
    """A run to insert in a transaction with others, and the key that may make it a duplicate."""

    run: NewRun
    run_key: str | None = None


class TickOutcome(msgspec.Struct, frozen=True):
    """What committing a tick did: the tick as stored and the runs that it inserted."""

    tick: Tick
    runs: tuple[Run, ...]


class Runs(Protocol):
    """Runs and the changes of their status. Each change is a compare-and-set with its event in the transaction."""

    def add(self, runs: Sequence[NewRun], *, enqueue: bool, key: RequestKey | None = None) -> list[Run]:
        """Insert runs, QUEUED (with RUN_ENQUEUED, lane and queue_seq) or NOT_STARTED.

        Whoever has many adds a few hundred at a time, so that other writers get in between.

        With a ``key`` that was used before, for the same request, inserts nothing and returns the runs of that time.
        Where an overlap policy has a run take the place of others, those are CANCELED or, when active, CANCELING
        afterwards: poke ``cancel``.

        Raises:
            OverlapRefused: the overlap policy of one of them refuses it; nothing was inserted.
            KeyReused: the key was used for another request.
            TooLarge, InvalidTag: one of them may not be stored, see ``core.bounds``.
        """
        ...

    def get(self, run_id: str) -> Run | None: ...

    def find_by_prefix(self, prefix: str) -> list[Run]:
        """Runs whose id starts with ``prefix``; at most two, enough to tell whether it is unique."""
        ...

    def list(self, where: RunsFilter, *, limit: int, after: str | None = None) -> Sequence[Run]:
        """Newest first by insertion; ``after`` is the run_id that the page before ended with.

        Raises:
            UnknownCursor: there is no such run, or it was deleted since.
        """
        ...

    def count(self, where: RunsFilter) -> int: ...

    def count_by_status(self) -> dict[RunStatus, int]: ...

    def has_tag(self, key: str, value: str | None = None) -> bool:
        """Whether any run has the tag, with this value or, without one, with any."""
        ...

    def latest_tags(self, limit: int) -> dict[str, set[str]]:
        """Keys and values of the tags that the newest ``limit`` runs have."""
        ...

    def cancel_waiting(self, run_id: str, *, message: str, now: float) -> Run | None:
        """NOT_STARTED or QUEUED → CANCELED. None when it was in neither."""
        ...

    def cancel_active(self, run_id: str, *, message: str, now: float, failure: RunFailure | None = None) -> Run | None:
        """STARTING or STARTED → CANCELING. None when it was in neither.

        With ``failure`` (max runtime) the run becomes FAILURE for that reason, where it would become CANCELED.
        """
        ...

    def cancel_stopping(self, run_id: str, *, message: str, now: float) -> Run | None:
        """A run that is CANCELING for a failure forgets it: it becomes CANCELED. None when there is no such run."""
        ...

    def fail(
        self,
        run_id: str,
        *,
        attempt: int,
        expected: Iterable[RunStatus],
        failure: RunFailure,
        now: float,
        fence: Fence | None = None,
    ) -> Run | None:
        """→ FAILURE from one of ``expected`` and only for this attempt; None when it no longer fits.

        Where the policies in force say so, its retry is queued in the same transaction, here and wherever else a run
        becomes FAILURE: poke ``queue``.
        """
        ...

    def lose_worker(
        self, run_id: str, *, attempt: int, failure: RunFailure, now: float, fence: Fence | None = None
    ) -> Run | None:
        """The attempt's worker is gone without its end: a STARTED run goes on as the next attempt (STARTING, with a
        new launch token; poke ``resume``) while the policies in force leave it one, a CANCELING one ends, any other
        active one fails. None when it no longer fits.
        """
        ...

    def end_canceling(
        self, run_id: str, *, attempt: int, message: str, now: float, fence: Fence | None = None
    ) -> Run | None:
        """CANCELING → CANCELED (FAILURE, see ``cancel_active``) without its worker's word: dead, or out of time."""
        ...

    def requeue(self, run_id: str, *, attempt: int, reason: str, now: float, fence: Fence | None = None) -> Run | None:
        """STARTING → QUEUED at its old place: the location could not be reached."""
        ...

    def report(self, reports: Sequence[WorkerReport]) -> Sequence[bool]:
        """Commit what workers say, many runs in one transaction.

        Per report: ``begin`` is the compare-and-set STARTING → STARTED on (run, attempt, token); events of another
        attempt are rejected, repeated ones (same seq) are ignored; ``end`` is a compare-and-set too (a SUCCESS from
        CANCELING stands: finished first; an end that the state does not admit leaves the state as it is). An event
        that ends a try of a step gives back the slots that the step holds.
        True: accepted (also when it was a repetition). False: this attempt was given up on.
        """
        ...

    def assign_host(self, run_id: str, *, attempt: int, host_id: str, pid: int | None) -> None:
        """Note which host owns the attempt's worker (at hand-over and at adoption)."""
        ...

    def note(self, event: Event) -> None:
        """Record an engine event on a run."""
        ...

    def delete(self, run_id: str) -> bool:
        """Delete a finished run with its events and tags; run keys stay.

        Raises WrongState unless it is finished or NOT_STARTED.
        """
        ...


class Events(Protocol):
    """The event log, read in commit order: a reader never misses a row that commits late with a lower id."""

    def of_run(self, run_id: str, *, after: Cursor = BEGINNING, limit: int = 1000) -> Sequence[StoredEvent]: ...

    def since(self, after: Cursor, *, limit: int = 1000) -> Sequence[StoredEvent]:
        """Events of every run."""
        ...

    def head(self) -> Cursor:
        """The place after the newest event that every reader may see."""
        ...


EVERY_QUEUED = QueueFilter()


class Queue(Protocol):
    """What the run queue's leader reads and writes, and what a person does to queued runs."""

    def rules(self) -> Rules:
        """The rules in force: what the instance file says, with what people changed since, and all pauses."""
        ...

    def relane(self, *, fence: Fence, rules: Rules, limit: int = 1000) -> int:
        """Recompute the lane of up to ``limit`` queued or active runs laned under older rules; returns how many.

        Active ones come first. Each lane that lost or gained a queued run gets a ``lane`` change.
        """
        ...

    def relane_runs(self, run_ids: Sequence[str], *, fence: Fence, rules: Rules) -> Sequence[str]:
        """The same for these queued runs, without a change; returns the lanes to read again.

        These are those that the runs are in now, moved or not, and those that they have left.
        """
        ...

    def has_old_lanes(self) -> bool:
        """Whether some queued or active run is still in a lane computed before a key was tracked."""
        ...

    def lanes(self, *, after: str = "", limit: int | None = None) -> Sequence[str]:
        """Lanes that have a queued run that is not held, in the order of their text."""
        ...

    def heads(
        self, lanes: Sequence[str], *, per_lane: int = 3, since: Mapping[str, tuple[int, int]] | None = None
    ) -> Sequence[QueueHead]:
        """The first runs of each lane by (-priority, seq), held ones left out.

        ``since``: of a lane that it names, those at or behind this (-priority, seq).
        """
        ...

    def in_order(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        """Queued runs that are not held, by (-priority, seq), from behind that place on."""
        ...

    def held(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        """The same of the held ones."""
        ...

    def active(self) -> Sequence[ActiveRun]: ...

    def launches(self, since: float) -> Sequence[Launch]:
        """Launches at or after ``since``, oldest first, whatever became of the runs."""
        ...

    def count_launches(self, since: float) -> int:
        """How many there were at or after ``since``."""
        ...

    def change_head(self) -> Cursor:
        """The place after the newest change: load state after reading it, then follow from it."""
        ...

    def changes(self, after: Cursor, *, limit: int = 1000) -> Sequence[QueueChange]:
        """Changes in commit order."""
        ...

    def changes_hidden(self, after: Cursor) -> bool:
        """Whether there are committed changes that ``changes`` does not give yet: an older transaction is under way."""
        ...

    def forget_changes(self, up_to: Cursor) -> None:
        """Delete changes that the leader has applied, in as many transactions as it takes."""
        ...

    def claim(self, heads: Sequence[QueueHead], *, fence: Fence, rules_version: int, now: float) -> Sequence[Claim]:
        """QUEUED → STARTING for those still queued in the lane given and not held; the rows won, in order.

        RUN_DEQUEUED and RUN_STARTING events, a new token, attempt + 1 and the next launch_seq are in the transaction.
        A run whose lane was computed before a key that is tracked now is not won. Returns none when the stored rules
        are of another version. Other writers wait meanwhile: 250 heads take SQLite about 20 ms.
        """
        ...

    def start_directly(self, run_id: str, *, now: float) -> Claim | None:
        """NOT_STARTED → STARTING for the direct coordinator; None when it was not NOT_STARTED."""
        ...

    def queued(self, *, limit: int) -> Sequence[Run]:
        """Queued runs, held ones too, by (-priority, seq)."""
        ...

    def depth(self, where: QueueFilter = EVERY_QUEUED) -> int: ...

    def oldest(self) -> float | None:
        """When the queued run was enqueued that waits longest, held ones left out; None when nothing waits."""
        ...

    def positions(self, runs: Sequence[Run]) -> dict[str, int]:
        """By run id, the rank of queued runs by (-priority, seq) among those that are not held, counted from 1."""
        ...

    def overtaken(self, run: Run, *, limit: int = 1000) -> Sequence[Run]:
        """Runs enqueued later than this queued run and launched since it was queued, the last launched first."""
        ...

    def steer(
        self, where: QueueFilter, steering: Steering, *, now: float, after: int | None = None, limit: int = 1000
    ) -> Steered:
        """Do the same to up to ``limit`` queued runs that match, from behind the row ``after`` on, in one transaction.

        Each run changed gets an engine event that names who and why; a new priority also replaces the
        ``dagster/priority`` tag. Runs that are so already are passed over.
        """
        ...

    def expect(self, estimates: Sequence[Estimate]) -> None:
        """Note when runs are expected to start; a run's first estimate stays. The newest 1,000 are kept."""
        ...

    def estimates(self, *, limit: int = 200) -> Sequence[Estimate]:
        """The newest estimates whose runs have started."""
        ...


class Limits(Protocol):
    """What admission obeys, as people and the instance file set it. Each change that says anything new raises their
    version and writes a ``rules`` change; what a person did leaves an audit entry in the same transaction.
    """

    def configure(self, rules: Rules) -> Rules:
        """Take over what the instance file says; what people changed since stays on top. Returns the rules in force."""
        ...

    def configured(self) -> Rules:
        """What the instance file says, without what people changed."""
        ...

    def change(self, change: LimitChange, *, by: str, now: float) -> Rules:
        """Put another limit in force until it is taken back."""
        ...

    def changed(self) -> Sequence[LimitChange]:
        """The limits that people set, in force in place of the file's."""
        ...

    def pause(self, pause: Pause) -> Rules:
        """Add a pause; one of the same subject is replaced."""
        ...

    def resume(self, scope: PauseScope, name: str = "", value: str = "", *, by: str, now: float) -> Pause | None:
        """End a pause; None when there is none."""
        ...

    def lift_lapsed(self, *, now: float, fence: Fence) -> int:
        """Take away pauses whose ``until`` has passed; returns how many."""
        ...

    def note(self, *, action: str, subject: str, message: str, by: str, now: float) -> None:
        """Leave an audit entry about something that spans transactions, such as a steering in bulk."""
        ...

    def audit(self, *, limit: int, before: int | None = None) -> Sequence[AuditEntry]:
        """Newest first."""
        ...


class PoolSlots(Protocol):
    """Step slots in pools: holder rows beside a guarded counter, and the steps that wait for one. What ends a try of a
    step or a run gives its slots back in that transaction, and grants them to whoever is next: the highest priority
    first, then who came first, nobody past one who does not fit yet. Grants and releases write a ``pool`` change.
    """

    def claim(
        self, run_id: str, step_key: str, *, attempt: int, pool: str, slots: int, priority: int, now: float
    ) -> bool:
        """Take slots for a step of an active run's attempt, or wait for them; True when it holds them.

        Asking again is how a waiting step learns that they were granted; it keeps its place, and its first priority.
        A pool without a limit always has room, one that is paused or has a limit of 0 has none. At run granularity it
        is True for every active run, and nothing is taken.

        Raises:
            NeverAdmissible: the step takes more slots than the pool has.
        """
        ...

    def free(self, run_id: str, step_key: str, *, attempt: int) -> None:
        """Give back what the step holds, or its place among those that wait; nothing when it has neither."""
        ...

    def holders(self, pools: Sequence[str] | None = None) -> Sequence[PoolHolder]:
        """Who holds slots, those of ``pools`` or of all, in the order in which they took them."""
        ...

    def waiters(self, pools: Sequence[str] | None = None) -> Sequence[PoolWaiter]:
        """Who waits, in the order in which they will be served in each pool."""
        ...

    def waits(self, run_id: str, *, now: float) -> Sequence[PoolWait]:
        """The steps of a run that wait, each with its pool as it finds it under the rules of ``now``."""
        ...


class Policies(Protocol):
    """What becomes of failed runs and lost workers, kept where every process that ends a run reads it."""

    def configure(self, policies: RunPolicies) -> None:
        """Take over what the instance file says."""
        ...

    def in_force(self) -> RunPolicies: ...


class Ticks(Protocol):
    """Schedules' and sensors' states, ticks and run keys."""

    def state(self, key: InstigatorKey) -> InstigatorState | None: ...

    def states(self) -> Sequence[InstigatorState]: ...

    def put_state(self, state: InstigatorState, *, fence: Fence | None = None) -> None:
        """Insert or replace; the stored version grows, and none comes again, not even after ``delete_state``."""
        ...

    def change_state(
        self,
        key: InstigatorKey,
        change: Callable[[InstigatorState | None], InstigatorState],
        *,
        fence: Fence | None = None,
    ) -> InstigatorState:
        """Store what ``change`` makes of the state as it is, with nobody writing in between; the same state: nothing.

        Returns the stored state.
        """
        ...

    def set_cursor(self, key: InstigatorKey, cursor: str | None) -> None: ...

    def delete_state(self, key: InstigatorKey, *, version: int | None = None, fence: Fence | None = None) -> None:
        """Delete the state; with ``version`` only while it is the stored one."""
        ...

    def commit(
        self,
        tick: Tick,
        state: InstigatorState,
        runs: Sequence[RunAddition],
        *,
        enqueue: bool,
        fence: Fence,
        now: float,
    ) -> TickOutcome:
        """Insert an ended tick with its runs, run keys and the instigator's new state, in one transaction.

        ``state`` carries the version that the evaluation started from. When the stored version is another (a person
        stopped it or moved its cursor meanwhile), the tick is stored as SKIPPED saying so, without runs, and the state
        stays. A schedule's time that has a tick already is left alone and that tick returned, except a FAILURE, which
        a retry replaces (``failure_count`` + 1).
        Runs whose key exists already, by (sensor, key) or (schedule, time, key), or twice in ``runs``, are left out and
        named in ``duplicate_run_keys``; those that an overlap policy refuses are left out and told of in ``refused``,
        and their keys stay free. A SUCCESS tick of which nothing is left becomes SKIPPED.
        """
        ...

    def list(self, key: InstigatorKey, *, limit: int, before: float | None = None) -> Sequence[Tick]:
        """Newest first."""
        ...


class Leases(Protocol):
    """Expiry is judged by the database's clock."""

    def acquire(self, name: str, *, holder: str, seconds: float) -> Lease | None:
        """Take a free or expired lease (term + 1) or renew one's own (same term); None while another holds it."""
        ...

    def release(self, name: str, *, holder: str, term: int) -> None: ...

    def list(self) -> Sequence[Lease]: ...


class Heartbeats(Protocol):
    def beat(self, heartbeat: Heartbeat) -> None:
        """Insert or replace the row of (daemon, process)."""
        ...

    def all(self) -> Sequence[Heartbeat]: ...

    def forget_process(self, process_id: str) -> None: ...


class Processes(Protocol):
    """Processes that serve the instance, those too that died without a word."""

    def put(self, process: ProcessRecord) -> None: ...

    def all(self) -> Sequence[ProcessRecord]:
        """Those that started first come first."""
        ...

    def remove(self, process_id: str) -> None: ...


class Hosts(Protocol):
    def register(self, host: HostRecord) -> None: ...

    def renew(self, host_id: str, *, seconds: float) -> bool:
        """Extend the lease by the database's clock; False when the host was given up on."""
        ...

    def all(self) -> Sequence[HostRecord]: ...

    def lapsed(self) -> Sequence[HostRecord]:
        """Hosts whose lease has run out by the database's clock."""
        ...

    def remove(self, host_id: str) -> None: ...


class Locations(Protocol):
    def publish(self, record: LocationRecord) -> None:
        """Insert or replace what is known of a location, except ``left_alone``."""
        ...

    def leave_alone(self, name: str, left_alone: LeftAlone | None, *, fence: Fence) -> None:
        """Say until when nothing is launched at a location; None: it launches."""
        ...

    def get(self, name: str) -> LocationRecord | None: ...

    def all(self) -> Sequence[LocationRecord]: ...

    def remove(self, name: str) -> None: ...


class Wakeups(Protocol):
    """Hints between processes that share the database. Only hints: intervals are the safety net."""

    def poke(self, topic: str) -> None:
        """Tell every listening process, this one too, that ``topic`` (``queue``, ``runs``, ``locations``) moved."""
        ...

    def listen(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call ``callback(topic)`` from a thread of storage's own; returns a function that ends it."""
        ...


class History(Protocol):
    """Runs as they went through the queue."""

    def between(self, since: float, until: float, *, limit: int) -> Sequence[PastRun]:
        """Runs that were queued or active at some time from ``since`` on and before ``until``, oldest first."""
        ...


class Stores(Protocol):
    """All of an instance's storage; services are handed only the members that they use."""

    runs: Runs
    events: Events
    queue: Queue
    history: History
    limits: Limits
    pool_slots: PoolSlots
    policies: Policies
    ticks: Ticks
    leases: Leases
    heartbeats: Heartbeats
    processes: Processes
    hosts: Hosts
    locations: Locations
    wakeups: Wakeups

    def ping(self) -> float:
        """Seconds that one trivial query took."""
        ...

    def describe(self) -> dict[str, Any]:
        """Kind, place and schema revision, for people."""
        ...

    def close(self) -> None: ...
