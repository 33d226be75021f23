"""``runyard run``: look at runs, cancel them, do them again, delete them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ..core.run import Run, RunStatus
from ..core.tag_text import spell_tag
from ..core.text import counted
from .commands import Group
from .options import json_option, tags_option
from .output import coloured, duration, local_time, print_json, print_table, short
from .run_cancel import cancel_runs
from .run_logs import run_logs
from .run_reexecute import reexecute_runs
from .session import opened_instance
from .terminal import echo

if TYPE_CHECKING:
    from ..operations.instance import Instance

STATUSES = click.Choice([status.value for status in RunStatus], case_sensitive=False)


@click.group(cls=Group)
def run() -> None:
    """Look at runs, cancel them, do them again, delete them."""


run.add_command(cancel_runs)
run.add_command(reexecute_runs)
run.add_command(run_logs)


@run.command("list")
@click.option("--status", "statuses", multiple=True, type=STATUSES, help="Only runs in this status; repeatable.")
@click.option("--job", help="Only runs of this job.")
@tags_option("Only runs with this tag; repeatable.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=25, show_default=True, help="At most so many runs.")
@json_option
def list_runs(statuses: tuple[str, ...], job: str | None, tags: dict[str, str], limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    from ..storage.protocols import RunsFilter

    where = RunsFilter(job_name=job, statuses=tuple(RunStatus(status) for status in statuses), tags=tags)
    with opened_instance() as instance:
        found = instance.stores.runs.list(where, limit=limit)
    if as_json:
        from ..operations.shapes import run_shape

        print_json([run_shape(each) for each in found])
        return
    rows = [[short(r.run_id), r.job_name, r.status.value, str(r.priority), local_time(r.created_at)] for r in found]
    print_table(("RUN", "JOB", "STATUS", "PRIORITY", "CREATED"), rows, empty="No runs.")


@run.command("show")
@click.argument("run_id")
@json_option
def show_run(run_id: str, as_json: bool) -> None:
    """Show one run. RUN_ID may be its first characters."""
    from ..operations.shapes import run_shape

    with opened_instance() as instance:
        found = _find(instance, run_id)
    if as_json:
        print_json(run_shape(found))
        return
    for name, value in _facts(found):
        echo(f"{name + ':':10} {coloured(value)}")


def _facts(found: Run) -> Iterable[tuple[str, str]]:
    yield "Run", found.run_id
    yield "Job", f"{found.job_name} of {found.location_name}"
    yield "Status", found.status.value
    yield "Priority", str(found.priority)
    if found.parent_run_id is not None:
        yield "After", f"run {found.parent_run_id}"
    if found.attempt > 1:
        resumed = f", resumed {counted(found.resumes, 'time')}" if found.resumes else ""
        yield "Attempt", f"{found.attempt}{resumed}"
    if found.host_id is not None and found.pid is not None:
        yield "Worker", f"pid {found.pid}"
    if found.held:
        yield "Held", f"by {found.held_by or 'somebody'}" + (f": {found.held_reason}" if found.held_reason else "")
    for name, time in (
        ("Created", found.created_at),
        ("Queued", found.queued_at),
        ("Launched", found.launched_at),
        ("Started", found.started_at),
        ("Ended", found.ended_at),
    ):
        if time is not None:
            yield name, local_time(time)
    if found.started_at is not None and found.ended_at is not None:
        yield "Took", duration(found.ended_at - found.started_at)
    yield "Tags", ", ".join(spell_tag(key, value) for key, value in sorted(found.tags.items())) or "-"
    yield "Config", json.dumps(found.run_config, ensure_ascii=False)
    if found.failure is not None:
        step = f"step {found.failure.step_key}: " if found.failure.step_key else ""
        yield "Failure", f"{step}{found.failure.error_class}: {found.failure.message}"


@run.command("delete")
@click.argument("run_id")
def delete_run(run_id: str) -> None:
    """Delete a finished run with its events, what it printed and the values that its steps handed on."""
    from ..operations.delete import delete
    from ..storage.compute_logs import LocalComputeLogs
    from ..storage.values import LocalValues

    with opened_instance() as instance:
        logs, values = LocalComputeLogs(instance.settings.compute_logs_dir), LocalValues(instance.settings.outputs_dir)
        deleted = delete(instance.stores.runs, logs, values, run_id)
    echo(f"Deleted {deleted.run_id}.")


def _find(instance: Instance, run_id: str) -> Run:
    from ..operations.find_run import find_run

    return find_run(instance.stores.runs, run_id)
