"""HTTP/1.1 as uvicorn speaks it, with the deadlines that uvicorn lacks.

uvicorn closes connections that are idle between two requests, and bounds the size of a request's head. It waits for
ever for a head or body that does not end, and for a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.h11_impl import H11Protocol

from .problems import Problem

#: Seconds for the head of a request from its first byte (the first of a connection: from its beginning), and for its
#: body, also one that no handler reads.
HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
#: Seconds that a client may leave a full buffer unread. An event stream that nobody reads fills one, too.
UNREAD_SECONDS = 60.0

_SECONDS: dict[Any, float] = {h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}


class BoundedProtocol(H11Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._phase: Any = None
        self._arrival: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._expect_arrival()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._arrival, self._reading):
            if timer is not None:
                timer.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is refused in the words of every other refusal."""
        told = f"{msg.rstrip('.')}; its head may have {self.config.h11_max_incomplete_event_size or 65536:,} bytes."
        problem = Problem(400, "bad-request", told)
        MutableHeaders(raw=problem.raw_headers)["Connection"] = "close"
        response = h11.Response(status_code=400, headers=problem.raw_headers, reason=b"Bad Request")
        for event in (response, h11.Data(data=bytes(problem.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _expect_arrival(self) -> None:
        """A new part of a request begins its deadline; more of the same part does not move it."""
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._phase = phase
        if self._arrival is not None:
            self._arrival.cancel()
        seconds = _SECONDS.get(phase)
        self._arrival = None if seconds is None else self.loop.call_later(seconds, self.transport.close)

    def _unsupported_upgrade_warning(self) -> None:
        """Any client can ask for an upgrade: no line of the log for each."""
