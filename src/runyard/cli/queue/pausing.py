"""``runyard queue pause``, ``resume``, ``drain`` and ``pauses``: the queue as a whole, or a part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...core.queue import QueueFilter
from ...core.tag_text import InvalidTagText, parse_tag
from ...core.text import counted
from ...queue.pauses import pause_name
from ...queue.rules import JOB, Pause, PauseScope
from ..commands import Command
from ..options import TAG_SPELLING, json_option
from ..output import local_time, print_json, print_table
from ..session import opened_instance, user
from ..terminal import echo

if TYPE_CHECKING:
    from ...operations.instance import Instance

F = TypeVar("F", bound=Callable[..., Any])
Subject = tuple[PauseScope, str, str]

_SUBJECT = (
    click.option("--tag", metavar="KEY=VALUE", help=f"Only runs with this tag. {TAG_SPELLING}"),
    click.option("-j", "--job", help="Only runs of this job."),
    click.option("--pool", help="Only runs that need this pool."),
    click.option("-l", "--location", help="Only runs of this code location."),
)
_WHY = (
    click.option("--reason", default="", help="Why, for those who look at the queue."),
    click.option("--until", metavar="TIME", help="Go on by itself then: an ISO 8601 time, 18:00, or 2h."),
)


def _with(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def subject_options(command: F) -> F:
    """What is meant; nothing: the queue as a whole."""
    return _with(_SUBJECT, command)


def why_options(command: F) -> F:
    return _with(_WHY, command)


@click.command("pause", cls=Command)
@subject_options
@why_options
@json_option
def pause(reason: str, until: str | None, as_json: bool, **given: str | None) -> None:
    """Launch nothing more, of the queue as a whole or a part of it, until it is resumed. What runs goes on."""
    with opened_instance() as instance:
        made = _pause(instance, _subject(**given), reason=reason, until=until, drain=False)
        running, waiting = _running(instance, made), _waiting(instance, made)
        note = _note(instance, made, as_json=as_json)
    if as_json:
        _print_pause(made, running, note)
        return
    waits = f" {counted(waiting, 'queued run')} will wait." if waiting is not None else ""
    echo(f"Paused {_text(made)}{_until(made)}.{waits}{f' {_still(running)}' if running else ''}")


@click.command("drain", cls=Command)
@subject_options
@why_options
@click.option("--wait", is_flag=True, help="Return when nothing of it runs any more.")
@json_option
def drain(reason: str, until: str | None, wait: bool, as_json: bool, **given: str | None) -> None:
    """Launch nothing more and let what runs end."""
    from ...operations.queue.drain import wait_drained

    with opened_instance() as instance:
        made = _pause(instance, _subject(**given), reason=reason, until=until, drain=True)
        running, note = _running(instance, made), _note(instance, made, as_json=as_json)
        if not as_json:
            echo(f"Draining {_text(made)}{_until(made)}.{'' if wait else f' {_still(running)}'}")
        if wait:
            say = (lambda _: None) if as_json else (lambda left: echo(_still(left)))
            wait_drained(instance.stores, made, clock=instance.clock, say=say)
            running = 0
    if as_json:
        _print_pause(made, running, note)


@click.command("resume", cls=Command)
@subject_options
@json_option
def resume(as_json: bool, **given: str | None) -> None:
    """Let the queue, or the part of it that was paused or drained, go on."""
    from ...operations.queue import pauses
    from ...operations.queue.control_shapes import pause_shape

    subject = _subject(**given)
    with opened_instance() as instance:
        ended = pauses.resume(instance.stores, *subject, by=user(), clock=instance.clock)
        left = pauses.pauses(instance.stores, clock=instance.clock)
        shape = pause_shape(ended, running=_running(instance, ended)) if ended else None
    if as_json:
        print_json({"resumed": shape})
        return
    echo(f"Resumed {_text(ended)}." if ended else f"{pause_name(*subject)} was not paused.")
    if left:
        echo(f"Still paused: {', '.join(_text(each) for each in left)}.")


@click.command("pauses", cls=Command)
@json_option
def list_pauses(as_json: bool) -> None:
    """List what is paused or drained: by whom, why, until when, and how many runs of it still run."""
    from ...operations.queue import pauses
    from ...operations.queue.control_shapes import pause_shape

    with opened_instance() as instance:
        found = [(each, _running(instance, each)) for each in pauses.pauses(instance.stores, clock=instance.clock)]
    if as_json:
        print_json([pause_shape(each, running=running) for each, running in found])
        return
    headers = ("WHAT", "HOW", "BY", "SINCE", "UNTIL", "RUNNING", "REASON")
    print_table(headers, [_row(each, running) for each, running in found], empty="Nothing is paused.")


def _row(pause: Pause, running: int) -> list[str]:
    how = "drain" if pause.drain else "pause"
    times = [local_time(pause.since), local_time(pause.until)]
    return [_text(pause), how, pause.by, *times, str(running), pause.reason]


def _subject(tag: str | None, job: str | None, pool: str | None, location: str | None) -> Subject:
    if [tag, job, pool, location].count(None) < 3:
        raise click.UsageError("Name one of --tag, --job, --pool and --location, or none for the queue as a whole.")
    if tag is not None:
        return "tag", *_tag(tag)
    if job is not None:
        return "tag", JOB, job
    if pool is not None:
        return "pool", pool, ""
    return ("location", location, "") if location is not None else ("queue", "", "")


def _tag(text: str) -> tuple[str, str]:
    try:
        return parse_tag(text)
    except InvalidTagText as error:
        raise click.BadParameter(str(error), param_hint="--tag") from None


def _pause(instance: Instance, subject: Subject, *, reason: str, until: str | None, drain: bool) -> Pause:
    from ...operations.queue import pauses
    from ...operations.until import parse_until

    clock = instance.clock
    ends = parse_until(until, now=clock.now()) if until else None
    return pauses.pause(instance.stores, *subject, by=user(), reason=reason, until=ends, drain=drain, clock=clock)


def _running(instance: Instance, pause: Pause) -> int:
    from ...operations.queue.drain import running

    return running(instance.stores, pause)


def _waiting(instance: Instance, pause: Pause) -> int | None:
    """How many queued runs it is about; None where only admission can tell."""
    if pause.scope == "pool":
        return None
    if pause.scope == "location":
        return instance.stores.queue.depth(QueueFilter(location_name=pause.name))
    if pause.name == JOB:
        return instance.stores.queue.depth(QueueFilter(job_name=pause.value))
    tags = {pause.name: pause.value} if pause.scope == "tag" else {}
    return instance.stores.queue.depth(QueueFilter(tags=tags))


def _note(instance: Instance, pause: Pause, *, as_json: bool) -> str | None:
    """What to know of a pause that holds back nothing that is known; said on stderr."""
    from ...operations.queue.pauses import unmatched

    note = unmatched(instance.stores, pause)
    if note is not None and not as_json:
        echo(note, err=True)
    return note


def _print_pause(pause: Pause, running: int, note: str | None) -> None:
    from ...operations.queue.control_shapes import made_pause_shape

    print_json(made_pause_shape(pause, running=running, note=note))


def _text(pause: Pause) -> str:
    return pause_name(*pause.subject)


def _until(pause: Pause) -> str:
    return f" until {local_time(pause.until)}" if pause.until is not None else ""


def _still(running: int) -> str:
    if running == 0:
        return "Nothing of it runs any more."
    return f"{counted(running, 'run')} still {'runs' if running == 1 else 'run'}."
