"""The stream that tells pages what moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from ..feed import Feed

router = APIRouter(tags=["events"])

#: Seconds between comments that keep proxies from cutting a quiet stream.
HEARTBEAT = 15


@router.get("/events")
async def events(request: Request, last_event_id: Annotated[str | None, Header()] = None) -> EventSourceResponse:
    """Server-sent events: ``hello`` first, then one named after each topic that moved (``runs``, ``queue``,
    ``locations``, ``automation``, ``daemons``), at most ten a second each; ``reset``: everything may have moved."""
    feed: Feed = request.app.state.feed
    return EventSourceResponse(_stream(feed, last_event_id), ping=HEARTBEAT, sep="\n")


async def _stream(feed: Feed, last_id: str | None) -> AsyncIterator[ServerSentEvent]:
    async for notice in feed.notices(last_id):
        data = msgspec.json.encode({"topic": notice.topic}).decode()
        yield ServerSentEvent(data, event=notice.topic, id=notice.id)
