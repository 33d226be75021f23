"""Tells every open page that something moved: storage's hints, at most ten a second for each topic.

A notice says only which topic moved; pages then ask for what they show. So a slow page loses nothing: for each topic
it needs the newest notice alone, and that is all that is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from ..core.ids import new_id

#: Seconds between two notices of one topic.
SHORTEST_GAP = 0.1
#: Heartbeats move without a hint; pages that show daemons look again this often, in seconds.
DAEMONS_EVERY = 5.0
#: What pages may know of; storage's other hints are between processes.
TOPICS = frozenset({"runs", "queue", "locations", "automation", "daemons", "instance"})


class Notice(NamedTuple):
    """``id`` goes back in ``Last-Event-ID``; ``topic`` is ``hello``, ``reset`` or what moved."""

    id: str
    topic: str


class Feed:
    """One per app, living in its event loop; only ``moved`` may be called from other threads."""

    def __init__(self, listen: Callable[[Callable[[str], None]], Callable[[], None]]) -> None:
        self._listen = listen
        self._boot = new_id()[:8]
        self._count = 0
        self._newest: dict[str, int] = {}
        self._sent_at: dict[str, float] = {}
        self._pending: set[str] = set()
        self._changed = asyncio.Event()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for as long as the app is up."""
        self._loop = asyncio.get_running_loop()
        stop_listening = self._listen(self.moved)
        beat = asyncio.create_task(self._daemons_move())
        try:
            yield
        finally:
            beat.cancel()
            stop_listening()
            self.close()

    @property
    def closed(self) -> bool:
        """Streams end: the server stops."""
        return self._closed

    def close(self) -> None:
        """End every stream: a server that stops does not wait for pages that never hang up."""
        self._closed = True
        self._wake()

    def moved(self, topic: str) -> None:
        """``topic`` moved; from any thread. Topics that pages do not know are left out.

        A pending topic is not noted twice: its notice goes out later than now, so later than what just moved.
        """
        if self._closed or self._loop is None or topic not in TOPICS or topic in self._pending:
            return
        with contextlib.suppress(RuntimeError):  # the loop closed between the look and the call: nobody listens
            self._loop.call_soon_threadsafe(self._plan, topic)

    async def notices(self, last_id: str | None) -> AsyncIterator[Notice]:
        """A ``hello``, then every movement after ``last_id``; ``reset`` when that is not known here any more."""
        place = self._place(last_id)
        seen = self._count if place is None else place
        yield Notice(self._id(seen), "reset" if last_id and place is None else "hello")
        while not self._closed:
            changed = self._changed
            for number, topic in sorted((number, topic) for topic, number in self._newest.items() if number > seen):
                seen = number
                yield Notice(self._id(number), topic)
            if changed is self._changed:
                await changed.wait()

    def _place(self, last_id: str | None) -> int | None:
        boot, _, number = (last_id or "").partition(".")
        # Only ids of this process are looked at further, and a client cannot make one of another length.
        known = boot == self._boot and number.isdecimal() and len(number) <= len(str(self._count))
        return min(int(number), self._count) if known else None

    def _id(self, number: int) -> str:
        return f"{self._boot}.{number}"

    def _plan(self, topic: str) -> None:
        if topic in self._pending or self._loop is None:
            return
        self._pending.add(topic)
        wait = self._sent_at.get(topic, float("-inf")) + SHORTEST_GAP - self._loop.time()
        self._loop.call_later(max(0.0, wait), self._send, topic)

    def _send(self, topic: str) -> None:
        assert self._loop is not None  # noqa: S101  only the loop calls this
        self._pending.discard(topic)
        self._sent_at[topic] = self._loop.time()
        self._count += 1
        self._newest[topic] = self._count
        self._wake()

    def _wake(self) -> None:
        # A fresh event for the next round: a stream that is busy sending sees that it is another one.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _daemons_move(self) -> None:
        while True:
            await asyncio.sleep(DAEMONS_EVERY)
            self.moved("daemons")
