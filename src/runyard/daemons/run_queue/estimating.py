"""Notes when queued runs are expected to start, so that people can be told how far off estimates are."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

from ...core.clock import Clock
from ...core.errors import RunyardError
from ...operations.queue.ahead import QueueViewStores
from ...operations.queue.view import note_estimates
from ...service.daemon import Report, log_report

EVERY_SECONDS = 60.0
CLOSE_SECONDS = 5.0


class Estimating:
    """On a thread of its own, one look at a time: looking ahead takes longer than admission should wait."""

    def __init__(self, stores: QueueViewStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="estimates")
        self._due: float | None = None
        self._looking: Future[None] | None = None
        self.report: Report = log_report

    def close(self) -> None:
        """Storage is closed next: a look that is under way is waited for, a while."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._looking is not None:
            wait([self._looking], timeout=CLOSE_SECONDS)

    def look_if_due(self) -> None:
        """Begin a look when the last one was a minute ago; the first one comes a minute after the first call."""
        now = self._clock.monotonic()
        if self._due is None or now >= self._due:
            first, self._due = self._due is None, now + EVERY_SECONDS
            if not first and (self._looking is None or self._looking.done()):
                self._looking = self._pool.submit(self._look)

    def _look(self) -> None:
        try:
            if self._stores.queue.lanes(limit=1):
                note_estimates(self._stores, clock=self._clock)
        except RunyardError as error:
            self.report(error)
