"""Request bodies: read whole under a limit and a deadline, and refused here when no handler could work with them.

Only what has passed is given to the app: JSON of a bounded size and depth, in valid Unicode, with numbers that storage
keeps. A large body is looked at in a thread, so that the event loop goes on answering others.
"""

from __future__ import annotations

import asyncio
import json
from functools import cached_property

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core.jsonable import unstorable
from .problems import Problem

MIB = 1024 * 1024
#: Bytes of a body, and of one that is looked at on the event loop.
LARGEST = 4 * MIB
SMALL = 16 * 1024
#: Bodies above ``SMALL`` that are in memory at a time, and of these, looked at.
LARGE_AT_ONCE = 16
LOOKED_AT_ONCE = 2
#: Seconds that a body may take to arrive, and that a refused one is read on, so that its sender gets to the answer.
ARRIVE_SECONDS = 30.0
DISCARD_SECONDS = 5.0


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class BodyMiddleware:
    """Reads each body before the app runs. Refuses with 400, 408, 413 or 422."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "content-length" not in headers and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        try:
            async with _Body(headers, receive, self._large) as body:
                await self._app(scope, body.receive, send)
        except _Refused as refused:
            await refused.problem(scope, receive, send)

    # Made on first use: they belong to the event loop.
    @cached_property
    def _large(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(LARGE_AT_ONCE)


class _Body:
    """One request's body, and its place among the large ones for as long as it is in memory."""

    def __init__(self, headers: Headers, receive: Receive, large: asyncio.Semaphore) -> None:
        self._headers = headers
        self._receive = receive
        self._large = large
        self._is_large = False
        self._data = bytearray()
        self._handed_over = False

    async def __aenter__(self) -> _Body:
        try:
            await self._read()
            await self._check()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def receive(self) -> Message:
        """What the app gets: the whole body, then what the connection says."""
        if self._handed_over:
            return await self._receive()
        self._handed_over = True
        return {"type": "http.request", "body": bytes(self._data), "more_body": False}

    def _leave(self) -> None:
        if self._is_large:
            self._is_large = False
            self._large.release()

    async def _read(self) -> None:
        await self._refuse_announced()
        try:
            with anyio.fail_after(ARRIVE_SECONDS):
                while await self._more():
                    pass
        except TimeoutError:
            detail = f"The body did not arrive within {ARRIVE_SECONDS:.0f} s; send the request again."
            raise _Refused(_closing(Problem(408, "request-timeout", detail))) from None

    async def _more(self) -> bool:
        message = await self._receive()
        if message["type"] != "http.request":
            raise _Refused(Problem(400, "bad-request", "The connection ended within the body."))
        self._data += message.get("body", b"")
        if len(self._data) > LARGEST:
            self._data.clear()
            await self._discard()
            raise _Refused(_too_large())
        if len(self._data) > SMALL and not self._is_large:
            await self._large.acquire()
            self._is_large = True
        return bool(message.get("more_body"))

    async def _refuse_announced(self) -> None:
        length = self._headers.get("content-length", "")
        if not length.isdecimal() or int(length[:20]) <= LARGEST:
            return
        # A sender that waits for a word before it sends anything has it by the answer.
        if "expect" not in self._headers:
            await self._discard()
        raise _Refused(_too_large())

    async def _discard(self) -> None:
        with anyio.move_on_after(DISCARD_SECONDS):
            while (await self._receive()).get("more_body"):
                pass

    async def _check(self) -> None:
        if not self._data:
            return
        if self._is_large:
            problem = await anyio.to_thread.run_sync(json_problem, bytes(self._data), limiter=_lookers())
        else:
            problem = json_problem(bytes(self._data))
        if problem:
            raise _Refused(problem)


_LOOKERS: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("runyard_body_lookers")


def _lookers() -> anyio.CapacityLimiter:
    """Threads that are not those of the handlers, which may all be waiting for the database."""
    try:
        return _LOOKERS.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(LOOKED_AT_ONCE)
        _LOOKERS.set(limiter)
        return limiter


def json_problem(data: bytes) -> Problem | None:
    """Why no handler could work with this body; None for one that is fine."""
    try:
        value = json.loads(data)
    except RecursionError:
        return Problem(422, "invalid-request", "body: nested too deeply.")
    except json.JSONDecodeError as error:
        return Problem(400, "malformed-json", f"The body is not valid JSON: {error.msg} (character {error.pos}).")
    except ValueError as error:
        # Bytes that are no text, or a number of thousands of digits.
        return Problem(400, "malformed-json", f"The body is not valid JSON: {str(error).partition(';')[0]}.")
    fault = unstorable(value)
    if fault is None:
        return None
    path, message = fault[0] or "body", fault[1]
    return Problem(422, "invalid-request", f"{path}: {message}.", issues=[{"path": path, "message": message}])


def _too_large() -> Problem:
    detail = f"A request body may have {LARGEST // MIB} MiB. Send less at a time; many runs go in several batches."
    return _closing(Problem(413, "body-too-large", detail))


def _closing(problem: Problem) -> Problem:
    """The rest of the body may still be on its way, so the connection is of no further use."""
    problem.headers["Connection"] = "close"
    return problem
