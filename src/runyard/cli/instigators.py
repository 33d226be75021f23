"""What ``runyard schedule`` and ``runyard sensor`` have in common: list, start, stop, preview, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..core.clock import Clock
from ..core.text import shortened
from ..core.tick import Evaluation, InstigatorKind, Tick, TickStatus
from .code import known_code, loaded_code, say_failures
from .commands import Group
from .options import json_option, location_option, target_options
from .output import coloured, error_text, local_time, print_json, print_table, short, zone_time
from .session import opened_instance
from .terminal import echo
from .tick_text import dropped, result_text

if TYPE_CHECKING:
    from ..core.tick import InstigatorKey
    from ..locations.target import TargetOptions
    from ..operations.instigators import InstigatorView, Upcoming
    from ..storage.protocols import Stores


def instigator_group(kind: InstigatorKind) -> click.Group:
    """The commands for one kind."""
    group = Group(kind, help=f"List {kind}s, start and stop them, look at their ticks.")
    for command in (_list_command, _start_command, _stop_command, _preview_command, _logs_command):
        group.add_command(command(kind))
    return group


def _list_command(kind: InstigatorKind) -> click.Command:
    @click.command("list", cls=Group.command_class, help=f"List {kind}s.")
    @target_options
    @click.option("--running", "only", flag_value="RUNNING", help="Only those that run.")
    @click.option("--stopped", "only", flag_value="STOPPED", help="Only those that are stopped.")
    @json_option
    def command(target: TargetOptions, only: str | None, as_json: bool) -> None:
        from ..operations.instigators import listing
        from ..operations.shapes import instigator_shape

        with opened_instance() as instance, known_code(instance, target) as stores:
            views = [view for view in listing(stores, kind, clock=instance.clock) if _matches(view, only)]
        if as_json:
            print_json([instigator_shape(view) for view in views])
        else:
            headers = (kind.upper(), "LOCATION", "STATUS", "WHEN", "NEXT TICK", "LAST TICK", "RESULT")
            print_table(headers, [_row(view, instance.clock) for view in views], empty=f"No {kind}s.")

    return command


def _matches(view: InstigatorView, only: str | None) -> bool:
    return only is None or view.running == (only == "RUNNING")


def _row(view: InstigatorView, clock: Clock) -> list[str]:
    from ..core.location import ScheduleInfo

    info = view.info
    if isinstance(info, ScheduleInfo):
        when = f"{shortened(', '.join(info.cron_schedule))} ({shortened(info.execution_timezone)})"
    else:
        when = f"every {info.minimum_interval_seconds:g} s"
    last = f"{view.last_tick.status.value} {local_time(view.last_tick.time)}" if view.last_tick else "-"
    status = "RUNNING" if view.running else "STOPPED"
    result = (
        f"cannot run: {info.problem}" if info.problem else result_text(view.last_tick, clock) if view.last_tick else "-"
    )
    return [view.key.name, view.key.location_name, status, when, local_time(view.next_tick), last, result]


def _start_command(kind: InstigatorKind) -> click.Command:
    @click.command("start", cls=Group.command_class, help=f"Start a {kind}; nothing that lay before now fires.")
    @click.argument("name")
    @target_options
    @location_option
    @json_option
    def command(name: str, target: TargetOptions, location: str | None, as_json: bool) -> None:
        from ..operations.instigators import find, start

        with opened_instance() as instance, known_code(instance, target) as stores:
            key = find(stores, kind, name, location)
            start(stores, key, clock=instance.clock)
            _print_status(stores, key, instance.clock, as_json=as_json)

    return command


def _stop_command(kind: InstigatorKind) -> click.Command:
    @click.command("stop", cls=Group.command_class, help=f"Stop a {kind}, whatever its code says.")
    @click.argument("name")
    @target_options
    @location_option
    @json_option
    def command(name: str, target: TargetOptions, location: str | None, as_json: bool) -> None:
        from ..operations.instigators import find, stop

        with opened_instance() as instance, known_code(instance, target) as stores:
            key = find(stores, kind, name, location)
            stop(stores, key)
            _print_status(stores, key, instance.clock, as_json=as_json)

    return command


def _print_status(stores: Stores, key: InstigatorKey, clock: Clock, *, as_json: bool) -> None:
    from ..operations.instigators import listing
    from ..operations.shapes import instigator_shape

    view = next(view for view in listing(stores, key.kind, clock=clock) if view.key == key)
    if as_json:
        print_json(instigator_shape(view))
    else:
        echo(f"{key.name} of {key.location_name} {coloured('RUNNING' if view.running else 'STOPPED')}")


def _preview_command(kind: InstigatorKind) -> click.Command:
    @click.command("preview", cls=Group.command_class, help=f"Evaluate a {kind} now and commit nothing.")
    @click.argument("name")
    @target_options
    @location_option
    @json_option
    @click.pass_context
    def command(context: click.Context, name: str, target: TargetOptions, location: str | None, as_json: bool) -> None:
        from ..operations.instigators import find, next_ticks, preview
        from ..operations.shapes import evaluation_shape

        with opened_instance() as instance, loaded_code(instance, target) as code:
            say_failures(code.records())
            key = find(code.stores, kind, name, location)
            evaluation = preview(code.stores, code.workspace, key, clock=instance.clock)
            upcoming = next_ticks(code.stores, key, clock=instance.clock)
        if as_json:
            print_json(evaluation_shape(evaluation, upcoming))
        else:
            _print_evaluation(evaluation)
            _print_upcoming(upcoming)
        if evaluation.status is TickStatus.FAILURE:
            context.exit(1)

    return command


def _print_evaluation(evaluation: Evaluation) -> None:
    echo(coloured(evaluation.status.value))
    for asked in evaluation.runs:
        key = f" (run key {asked.run_key})" if asked.run_key else ""
        echo(f"  would ask for a run of {asked.job_name}{key}, tags {asked.tags}, config {asked.run_config}")
        for warning in asked.warnings:
            echo(f"    {warning}")
    if evaluation.skip_reason:
        echo(f"  {evaluation.skip_reason}")
    if evaluation.cursor is not None:
        echo(f"  cursor {evaluation.cursor}")
    for line in evaluation.log:
        echo(f"  log: {line}")
    if evaluation.error is not None:
        echo(error_text(evaluation.error), err=True, lines=True)


def _print_upcoming(upcoming: Upcoming | None) -> None:
    if upcoming is not None and upcoming.times:
        echo(f"  next ticks in {upcoming.timezone}:")
        for time in upcoming.times:
            echo(f"    {zone_time(time, upcoming.timezone)}")


def _logs_command(kind: InstigatorKind) -> click.Command:
    @click.command("logs", cls=Group.command_class, help=f"Show a {kind}'s ticks, newest first, with their logs.")
    @click.argument("name")
    @target_options
    @location_option
    @click.option(
        "--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="At most so many ticks."
    )
    @json_option
    def command(name: str, target: TargetOptions, location: str | None, limit: int, as_json: bool) -> None:
        from ..operations.instigators import find
        from ..operations.shapes import tick_shape

        with opened_instance() as instance, known_code(instance, target) as stores:
            ticks = stores.ticks.list(find(stores, kind, name, location), limit=limit)
        if as_json:
            print_json([tick_shape(tick) for tick in ticks])
            return
        for tick in ticks:
            _print_tick(tick, instance.clock)
        if not ticks:
            echo("No ticks.")

    return command


def _print_tick(tick: Tick, clock: Clock) -> None:
    runs = f"  runs {', '.join(short(run_id) for run_id in tick.run_ids)}" if tick.run_ids else ""
    echo(f"{local_time(tick.time)}  {coloured(tick.status.value)}{runs}")
    notes = [tick.skip_reason, *dropped(tick), *tick.log]
    if tick.status is TickStatus.FAILURE:
        notes.append(result_text(tick, clock, whole=True))
    for note in filter(None, notes):
        echo(f"    {note}")
