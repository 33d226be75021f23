"""``runyard queue``: what waits, why, and what a person may do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..core.run import Run
from .commands import Group
from .options import json_option
from .output import coloured, duration, local_time, print_json, print_table, short
from .session import opened_instance, user

if TYPE_CHECKING:
    from ..queue.explain import QueueEntry


@click.group(cls=Group)
def queue() -> None:
    """Look at the queue and steer it."""


@queue.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many runs.")
@json_option
def list_queue(limit: int, as_json: bool) -> None:
    """List queued runs in the order in which they are expected to start."""
    from ..operations.queue_shapes import queue_entry_shape
    from ..operations.queue_view import entries

    with opened_instance() as instance:
        found = entries(instance.stores, clock=instance.clock, limit=limit)
        depth = instance.stores.queue.depth()
    if as_json:
        print_json([queue_entry_shape(entry) for entry in found])
        return
    print_table(("#", "RUN", "JOB", "PRIORITY", "WAITING", "WHY"), [_row(entry) for entry in found], empty="Empty.")
    if depth > len(found):
        click.echo(f"{depth - len(found)} more.")


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


@queue.command("explain")
@click.argument("run_id")
@json_option
def explain(run_id: str, as_json: bool) -> None:
    """Say why a run waits. RUN_ID may be its first characters."""
    from ..operations.find_run import find_run
    from ..operations.queue_shapes import queue_entry_shape, unqueued_shape
    from ..operations.queue_view import entry

    with opened_instance() as instance:
        run = find_run(instance.stores.runs, run_id)
        found = entry(instance.stores, run.run_id, clock=instance.clock)
        if found is None:
            # It may have left the queue between the two looks.
            run = find_run(instance.stores.runs, run.run_id)
    shape = queue_entry_shape(found) if found else unqueued_shape(run)
    if as_json:
        print_json(shape)
    elif found is None:
        click.echo(f"{run.run_id} is {coloured(run.status.value)}. {shape['reason']['message']}.")
    else:
        _print_entry(found)


def _print_entry(entry: QueueEntry) -> None:
    place = f", place {entry.position}" if entry.position is not None else ""
    click.echo(f"{entry.run_id} has waited {duration(entry.waiting_seconds)}{place}, priority {entry.priority}.")
    click.echo(f"{entry.reason.message}.")
    if entry.estimated_start is not None:
        click.echo(f"Expected to start at {local_time(entry.estimated_start)}.")
    for holder in entry.reason.holders:
        click.echo(f"  slot held by {holder}")


@queue.command("priority", context_settings={"ignore_unknown_options": True})
@click.argument("run_id")
@click.argument("priority")
@json_option
def set_priority(run_id: str, priority: str, as_json: bool) -> None:
    """Give a queued run another priority: higher starts earlier, 0 is the default, negative is allowed."""
    from ..operations import queue_steering

    with opened_instance() as instance:
        run = queue_steering.set_priority(instance.stores, run_id, priority, by=user(), clock=instance.clock)
    _print_steered(run, f"priority {run.priority}", as_json=as_json)


@queue.command("hold")
@click.argument("run_id")
@click.option("--reason", default="", help="Why, for those who look at the queue.")
@json_option
def hold(run_id: str, reason: str, as_json: bool) -> None:
    """Keep a queued run from starting until it is released."""
    from ..operations import queue_steering

    with opened_instance() as instance:
        run = queue_steering.hold(instance.stores, run_id, by=user(), reason=reason, clock=instance.clock)
    _print_steered(run, "held", as_json=as_json)


@queue.command("release")
@click.argument("run_id")
@json_option
def release(run_id: str, as_json: bool) -> None:
    """Let a held run take its place in the queue again."""
    from ..operations import queue_steering

    with opened_instance() as instance:
        run = queue_steering.release(instance.stores, run_id, by=user(), clock=instance.clock)
    _print_steered(run, "released", as_json=as_json)


def _print_steered(run: Run, what: str, *, as_json: bool) -> None:
    from ..operations.shapes import run_shape

    if as_json:
        print_json(run_shape(run))
    else:
        click.echo(f"{run.run_id} {what}")
