"""``runyard queue list``, ``explain`` and ``history``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ...core.text import counted, sentence
from ...queue.explanation.estimates import EstimateError, estimate_error
from ...queue.explanation.overtaking import overtaken_message
from ..commands import Command
from ..options import json_option
from ..output import coloured, duration, local_time, print_json, print_table, short
from ..session import opened_instance
from ..terminal import echo

if TYPE_CHECKING:
    from ...queue.explanation.entries import Alternative, QueueEntry


@click.command("list", cls=Command)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most so many runs.")
@json_option
def list_queue(limit: int, as_json: bool) -> None:
    """List queued runs in the order in which they are expected to start."""
    from ...operations.queue.shapes import queue_entry_shape
    from ...operations.queue.view import entries

    with opened_instance() as instance:
        found = entries(instance.stores, clock=instance.clock, limit=limit)
        depth = instance.stores.queue.depth()
    if as_json:
        print_json([queue_entry_shape(entry) for entry in found])
        return
    print_table(("#", "RUN", "JOB", "PRIORITY", "WAITING", "WHY"), [_row(entry) for entry in found], empty="Empty.")
    if depth > len(found):
        echo(f"{depth - len(found)} more.")


def _row(entry: QueueEntry) -> list[str]:
    place = entry.forecast_position or entry.position
    return [
        str(place) if place is not None else "-",
        short(entry.run_id),
        entry.job_name,
        str(entry.priority),
        duration(entry.waiting_seconds),
        entry.reason.message,
    ]


@click.command("explain", cls=Command)
@click.argument("run_id")
@json_option
def explain(run_id: str, as_json: bool) -> None:
    """Say why a run waits. RUN_ID may be its first characters."""
    from ...operations.find_run import find_run
    from ...operations.queue.shapes import explained_shape, unqueued_shape
    from ...operations.queue.view import entry, sooner

    with opened_instance() as instance:
        run = find_run(instance.stores.runs, run_id)
        found = entry(instance.stores, run.run_id, clock=instance.clock)
        if found is None:
            # It may have left the queue between the two looks.
            run = find_run(instance.stores.runs, run.run_id)
        faster = sooner(instance.stores, run.run_id, clock=instance.clock) if found else []
        error = estimate_error(instance.stores.queue.estimates())
        now = instance.clock.now()
        waits = () if found else instance.stores.pool_slots.waits(run.run_id, now=now)
    shape = explained_shape(found, faster) if found else unqueued_shape(run, waits, now=now)
    if as_json:
        print_json(shape)
    elif found is None:
        echo(f"{run.run_id} is {coloured(run.status.value)}. {sentence(shape['reason']['message'])}")
        for wait in waits:
            echo(f"  {wait.message(now)}")
    else:
        for line in _told(found, faster, error, now=now):
            echo(line)


def _told(entry: QueueEntry, sooner: list[Alternative], error: EstimateError | None, *, now: float) -> Iterator[str]:
    """What is known of one entry, the reason first."""
    place = f", place {entry.position}" if entry.position is not None else ""
    yield f"{entry.run_id} has waited {duration(entry.waiting_seconds)}{place}, priority {entry.priority}."
    yield sentence(entry.reason.message)
    for holder in entry.reason.holder_details:
        slots = f", {holder.slots} slots" if holder.slots > 1 else ""
        yield f"  held by {holder.name} for {duration(now - holder.since)}{slots}"
    more = len(entry.reason.holders) - len({holder.run_id for holder in entry.reason.holder_details})
    if more > 0:
        yield f"  and {counted(more, 'other run')}"
    if entry.estimated_start is not None:
        rank = f", number {entry.forecast_position} to start" if entry.forecast_position is not None else ""
        off = f"; estimates are {error.message}" if error else ""
        yield f"Expected to start at {local_time(entry.estimated_start)}{rank}{off}."
    if entry.overtaken.total:
        yield f"{overtaken_message(entry.job_name, entry.priority, entry.overtaken)}."
    if len(sooner) > 1:
        yield "What would start it sooner:"
    # The first one is how things are, to compare with.
    for alternative in sooner if len(sooner) > 1 else ():
        yield f"  {alternative.title}: {alternative.message}"


@click.command("history", cls=Command)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many entries.")
@json_option
def history(limit: int, as_json: bool) -> None:
    """Show what people did to the queue and its limits, newest first."""
    from ...operations.queue.control_shapes import audit_shape

    with opened_instance() as instance:
        found = instance.stores.limits.audit(limit=limit)
    if as_json:
        print_json([audit_shape(entry) for entry in found])
        return
    rows = [[local_time(entry.at), entry.by, entry.action, entry.subject, entry.message] for entry in found]
    print_table(("WHEN", "WHO", "ACTION", "WHAT", "MESSAGE"), rows, empty="Nobody has changed anything.")
