"""What a run's code printed."""

from __future__ import annotations

import codecs
from typing import Annotated

from fastapi import APIRouter, Query

from ...operations.find_run import find_run
from ...storage.compute_logs import LocalComputeLogs, LogChunk
from ...storage.run_output.index import Stream
from ..context import Context
from ..responses import Json

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/logs")
def logs(
    context: Context,
    run_id: str,
    stream: Stream = "out",
    offset: Annotated[int, Query(ge=0, le=1 << 50)] = 0,
    step_key: str | None = None,
) -> Json:
    """Text of the run's stdout or stderr (of one step, with ``step_key``) from byte ``offset`` on, at most 1 MiB;
    ``next_offset`` is where to go on, also when nothing is new."""
    run = find_run(context.stores.runs, run_id)
    kept = LocalComputeLogs(context.settings.compute_logs_dir)
    text, following = _decoded(kept.read(run.run_id, stream, offset=offset, step_key=step_key))
    return Json({"text": text, "next_offset": following})


def _decoded(chunk: LogChunk) -> tuple[str, int]:
    """Whole characters; one that is cut at the end is left for the next call."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(chunk.data)
    unread = len(decoder.getstate()[0])
    return text, chunk.next_offset - unread
