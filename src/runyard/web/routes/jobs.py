"""Jobs, and whether run config and tags would do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from ...core.errors import InvalidTag
from ...operations.shapes import job_shape
from ...operations.submit import VALIDATE_SECONDS, by_hand, find_job
from ..context import Context
from ..patience import PatientRoute
from ..responses import Json

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=PatientRoute)


class ValidationRequest(BaseModel):
    """What a launch would send."""

    model_config = ConfigDict(extra="forbid")

    run_config: dict[str, Any] = {}
    tags: dict[str, Any] = {}


@router.get("")
def jobs(context: Context) -> Json:
    """Every job of every location that has definitions."""
    records = sorted(context.stores.locations.all(), key=lambda record: record.name)
    return Json([job_shape(job, r.name) for r in records for job in (r.definitions.jobs if r.definitions else ())])


@router.get("/{location}/{job}")
def job(context: Context, location: str, job: str) -> Json:
    """A job with the JSON Schema of its run config and the config that it starts from."""
    record, info = find_job(context.stores.locations, job, location, reachable=context.reachable)
    more = {"config_schema": info.config_schema, "default_config": info.default_config}
    return Json(job_shape(info, record.name) | more)


@router.post("/{location}/{job}/validate")
def validate(context: Context, location: str, job: str, body: ValidationRequest) -> Json:
    """What is wrong with run config and tags; both lists are empty when a launch would be accepted."""
    record, info = find_job(context.stores.locations, job, location, reachable=context.reachable)
    issues = context.location(record.name).validate(info.name, body.run_config, timeout=VALIDATE_SECONDS)
    told = [{"path": path, "message": message} for path, message in issues]
    own = {key: value for key, value in body.tags.items() if info.tags.get(key) != value}
    return Json({"issues": told, "tag_issues": [issue for key in own for issue in _issues_of(key, own[key])]})


def _issues_of(key: str, value: Any) -> list[dict[str, str]]:
    try:
        by_hand({key: value})
    except InvalidTag as error:
        return [{"key": error.key, "message": str(error)}]
    return []
