"""Keeps the host's row in ``hosts`` alive, on a thread of its own so that a busy loop does not look dead."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ...core.clock import Clock
from ...core.errors import StorageUnavailable
from ...core.host import HostRecord
from ...storage.protocols import Hosts

log = logging.getLogger(__name__)


class HostLease:
    """``on_lapsed`` is called when others had given this host up: its runs may have been ended."""

    def __init__(
        self,
        hosts: Hosts,
        record: HostRecord,
        clock: Clock,
        *,
        seconds: float,
        renew_every: float,
        on_lapsed: Callable[[], None],
    ) -> None:
        self._hosts, self._record, self._clock = hosts, record, clock
        self._seconds, self._renew_every, self._on_lapsed = seconds, renew_every, on_lapsed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="lease", daemon=True)

    def start(self) -> None:
        self._hosts.register(self._record)
        self._hosts.renew(self._record.host_id, seconds=self._seconds)
        self._thread.start()

    def stop(self) -> None:
        """Give the row back."""
        self._stopping.set()
        self._thread.join()
        try:
            self._hosts.remove(self._record.host_id)
        except StorageUnavailable as error:
            log.warning("the host's row stays until its lease runs out: %s", error)

    def _serve(self) -> None:
        while not self._clock.wait(self._stopping, self._renew_every):
            self._try_to_renew()

    def _try_to_renew(self) -> None:
        try:
            if not self._hosts.renew(self._record.host_id, seconds=self._seconds):
                self._register_again()
        except StorageUnavailable as error:
            log.warning("the host's lease was not renewed: %s", error)
        except Exception:
            # Without this thread every run of a healthy host would be ended.
            log.exception("the host's lease was not renewed")

    def _register_again(self) -> None:
        log.warning("this host was given up on; it registers again")
        self._hosts.register(self._record)
        self._hosts.renew(self._record.host_id, seconds=self._seconds)
        self._on_lapsed()
