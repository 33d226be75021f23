"""Claimed runs on their way to their workers."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from ...core.clock import Clock
from ...core.errors import LocationUnavailable, RunyardError
from ...core.launch import LaunchResult
from ...core.lease import Fence
from ...core.location import LocationState
from ...core.queue import Claim
from ...core.run import RunFailure, RunStatus
from ...locations.api import Location, Workspace
from ...operations.launch import fail_launch, launch_claims
from ...service.daemon import Report, Wake, log_report
from ...settings.instance import QueueSettings
from ...storage.protocols import Runs, RunsFilter, Wakeups
from .back_off import BackOff

logger = logging.getLogger(__name__)

#: Locations that are asked for workers side by side.
MOST_AT_ONCE = 32
_MANY = 10_000


class _OnItsWay(msgspec.Struct, frozen=True):
    """``host_id`` has taken the claim; None while it is being asked."""

    attempt: int
    location_name: str
    host_id: str | None = None


class HandoverStores(Protocol):
    runs: Runs
    wakeups: Wakeups


class Handover:
    """Hands claims to their locations, one thread for each, and settles those that could not be handed over."""

    def __init__(
        self, stores: HandoverStores, workspace: Workspace, settings: QueueSettings, back_off: BackOff, clock: Clock
    ) -> None:
        self._stores = stores
        self._workspace = workspace
        self._settings = settings
        self._back_off = back_off
        self._clock = clock
        self._lock = threading.Lock()
        #: Launches of this process whose workers have not begun, by run.
        self._on_their_way: dict[str, _OnItsWay] = {}
        #: Those of them that a host has taken, by location and host: many may be, and every pass asks.
        self._taken_by: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        #: By location that is being asked for workers, the claims that wait until it has answered.
        self._waiting: dict[str, list[Claim]] = {}
        #: A launch may have been lost: look for claimed runs that are on nobody's way.
        self._lost = False
        self._pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="launch")
        self._wake: Wake = lambda: None
        self._report: Report = log_report

    def configure(self, settings: QueueSettings) -> None:
        self._settings = settings

    def attach(self, wake: Wake, report: Report) -> None:
        self._wake, self._report = wake, report

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def dispatch(self, claims: Sequence[Claim]) -> None:
        """Have the claims handed over; returns at once."""
        by_location: defaultdict[str, list[Claim]] = defaultdict(list)
        with self._lock:
            for claim in claims:
                self._forget(claim.run_id)
                self._on_their_way[claim.run_id] = _OnItsWay(claim.attempt, claim.location_name)
                by_location[claim.location_name].append(claim)
        for name, batch in by_location.items():
            with self._lock:
                if name in self._waiting:
                    self._waiting[name].extend(batch)
                    continue
                self._waiting[name] = []
            self._pool.submit(self._hand_over_all, name, batch)

    def arrived(self, run_id: str) -> None:
        """Its worker has begun, or it is over."""
        with self._lock:
            self._forget(run_id)

    def was_lost(self) -> bool:
        """Whether a launch may have been lost since ``recover``.

        Also forgets launches that a host took which is not their location's any more: they may have died with it.
        """
        with self._lock:
            hosts = list(self._taken_by)
        gone = [(name, host_id) for name, host_id in hosts if self._host_of(name) not in (None, host_id)]
        with self._lock:
            for run_id in [run_id for host in gone for run_id in self._taken_by.get(host, ())]:
                self._forget(run_id)
        return self._lost or bool(gone)

    def recover(self, fence: Fence, now: float) -> None:
        """Runs that were claimed but are on nobody's way to a worker: back to their place, their tokens are void."""
        self._lost = False
        with self._lock:
            ours = dict(self._on_their_way)
        claimed = self._stores.runs.list(RunsFilter(statuses=(RunStatus.STARTING,)), limit=_MANY)
        for run in claimed:
            known = ours.get(run.run_id)
            # One that carries on as another attempt never was the queue's: the resumer has it launched.
            if run.host_id is None and not run.resumes and (known is None or known.attempt != run.attempt):
                reason = "its launch was interrupted"
                self._stores.runs.requeue(run.run_id, attempt=run.attempt, reason=reason, now=now, fence=fence)
        # Whoever loads the queue anew skips the changes that told of the others.
        for run_id in ours.keys() - {run.run_id for run in claimed}:
            self.arrived(run_id)

    # -- on the threads of the pool ---------------------------------------------------------------------------

    def _hand_over_all(self, name: str, claims: Sequence[Claim]) -> None:
        """One thread for each location, so that one that does not answer delays no other."""
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
        host_id, incarnation = self._host_of(name), incarnation_of(self._workspace.get(name))
        results = self._launch(name, claims)
        self._taken(claims, host_id)
        failed = [result for result in results if result.error]
        recovered = not any(result.retriable for result in failed) and self._back_off.succeeded(name)
        for result in failed:
            self._guarded_settle(name, result, incarnation)
        if failed:
            self._stores.wakeups.poke("runs")
        if failed or recovered:
            self._wake()

    def _launch(self, name: str, claims: Sequence[Claim]) -> Sequence[LaunchResult]:
        try:
            return launch_claims(self._location(name), claims)
        except LocationUnavailable as error:
            return [_unreached(claim, error.reason) for claim in claims]
        except Exception as error:
            logger.exception("launching in location '%s' failed", name)
            self._report(error)
            return [_unreached(claim, str(error)) for claim in claims]

    def _taken(self, claims: Sequence[Claim], host_id: str | None) -> None:
        with self._lock:
            for claim in claims:
                known = self._on_their_way.get(claim.run_id)
                if host_id is not None and known is not None and known.attempt == claim.attempt:
                    self._on_their_way[claim.run_id] = msgspec.structs.replace(known, host_id=host_id)
                    self._taken_by[known.location_name, host_id].add(claim.run_id)

    def _forget(self, run_id: str) -> None:
        """With the lock held."""
        known = self._on_their_way.pop(run_id, None)
        if known is None or known.host_id is None:
            return
        host = (known.location_name, known.host_id)
        self._taken_by[host].discard(run_id)
        if not self._taken_by[host]:
            del self._taken_by[host]

    def _guarded_settle(self, name: str, result: LaunchResult, incarnation: object) -> None:
        try:
            self._settle(name, result, incarnation)
        except RunyardError as error:
            # Left STARTING without a host: the next pass, or the next leader, takes it from there.
            logger.warning("run %s: %s", result.run_id, error)
            self._report(error)
            self.arrived(result.run_id)
            self._lost = True

    def _settle(self, name: str, result: LaunchResult, incarnation: object) -> None:
        now = self._clock.now()
        if not result.retriable:
            fail_launch(self._stores.runs, result, now=now)
            return
        error = LocationUnavailable(name, result.error or "it gave no reason.")
        limit = self._settings.max_user_code_failure_retries
        if limit and result.attempt > limit:
            failure = RunFailure(error_class="LocationUnavailable", message=str(error))
            starting = (RunStatus.STARTING,)
            self._stores.runs.fail(result.run_id, attempt=result.attempt, expected=starting, failure=failure, now=now)
            return
        pause = self._settings.user_code_failure_retry_delay if limit else None
        self._back_off.failed(name, error.reason, incarnation, pause=pause)
        self._stores.runs.requeue(result.run_id, attempt=result.attempt, reason=str(error), now=now)

    def _location(self, name: str) -> Location:
        location = self._workspace.get(name)
        if location is None:
            raise LocationUnavailable(name, "it left the workspace.")
        return location

    def _host_of(self, name: str) -> str | None:
        location = self._workspace.get(name)
        return None if location is None else location.record().host_id


def incarnation_of(location: Location | None) -> tuple[LocationState, str, str | None] | None:
    """What changes whenever a location that could not launch may have become well."""
    if location is None:
        return None
    record = location.record()
    return (record.state, record.version, record.host_id)


def _unreached(claim: Claim, reason: str) -> LaunchResult:
    return LaunchResult(run_id=claim.run_id, attempt=claim.attempt, error=reason, retriable=True)
