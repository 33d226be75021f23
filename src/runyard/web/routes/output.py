"""What a run's code printed: lines in order of time, live, and whole files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio.to_thread
import msgspec
from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import StreamingResponse

from ...core.errors import NotFound, UserError
from ...core.run import FINISHED, Run
from ...operations.find_run import find_run
from ...operations.find_step import check_step
from ...operations.run_output import FIRST_LINES, OutputFollower, page_shape
from ...storage.compute_logs import LocalComputeLogs
from ...storage.run_output import cursor
from ...storage.run_output.cursor import Cursor
from ...storage.run_output.index import Stream
from ...storage.run_output.merged import RunOutput, Which
from ..context import Context, WebContext
from ..feed import Feed
from ..responses import Json
from .events import HEARTBEAT

router = APIRouter(prefix="/runs", tags=["runs"])

#: Seconds between looks at the files while somebody watches, and between those at the run.
LOOK_EVERY, ASK_EVERY = 0.2, 1.0
#: Reading takes no more than this part of the time for each who watches, however much a run prints.
_LARGEST_SHARE = 0.25
_FILE_CHUNK = 256 * 1024

After = Annotated[str | None, Query(description="`next` of the page before; without it the last lines come")]
StepKey = Annotated[str | None, Query(description="only what this step printed; without it everything of the run")]
Tail = Annotated[int | None, Query(ge=1, le=20_000, description="the last lines, so many; not with `after`")]


@router.get("/{run_id}/output")
def output(
    context: Context,
    run_id: str,
    stream: Which = "both",
    step_key: StepKey = None,
    after: After = None,
    tail: Tail = None,
) -> Json:
    """Lines that the run printed, in order of time: the last 1,000 or ``tail``, or what follows ``after``, about 250 kB
    at most. ``more``: there is more after these already; ``earlier``: there are lines before the last ones."""
    run = find_run(context.stores.runs, run_id)
    place = _place(after)
    if place is not None and tail is not None:
        raise UserError("Give either 'after' or 'tail', not both.")
    found, finished = _output(context, run, stream, step_key), run.status in FINISHED
    if place is not None:
        return Json(page_shape(found.page(place, finished=finished)))
    return Json(page_shape(found.tail(tail or FIRST_LINES, finished=finished)))


@router.get("/{run_id}/output/live")
async def live(
    request: Request,
    context: Context,
    run_id: str,
    stream: Which = "both",
    step_key: StepKey = None,
    after: After = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """Server-sent events: ``lines`` with a page whenever there is more after ``after`` (the last lines first without
    it), ``end`` once the run has finished and all was sent."""
    place = _place(last_event_id or after)
    run = await anyio.to_thread.run_sync(find_run, context.stores.runs, run_id)
    found = await anyio.to_thread.run_sync(_output, context, run, stream, step_key)
    follower = OutputFollower(context.stores.runs, run.run_id, found, place)
    return EventSourceResponse(_events(request.app.state.feed, follower), ping=HEARTBEAT, sep="\n")


async def _events(feed: Feed, follower: OutputFollower) -> AsyncIterator[ServerSentEvent]:
    time = asyncio.get_running_loop().time
    asked_at = float("-inf")
    while not feed.closed:
        began = time()
        ask = began - asked_at >= ASK_EVERY
        asked_at = began if ask else asked_at
        # The next look waits until the browser has taken what this one gave: so much is kept, and no more.
        page = await anyio.to_thread.run_sync(partial(follower.look, ask=ask))
        looked = time()
        if page.lines:
            shape = page_shape(page)
            yield ServerSentEvent(msgspec.json.encode(shape).decode(), event="lines", id=shape["next"])
        if follower.finished and not page.more:
            yield ServerSentEvent("{}", event="end")
            return
        await asyncio.sleep(max(0.0 if page.more else LOOK_EVERY, (looked - began) / _LARGEST_SHARE))


@router.get("/{run_id}/output/file")
def whole_file(context: Context, run_id: str, stream: Stream, step_key: StepKey = None) -> StreamingResponse:
    """All that the run itself, or one step, wrote to standard output or error, as it is: text as a rule."""
    run = find_run(context.stores.runs, run_id)
    logs = LocalComputeLogs(context.settings.compute_logs_dir)
    path = logs.path(run.run_id, stream, step_key)
    if step_key is not None and not path.exists():
        steps = [paths.step_key for paths in logs.paths(run.run_id) if paths.step_key is not None]
        raise NotFound("step with output", step_key, steps)
    size = path.stat().st_size if path.exists() else 0
    # As long as it is now, also when it grows meanwhile.
    headers = {"Content-Length": str(size), "Content-Disposition": f'inline; filename="{run.run_id[:8]}.{stream}.txt"'}
    return StreamingResponse(_chunks(path, size), media_type="text/plain; charset=utf-8", headers=headers)


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    if size == 0:
        return
    with path.open("rb", buffering=0) as file:
        while size > 0 and (chunk := file.read(min(_FILE_CHUNK, size))):
            yield chunk
            size -= len(chunk)


def _output(context: WebContext, run: Run, stream: Which, step_key: str | None) -> RunOutput:
    logs = LocalComputeLogs(context.settings.compute_logs_dir)
    check_step(context.stores.locations, logs, run, step_key)
    return RunOutput(logs, run.run_id, stream=stream, step_key=step_key)


def _place(after: str | None) -> Cursor | None:
    """Raises UserError for text that is none."""
    try:
        return None if after is None else cursor.decode(after)
    except ValueError as error:
        raise UserError(f"after: {error}.") from None
