"""What a schedule's or sensor's function answered, in one form."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

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
    """The answer of a schedule, which may also be run config itself, even an empty one.

    Raises:
        InvalidDefinition: it is of no kind that a schedule may give.
    """
    if isinstance(returned, RunConfig | Mapping):
        return Answer((RunRequest(run_config=returned),))
    return _answer(owner, "Schedule", _items(owner, returned))


def sensor_answer(owner: str, returned: Any) -> Answer:
    """The answer of a sensor. Raises InvalidDefinition as above."""
    items = _items(owner, returned)
    results = [item for item in items if isinstance(item, SensorResult)]
    if not results:
        return _answer(owner, "Sensor", items)
    if len(items) > 1:
        raise InvalidDefinition(f"{owner}: a SensorResult is the whole answer; give nothing beside it.")
    result = results[0]
    inner = _answer(owner, "Sensor", [result.skip_reason] if result.skip_reason else result.run_requests or [])
    return inner._replace(cursor=result.cursor)


def _items(owner: str, returned: Any) -> list[Any]:
    """What was answered, one by one: a generator answers what it yields and what it returns."""
    if inspect.isgenerator(returned):
        items = list(_yielded_and_returned(owner, returned))
    else:
        items = list(returned) if isinstance(returned, list | tuple) else [returned]
    return [item for item in items if item is not None]


def _yielded_and_returned(owner: str, generator: Generator[Any, Any, Any]) -> Iterator[Any]:
    returned = yield from generator
    if isinstance(returned, list | tuple):
        raise InvalidDefinition(f"{owner} is a generator that returned a list; yield what is in it one by one.")
    yield returned


def _answer(owner: str, kind: str, items: list[Any]) -> Answer:
    for item in items:
        if not isinstance(item, RunRequest | SkipReason):
            _refuse(owner, kind, item)
    skips = [item for item in items if isinstance(item, SkipReason)]
    if skips and len(items) > 1:
        raise InvalidDefinition(f"{owner}: a SkipReason is the whole answer; give nothing beside it.")
    if skips:
        return Answer(skip_reason=skips[0].skip_message or "")
    if not items:
        return Answer(skip_reason=f"{kind} function returned an empty result")
    return Answer(tuple(items))


def _refuse(owner: str, kind: str, item: Any) -> NoReturn:
    if inspect.iscoroutine(item):
        item.close()  # Python would warn that nothing awaited it.
    takes = "a RunRequest, a list of them, a SkipReason" + (", a SensorResult" if kind == "Sensor" else "")
    raise InvalidDefinition(f"{owner} answered with {shown(item)}; a {kind.lower()} gives {takes} or None.")
