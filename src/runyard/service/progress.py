"""What one daemon is doing, written by its loop and read by the pulse that reports it."""

from __future__ import annotations

import threading

from ..core.clock import Clock
from ..core.daemon import (
    ERRORS_KEPT,
    ERRORS_KEPT_SECONDS,
    DaemonError,
    DaemonType,
    Heartbeat,
    PassRecord,
)


class Progress:
    """Thread-safe record of a daemon's leadership, passes and recent errors."""

    def __init__(self, daemon_type: DaemonType, *, deadline: float, clock: Clock) -> None:
        self.daemon_type = daemon_type
        self._deadline = deadline
        self._clock = clock
        self._lock = threading.Lock()
        self._term: int | None = None
        self._pass_since: float | None = None
        self._last_pass: PassRecord | None = None
        self._next_pass_at: float | None = None
        self._errors: tuple[DaemonError, ...] = ()

    @property
    def term(self) -> int | None:
        """The term of the lease that is held, None while another leads."""
        with self._lock:
            return self._term

    def lead(self, term: int | None) -> None:
        with self._lock:
            self._term = term

    def pass_began(self) -> None:
        with self._lock:
            self._pass_since = self._clock.now()

    def pass_ended(self, outcome: str, *, idle: bool, next_pass_at: float) -> None:
        with self._lock:
            now = self._clock.now()
            began = self._pass_since or now
            self._last_pass = PassRecord(at=began, seconds=now - began, outcome=outcome, idle=idle)
            self._pass_since, self._next_pass_at = None, next_pass_at

    def pass_failed(self, error: BaseException, *, next_pass_at: float) -> None:
        with self._lock:
            self._pass_since, self._next_pass_at = None, next_pass_at
        self.error(error)

    def error(self, error: BaseException) -> None:
        """Keep an error among the newest few."""
        entry = DaemonError(at=self._clock.now(), error_class=type(error).__name__, message=str(error))
        with self._lock:
            self._errors = (entry, *self._errors)[:ERRORS_KEPT]

    def hung(self) -> bool:
        """Whether the pass under way has outlived its deadline."""
        with self._lock:
            return self._pass_since is not None and self._clock.now() - self._pass_since > self._deadline

    def heartbeat(self, *, process_id: str, machine: str, pid: int, started_at: float) -> Heartbeat:
        """The row to write now."""
        now = self._clock.now()
        with self._lock:
            self._errors = tuple(e for e in self._errors if now - e.at <= ERRORS_KEPT_SECONDS)
            return Heartbeat(
                daemon_type=self.daemon_type,
                process_id=process_id,
                machine=machine,
                pid=pid,
                at=now,
                started_at=started_at,
                leader=self._term is not None,
                term=self._term or 0,
                last_pass=self._last_pass,
                pass_since=self._pass_since,
                deadline=self._deadline,
                next_pass_at=self._next_pass_at,
                errors=self._errors,
            )
