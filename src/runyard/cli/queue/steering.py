"""``runyard queue priority``, ``hold``, ``release`` and ``cancel``: one run, or all queued ones that match."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

from ...core.queue import QueueFilter, Steering
from ...core.run import Run
from ...core.tags import LEAST_PRIORITY, MOST_PRIORITY
from ...core.text import counted
from ..commands import Command
from ..options import json_option, tags_option
from ..output import print_json
from ..progress import progress_bar
from ..session import opened_instance, user
from ..terminal import confirm, echo

Action = Literal["priority", "hold", "release", "cancel"]
F = TypeVar("F", bound=Callable[..., Any])

_DONE = {"priority": "Reprioritised", "hold": "Held", "release": "Released", "cancel": "Canceled"}
_PRIORITIES = click.IntRange(LEAST_PRIORITY, MOST_PRIORITY)
_FILTER = (
    click.option("-j", "--job", help="Every queued run of this job."),
    click.option("-l", "--location", help="Every queued run of this code location."),
    tags_option("With this tag; repeatable."),
    click.option("--with-priority", type=_PRIORITIES, metavar="N", help="Of this priority."),
    click.option("--held/--not-held", default=None, help="Held runs only, or those that are not."),
    click.option("--all", "everything", is_flag=True, help="Every queued run."),
    click.option("-y", "--yes", is_flag=True, help="Do not ask before many runs are changed."),
)
reason_option = click.option("--reason", default="", help="Why, for those who look at the queue.")


def filter_options(command: F) -> F:
    """The options that say which runs, in place of RUN_ID."""
    for option in reversed(_FILTER):
        command = option(command)
    return command


@click.command("priority", cls=Command, context_settings={"ignore_unknown_options": True})
@click.argument("run_and_priority", nargs=-1, metavar="[RUN_ID] PRIORITY")
@filter_options
@json_option
def set_priority(run_and_priority: tuple[str, ...], as_json: bool, **chosen: Any) -> None:
    """Give queued runs another priority: higher starts earlier, 0 is the default, negative is allowed."""
    if not 1 <= len(run_and_priority) <= 2:
        raise click.UsageError("Give RUN_ID PRIORITY, or the filter options and PRIORITY.")
    *run_id, priority = run_and_priority
    _steer("priority", run_id[0] if run_id else None, priority=priority, as_json=as_json, **chosen)


@click.command("hold", cls=Command)
@click.argument("run_id", required=False)
@filter_options
@reason_option
@json_option
def hold(run_id: str | None, reason: str, as_json: bool, **chosen: Any) -> None:
    """Keep queued runs from starting until they are released."""
    _steer("hold", run_id, reason=reason, as_json=as_json, **chosen)


@click.command("release", cls=Command)
@click.argument("run_id", required=False)
@filter_options
@json_option
def release(run_id: str | None, as_json: bool, **chosen: Any) -> None:
    """Let held runs take their place in the queue again."""
    _steer("release", run_id, as_json=as_json, **chosen)


@click.command("cancel", cls=Command)
@click.argument("run_id", required=False)
@filter_options
@reason_option
@json_option
def cancel(run_id: str | None, reason: str, as_json: bool, **chosen: Any) -> None:
    """Cancel queued runs. One that has started is left alone: that is for 'runyard run cancel'."""
    _steer("cancel", run_id, reason=reason, as_json=as_json, **chosen)


def _steer(
    action: Action,
    run_id: str | None,
    *,
    priority: str = "0",
    reason: str = "",
    as_json: bool,
    yes: bool,
    everything: bool,
    **filters: Any,
) -> None:
    from ...operations.queue.steering import checked_priority

    where = _where(**filters)
    restricted = where != QueueFilter()
    ways = [run_id is not None, restricted, everything].count(True)
    if ways == 0:
        raise click.UsageError("Say which runs: RUN_ID, or filters such as --job and --tag, or --all.")
    if ways > 1:
        raise click.UsageError("RUN_ID, filters and --all exclude each other: give one of them.")
    steering = Steering(action=action, by=user(), priority=checked_priority(priority), reason=reason)
    if run_id is not None:
        _steer_one(run_id, steering, as_json=as_json)
    else:
        _steer_all(where, steering, ask=not yes, as_json=as_json)


def _where(
    *, job: str | None, location: str | None, tags: dict[str, str], with_priority: int | None, held: bool | None
) -> QueueFilter:
    return QueueFilter(job_name=job, location_name=location, tags=tags, priority=with_priority, held=held)


def _steer_one(run_id: str, steering: Steering, *, as_json: bool) -> None:
    from ...operations.queue.steering import steer_one
    from ...operations.shapes import run_shape

    with opened_instance() as instance:
        run = steer_one(instance.stores, run_id, steering, clock=instance.clock)
    if as_json:
        print_json(run_shape(run))
    else:
        echo(f"{run.run_id} {_became(run, steering)}")


def _became(run: Run, steering: Steering) -> str:
    return f"priority {run.priority}" if steering.action == "priority" else _DONE[steering.action].lower()


def _steer_all(where: QueueFilter, steering: Steering, *, ask: bool, as_json: bool) -> None:
    from ...operations.queue.steering import filter_text, steer_all

    with opened_instance() as instance:
        matching = instance.stores.queue.depth(where)
        if matching and ask:
            question = f"{_verb(steering)} {counted(matching, 'queued run')} ({filter_text(where)})?"
            confirm(question)
        with progress_bar(_verb(steering), total=matching) as progress:
            changed = steer_all(instance.stores, where, steering, clock=instance.clock, progress=progress)
    if as_json:
        print_json({"action": steering.action, "matching": matching, "changed": changed})
    elif matching == 0:
        echo("No queued run matches.")
    else:
        rest = f"; {matching - changed} were so already or have left the queue" if changed < matching else ""
        echo(f"{_DONE[steering.action]} {counted(changed, 'run')}{rest}.")


def _verb(steering: Steering) -> str:
    return f"Give priority {steering.priority} to" if steering.action == "priority" else steering.action.capitalize()
