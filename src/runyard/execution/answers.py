"""What a schedule's or sensor's function answered, in one form."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..core.errors import InvalidDefinition
from ..definitions.config.run_config import RunConfig
from ..definitions.requests import RunRequest, SensorResult, SkipReason
from ..definitions.types import shown


class Answer(NamedTuple):
    """Run requests, or why there are none; a cursor where a SensorResult has one."""

    requests: tuple[RunRequest, ...] = ()
    skip_reason: str | None = None
    cursor: str | None = None


def schedule_answer(owner: str, returned: Any) -> Answer:
    """The answer of a schedule, which may also be run config itself.

    Raises:
        InvalidDefinition: it is of no kind that a schedule may give.
    """
    if isinstance(returned, RunConfig) or (isinstance(returned, Mapping) and returned):
        return Answer((RunRequest(run_config=returned),))
    return _answer(owner, "Schedule", returned)


def sensor_answer(owner: str, returned: Any) -> Answer:
    """The answer of a sensor. Raises InvalidDefinition as above."""
    items = _items(returned)
    results = [item for item in items if isinstance(item, SensorResult)]
    if not results:
        return _answer(owner, "Sensor", items)
    if len(items) > 1:
        raise InvalidDefinition(f"{owner}: a SensorResult is the whole answer; give nothing beside it.")
    result = results[0]
    inner = _answer(owner, "Sensor", result.skip_reason or result.run_requests or [])
    return inner._replace(cursor=result.cursor)


def _items(returned: Any) -> list[Any]:
    if inspect.isgenerator(returned) or isinstance(returned, list | tuple):
        return [item for item in returned if item is not None]
    return [] if returned is None else [returned]


def _answer(owner: str, kind: str, returned: Any) -> Answer:
    items = _items(returned)
    for item in items:
        if not isinstance(item, RunRequest | SkipReason):
            takes = "a RunRequest, a list of them, a SkipReason" + (", a SensorResult" if kind == "Sensor" else "")
            raise InvalidDefinition(f"{owner} answered with {shown(item)}; a {kind.lower()} gives {takes} or None.")
    skips = [item for item in items if isinstance(item, SkipReason)]
    if skips and len(items) > 1:
        raise InvalidDefinition(f"{owner}: a SkipReason is the whole answer; give nothing beside it.")
    if skips:
        return Answer(skip_reason=skips[0].skip_message or "")
    if not items:
        return Answer(skip_reason=f"{kind} function returned an empty result")
    return Answer(tuple(items))
