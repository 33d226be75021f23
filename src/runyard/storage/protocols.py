"""What services may ask of storage: narrow Protocols, one conformance suite for every implementation.

Every method is one transaction and safe to call from any thread. Methods that take ``fence`` first lock the lease row
and raise LeaseLost, with nothing written, when the term has moved on. Any method may raise StorageUnavailable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ..core.daemon import Heartbeat
from ..core.events import BEGINNING, Cursor, Event, StoredEvent
from ..core.host import HostRecord
from ..core.launch import WorkerReport
from ..core.lease import Fence, Lease
from ..core.location import LocationRecord
from ..core.queue import ActiveRun, Claim, QueueChange, QueueHead
from ..core.run import NewRun, Run, RunFailure, RunStatus
from ..core.tick import InstigatorKey, InstigatorState, Tick
from ..queue.rules import Rules


class RunsFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; an empty field does not restrict. ``tags``: all of them, each with its value."""

    run_ids: tuple[str, ...] = ()
    job_name: str | None = None
    location_name: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    tags: Mapping[str, str] = {}
    host_id: str | None = None


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

    def add(self, runs: Sequence[NewRun], *, enqueue: bool, idempotency_key: str | None = None) -> list[Run]:
        """Insert runs, QUEUED (with RUN_ENQUEUED, lane and queue_seq) or NOT_STARTED.

        With an ``idempotency_key`` that was used before, inserts nothing and returns the runs of that time.
        """
        ...

    def get(self, run_id: str) -> Run | None: ...

    def find_by_prefix(self, prefix: str) -> list[Run]:
        """Runs whose id starts with ``prefix``; at most two, enough to tell whether it is unique."""
        ...

    def list(self, where: RunsFilter, *, limit: int, after: str | None = None) -> Sequence[Run]:
        """Newest first by insertion; ``after`` is the run_id that the page before ended with."""
        ...

    def count(self, where: RunsFilter) -> int: ...

    def count_by_status(self) -> dict[RunStatus, int]: ...

    def cancel_waiting(self, run_id: str, *, message: str, now: float) -> Run | None:
        """NOT_STARTED or QUEUED → CANCELED. None when it was in neither."""
        ...

    def cancel_active(self, run_id: str, *, message: str, now: float) -> Run | None:
        """STARTING or STARTED → CANCELING. None when it was in neither."""
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
        """→ FAILURE from one of ``expected`` and only for this attempt; None when it no longer fits."""
        ...

    def end_canceling(
        self, run_id: str, *, attempt: int, message: str, now: float, fence: Fence | None = None
    ) -> Run | None:
        """CANCELING → CANCELED without its worker's word (dead worker, cancel timeout)."""
        ...

    def requeue(self, run_id: str, *, attempt: int, reason: str, now: float, fence: Fence | None = None) -> Run | None:
        """STARTING → QUEUED at its old place: the location could not be reached."""
        ...

    def report(self, reports: Sequence[WorkerReport]) -> Sequence[bool]:
        """Commit what workers say, many runs in one transaction.

        Per report: ``begin`` is the compare-and-set STARTING → STARTED on (run, attempt, token); events of another
        attempt are rejected, repeated ones (same seq) are ignored; ``end`` is a compare-and-set too (a SUCCESS from
        CANCELING stands: finished first; an end that the state does not admit leaves the state as it is).
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


class Queue(Protocol):
    """What the run queue's leader reads and writes, and what a person does to queued runs."""

    def rules(self) -> Rules: ...

    def set_rules(self, rules: Rules) -> Rules:
        """Keep ``rules`` if they differ from the stored ones: version + 1 and a ``rules`` change.

        Returns the stored ones.
        """
        ...

    def relane(self, *, fence: Fence, rules: Rules, limit: int = 1000) -> int:
        """Recompute the lane of up to ``limit`` queued or active runs laned under older rules; returns how many."""
        ...

    def lanes(self) -> Sequence[str]:
        """Every lane that has a queued run that is not held."""
        ...

    def heads(self, lanes: Sequence[str], *, per_lane: int = 3) -> Sequence[QueueHead]:
        """The first runs of each lane by (-priority, seq), held ones left out."""
        ...

    def active(self) -> Sequence[ActiveRun]: ...

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
        """Delete changes that the leader has applied."""
        ...

    def claim(self, heads: Sequence[QueueHead], *, fence: Fence, rules_version: int, now: float) -> Sequence[Claim]:
        """QUEUED → STARTING for those still queued in the lane given and not held; the rows won, in order.

        RUN_DEQUEUED and RUN_STARTING events, a new token, attempt + 1 and the next launch_seq are in the transaction.
        Returns none when the stored rules are of another version.
        """
        ...

    def start_directly(self, run_id: str, *, now: float) -> Claim | None:
        """NOT_STARTED → STARTING for the direct coordinator; None when it was not NOT_STARTED."""
        ...

    def queued(self, *, limit: int) -> Sequence[Run]:
        """Queued runs, held ones too, by (-priority, seq)."""
        ...

    def depth(self) -> int: ...

    def set_priority(self, run_id: str, priority: int, *, by: str, now: float) -> Run | None:
        """New priority and ``dagster/priority`` tag of a queued run, with an engine event; None unless QUEUED."""
        ...

    def hold(self, run_id: str, *, by: str, reason: str, now: float) -> Run | None: ...

    def release(self, run_id: str, *, by: str, now: float) -> Run | None: ...


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
        named in ``duplicate_run_keys``; a SUCCESS tick of which nothing is left becomes SKIPPED.
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
    def publish(self, record: LocationRecord) -> None: ...

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


class Stores(Protocol):
    """All of an instance's storage; services are handed only the members that they use."""

    runs: Runs
    events: Events
    queue: Queue
    ticks: Ticks
    leases: Leases
    heartbeats: Heartbeats
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
