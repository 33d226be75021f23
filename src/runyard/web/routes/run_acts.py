"""What people do to runs that are there: cancel them, and do them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from ...core.run import RunStatus
from ...operations.cancel import cancel as cancel_run
from ...operations.cancel_many import Doomed, cancel_many
from ...operations.reexecute import Reexecution, Reexecutor, Strategy
from ...operations.shapes import run_shape
from ..context import Context, WebContext
from ..fields import BY_WEB
from ..patience import PatientRoute
from ..responses import Json

router = APIRouter(prefix="/runs", tags=["runs"], route_class=PatientRoute)

#: Runs, or steps of one, that a request names at most.
MOST_RUNS = 1000


class ReexecuteRequest(BaseModel):
    """What of a run is done again; ``steps`` are for ``selected``: a key, ``key*`` with all after it, ``*key`` with all
    before it. ``run_config`` takes the place of that of the run before; ``tags`` are beside its own.
    """

    model_config = ConfigDict(extra="forbid")

    strategy: Strategy = Strategy.ALL
    steps: Annotated[list[str], Field(max_length=MOST_RUNS)] = []
    run_config: dict[str, Any] | None = None
    tags: dict[str, Any] = {}

    @model_validator(mode="after")
    def _steps_are_for_selected(self) -> ReexecuteRequest:
        if (self.strategy is Strategy.SELECTED) != bool(self.steps):
            raise ValueError("the strategy 'selected' needs 'steps', and no other takes them")
        return self


class ReexecuteMany(BaseModel):
    """Runs to do again, each as a new run."""

    model_config = ConfigDict(extra="forbid")

    run_ids: Annotated[list[str], Field(min_length=1, max_length=MOST_RUNS)]
    strategy: Literal["all", "from_failure"] = "all"


class CancelRequest(BaseModel):
    """Which runs: those named, or those that fit all that is given. Every one only by ``all``: no slip does it."""

    model_config = ConfigDict(extra="forbid")

    run_ids: Annotated[list[str], Field(max_length=MOST_RUNS)] = []
    all: StrictBool = False
    job: str | None = None
    location: str | None = None
    status: list[RunStatus] = []
    tag: dict[str, str] = {}

    @model_validator(mode="after")
    def _says_which(self) -> CancelRequest:
        others = self.all or Doomed() != self.wanted()
        if bool(self.run_ids) == others:
            raise ValueError("give run_ids, or at least one condition, or all: true")
        return self

    def wanted(self, run_ids: Sequence[str] = ()) -> Doomed:
        return Doomed(
            run_ids=tuple(run_ids),
            job_name=self.job,
            location_name=self.location,
            statuses=tuple(self.status),
            tags=self.tag,
        )


@router.post("/{run_id}/cancel")
def cancel(context: Context, run_id: str) -> Json:
    """Cancel it, whether it waits or runs; canceling a canceled run changes nothing."""
    return Json(run_shape(cancel_run(context.stores, run_id, by=BY_WEB, clock=context.clock)))


@router.post("/{run_id}/reexecute", status_code=201)
def reexecute(context: Context, run_id: str, body: ReexecuteRequest | None = None) -> Json:
    """Do a run that has ended again, as a new run: all of it, what is left of it, or chosen steps."""
    asked = body or ReexecuteRequest()
    run = _reexecutor(context).one(
        Reexecution(
            run_id=run_id,
            strategy=asked.strategy,
            steps=tuple(asked.steps),
            run_config=asked.run_config,
            tags=asked.tags,
        )
    )
    return Json(run_shape(run), status_code=201, headers={"Location": f"/api/v1/runs/{run.run_id}"})


@router.post("/reexecute", status_code=201)
def reexecute_many(context: Context, body: ReexecuteMany) -> Json:
    """Do up to 1,000 runs again, each as a new run; ``refused`` are those that cannot be, and why."""
    done = _reexecutor(context).many(body.run_ids, Strategy(body.strategy))
    runs = [{"run_id": run.run_id, "parent_run_id": run.parent_run_id} for run in done.runs]
    refused = [{"run_id": run_id, "detail": str(error)} for run_id, error in done.refused]
    return Json({"runs": runs, "refused": refused}, status_code=201)


@router.post("/cancel")
def cancel_some(context: Context, body: CancelRequest) -> Json:
    """Cancel those that wait and tell those that run to stop; ``ended`` counts those named that were over already."""
    which = body.wanted(body.run_ids)
    return Json(msgspec.to_builtins(cancel_many(context.stores, which, by=BY_WEB, clock=context.clock)))


def _reexecutor(context: WebContext) -> Reexecutor:
    return Reexecutor(
        context.stores,
        context.reachable,
        clock=context.clock,
        queued=context.settings.queue.queued,
        in_force=context.settings.tags_in_force,
    )
