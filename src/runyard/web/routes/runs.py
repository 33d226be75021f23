"""Runs: list, look, ask for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from ...core.bounds import IDEMPOTENCY_KEY
from ...core.errors import UnknownCursor, UserError
from ...core.events import BEGINNING, Cursor
from ...core.run import RunStatus
from ...core.tag_text import parse_tags
from ...operations.find_run import find_run
from ...operations.run_events import events_of_run
from ...operations.shapes import event_shape, run_shape
from ...operations.submit import SubmitRequest, submit
from ...operations.submit_many import BATCH, submit_many
from ...storage.protocols import RunsFilter
from ..context import Context
from ..fields import After, Limit
from ..patience import PatientRoute
from ..responses import Json, page

router = APIRouter(prefix="/runs", tags=["runs"], route_class=PatientRoute)


class LaunchRequest(BaseModel):
    """A run to start. ``tags``: values that are not text become their JSON."""

    model_config = ConfigDict(extra="forbid")

    job_name: str
    location: str | None = None
    run_config: dict[str, Any] = {}
    tags: dict[str, Any] = {}


class LaunchRequests(BaseModel):
    """Runs to put into the queue together."""

    model_config = ConfigDict(extra="forbid")

    runs: Annotated[list[LaunchRequest], Field(min_length=1, max_length=BATCH)]


#: A tag as text, for people who read the description of the API.
TAG_TEXT = "`key=value`, a `=` of the key itself as `\\=`; all of them, when given more than once"
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=IDEMPOTENCY_KEY)]


@router.get("")
def list_runs(
    request: Request,
    context: Context,
    limit: Limit = 50,
    after: After = None,
    status: Annotated[list[RunStatus], Query()] = [],  # noqa: B006  FastAPI copies it
    job: str | None = None,
    location: str | None = None,
    tag: Annotated[list[str], Query(description=TAG_TEXT)] = [],  # noqa: B006
) -> Json:
    """Runs, newest first. ``after`` is the id that the page before ended with; the Link header has the next. When that
    run was deleted meanwhile, begin again without it."""
    statuses = tuple(dict.fromkeys(status))
    where = RunsFilter(job_name=job, location_name=location, statuses=statuses, tags=parse_tags(tag))
    runs = list(context.stores.runs.list(where, limit=limit + 1, after=after))
    shown, more = runs[:limit], len(runs) > limit
    return page(request, [run_shape(run) for run in shown], limit=limit, after=shown[-1].run_id if more else None)


@router.get("/counts")
def counts(context: Context) -> Json:
    """How many runs are in each status; every status is there."""
    found = context.stores.runs.count_by_status()
    return Json({status.value: found.get(status, 0) for status in RunStatus})


@router.post("", status_code=201)
def launch(
    context: Context,
    body: LaunchRequest,
    idempotency_key: IdempotencyKey = None,
) -> Json:
    """Ask for a run. The same ``Idempotency-Key`` with the same request again answers with the run of the first time;
    with another request it is refused."""
    asked = _request(body, idempotency_key)
    run = submit(
        context.stores,
        context.reachable,
        asked,
        clock=context.clock,
        queued=context.settings.queue.queued,
        in_force=context.settings.tags_in_force,
    )
    return Json(run_shape(run), status_code=201, headers={"Location": f"/api/v1/runs/{run.run_id}"})


@router.post("/batch", status_code=201)
def launch_batch(context: Context, body: LaunchRequests, idempotency_key: IdempotencyKey = None) -> Json:
    """Put up to 1,000 runs into the queue, all or none; ``index`` of a refusal is the first that cannot be granted.

    The same ``Idempotency-Key`` with the same requests again answers with the runs of the first time.
    """
    if not context.settings.queue.queued:
        raise UserError("Many runs at once need the queue, and this instance starts every run at once.")
    asked = [_request(each) for each in body.runs]
    run_ids = submit_many(
        context.stores,
        context.reachable,
        asked,
        in_force=context.settings.tags_in_force,
        idempotency_key=idempotency_key,
    )
    return Json({"run_ids": run_ids}, status_code=201)


@router.get("/{run_id}")
def get_run(context: Context, run_id: str) -> Json:
    """A run by its id, or by its first characters when they fit one run alone."""
    return Json(run_shape(find_run(context.stores.runs, run_id)))


@router.get("/{run_id}/events")
def run_events(context: Context, run_id: str, after: After = None, limit: Limit = 500) -> Json:
    """The run's log in the order of commits; ``next`` is the ``after`` to go on with, also when nothing is new."""
    run = find_run(context.stores.runs, run_id)
    place = _cursor(after)
    found = events_of_run(context.stores.events, run.run_id, after=place, limit=limit)
    following = found[-1].cursor if found else place
    return Json({"events": [event_shape(event) for event in found], "next": following.encode()})


def _request(body: LaunchRequest, idempotency_key: str | None = None) -> SubmitRequest:
    return SubmitRequest(
        job_name=body.job_name,
        location_name=body.location,
        run_config=body.run_config,
        tags=body.tags,
        idempotency_key=idempotency_key,
    )


def _cursor(text: str | None) -> Cursor:
    try:
        return Cursor.decode(text) if text else BEGINNING
    except ValueError:
        raise UnknownCursor(text or "", "give the 'next' of an answer before.") from None
