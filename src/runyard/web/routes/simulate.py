"""What if: admission over recorded runs or a load. The answer is described in ``operations/queue/simulate.py``."""

from __future__ import annotations

from threading import Lock
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from ...operations.queue.simulate import SimulatingAlready, of_entries, of_texts, what_if
from ...operations.queue.simulate_shapes import what_if_shape
from ...queue.rules import Rules
from ...settings.limits_file import rules_of_section
from ...settings.load_file import load_of_list
from ..context import Context
from ..responses import Json

router = APIRouter(prefix="/queue", tags=["queue"])

#: A second or two of work; ``runyard queue simulate`` takes a million.
MOST_RUNS = 20_000

_at_work = Lock()


class Question(BaseModel):
    """``limits``: a ``concurrency`` section. Either a window of recorded runs (``from``, ``to``) or a ``load``."""

    model_config = ConfigDict(extra="forbid")

    limits: dict[str, Any] | None = None
    since: str | None = Field(default=None, alias="from")
    until: str | None = Field(default=None, alias="to")
    load: list[Any] | None = None
    seed: StrictInt = 0

    @model_validator(mode="after")
    def _one_source(self) -> Question:
        if self.load is not None and (self.since or self.until):
            raise ValueError("'load' and 'from' or 'to' exclude each other: a load has times of its own")
        return self


# No coroutine, so that it is answered in a thread and keeps no other request waiting.
@router.post("/simulate")
def simulate(context: Context, body: Question) -> Json:
    """What would happen under other limits, of at most 20,000 runs at a time."""
    rules = context.stores.queue.rules()
    other = None if body.limits is None else rules_of_section(body.limits, rules, at="limits")
    if not _at_work.acquire(blocking=False):
        raise SimulatingAlready
    try:
        return Json(_simulated(context, body, rules, other))
    finally:
        _at_work.release()


def _simulated(context: Context, body: Question, rules: Rules, other: Rules | None) -> dict[str, Any]:
    if body.load is not None:
        given = of_entries(load_of_list(body.load, at="load"), seed=body.seed, most=MOST_RUNS)
    else:
        now = context.clock.now()
        given = of_texts(context.stores, since=body.since, until=body.until, now=now, most=MOST_RUNS)
    return what_if_shape(what_if(given, rules, other))
