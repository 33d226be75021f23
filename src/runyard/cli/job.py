"""``runyard job``: list jobs, launch runs of them, execute one here and now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..core.run import Run, RunStatus
from ..core.text import counted
from .code import loaded_code, say_failures
from .commands import Group
from .liveness import warn_without_daemon
from .options import json_option, location_option, target_options
from .output import coloured, print_json, print_table
from .run_input import BadInput, checked_run_id, config_options, read_config, read_tags
from .session import instance_or_temporary, opened_instance, user
from .terminal import echo

if TYPE_CHECKING:
    from ..locations.target import TargetOptions
    from ..operations.instance import Instance
    from ..operations.submit import SubmitRequest

job_option = click.option("-j", "--job", "job_name", required=True, help="The job.")


@click.group(cls=Group)
def job() -> None:
    """List jobs, launch runs of them, execute one here and now."""


@job.command("list")
@target_options
@location_option
@json_option
@click.pass_context
def list_jobs(context: click.Context, target: TargetOptions, location: str | None, as_json: bool) -> None:
    """List the jobs of the code locations."""
    from ..operations.shapes import job_shape

    with instance_or_temporary() as instance, loaded_code(instance, target) as code:
        found = [record for record in code.records() if location in (None, record.name)]
    say_failures(found)
    loaded = [record for record in found if record.definitions is not None]
    jobs = [(record.name, each) for record in loaded if record.definitions for each in record.definitions.jobs]
    if as_json:
        print_json([job_shape(each, name) for name, each in jobs])
    elif loaded:
        rows = [[each.name, name, (each.description or "").partition("\n")[0]] for name, each in jobs]
        print_table(("JOB", "LOCATION", "DESCRIPTION"), rows, empty="No jobs.")
    if not loaded:
        context.exit(1)


@job.command("launch")
@target_options
@click.option("-j", "--job", "job_name", help="The job; with --from, that of lines that name none.")
@location_option
@config_options
@click.option("--run-id", callback=checked_run_id, help="The new run's id; made up when it is not given.")
@click.option("--wait", is_flag=True, help="Follow the run to its end; exit code 1 unless it succeeds.")
@click.option(
    "--from",
    "lines",
    metavar="FILE",
    help="Many runs: on each line a JSON object with job_name, tags, run_config.",
)
@click.option("--key", metavar="TEXT", help="With --from: the same key and file again enqueue nothing twice.")
@json_option
@click.pass_context
def launch(
    context: click.Context,
    target: TargetOptions,
    job_name: str | None,
    location: str | None,
    tags: str | None,
    config: tuple[str, ...],
    config_json: str | None,
    run_id: str | None,
    wait: bool,
    lines: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Put a run of a job into the queue and print its id, or many runs from a file."""
    from ..operations.submit import submit

    if lines is not None:
        if config or config_json or run_id or wait:
            raise click.UsageError("--from goes with -j, -l, --tags and --key; the lines say the rest.")
        _launch_lines(target, lines, job_name, location, tags, key, as_json=as_json)
        return
    if job_name is None or key is not None:
        raise click.UsageError("--key is for --from." if job_name else "Name the job: -j JOB, or --from FILE.")
    request = _request(job_name, location, tags, config, config_json, run_id)
    with opened_instance() as instance:
        with loaded_code(instance, target) as code:
            queued, in_force = instance.settings.queue.queued, instance.settings.tags_in_force
            run = submit(code.stores, code.workspace, request, clock=instance.clock, queued=queued, in_force=in_force)
        _say_whether_it_starts(instance, run)
        if wait:
            if not as_json:
                echo(run.run_id)
            run = _follow_to_end(instance, run, quiet=as_json)
    _print_run(run, as_json=as_json, with_end=wait)
    if wait and run.status is not RunStatus.SUCCESS:
        context.exit(1)


@job.command("execute")
@target_options
@job_option
@location_option
@config_options
@json_option
@click.pass_context
def execute(
    context: click.Context,
    target: TargetOptions,
    job_name: str,
    location: str | None,
    tags: str | None,
    config: tuple[str, ...],
    config_json: str | None,
    as_json: bool,
) -> None:
    """Run a job now, past the queue, and follow it to its end. Without a home nothing is kept."""
    from ..operations.submit import submit
    from ..wiring import canceling

    request = _request(job_name, location, tags, config, config_json, None)
    with instance_or_temporary() as instance, loaded_code(instance, target, executes=True) as code:
        in_force = instance.settings.tags_in_force
        run = submit(code.stores, code.workspace, request, clock=instance.clock, queued=False, in_force=in_force)
        with canceling(instance, code.workspace):
            try:
                run = _follow_to_end(instance, run, quiet=as_json)
            except KeyboardInterrupt:
                run = _cancel(instance, run)
    _print_run(run, as_json=as_json, with_end=True)
    if run.status is not RunStatus.SUCCESS:
        context.exit(1)


def _launch_lines(
    target: TargetOptions,
    file: str,
    job_name: str | None,
    location: str | None,
    tags: str | None,
    key: str | None,
    *,
    as_json: bool,
) -> None:
    from ..operations.submit_many import RequestRefused, submit_many
    from .progress import progress_bar
    from .run_lines import BadLine, read_lines

    requests = read_lines(file, job_name=job_name, location=location, tags=read_tags(tags))
    with opened_instance() as instance:
        if not instance.settings.queue.queued:
            raise BadInput("--from needs the queue, and this instance starts every run at once.")
        with loaded_code(instance, target) as code, progress_bar("Enqueueing", total=len(requests)) as progress:
            asked = [request for _, request in requests]
            try:
                run_ids = submit_many(
                    code.stores,
                    code.workspace,
                    asked,
                    in_force=instance.settings.tags_in_force,
                    idempotency_key=key,
                    progress=progress,
                )
            except RequestRefused as error:
                raise BadLine(file, requests[error.index][0], str(error.error)) from error
        warn_without_daemon(instance)
    if as_json:
        print_json({"run_ids": run_ids})
    else:
        echo(f"Enqueued {counted(len(run_ids), 'run')}.")


def _request(
    job_name: str,
    location: str | None,
    tags: str | None,
    config: tuple[str, ...],
    config_json: str | None,
    run_id: str | None,
) -> SubmitRequest:
    from ..operations.submit import SubmitRequest

    run_config: dict[str, Any] = read_config(config, config_json)
    return SubmitRequest(
        job_name=job_name, location_name=location, run_config=run_config, tags=read_tags(tags), run_id=run_id
    )


def _say_whether_it_starts(instance: Instance, run: Run) -> None:
    if run.status is RunStatus.QUEUED:
        warn_without_daemon(instance)


def _follow_to_end(instance: Instance, run: Run, *, quiet: bool) -> Run:
    """The run as it ended; its events are printed meanwhile, on stderr when stdout is for JSON."""
    from .follow import event_line, follow

    for stored in follow(instance.stores, run.run_id, clock=instance.clock):
        echo(event_line(stored), err=quiet, lines=True)
    return instance.stores.runs.get(run.run_id) or run


def _cancel(instance: Instance, run: Run) -> Run:
    from ..operations.cancel import cancel

    return _follow_to_end(instance, cancel(instance.stores, run.run_id, by=user(), clock=instance.clock), quiet=True)


def _print_run(run: Run, *, as_json: bool, with_end: bool) -> None:
    from ..operations.shapes import run_shape

    if as_json:
        print_json(run_shape(run))
    elif not with_end:
        echo(run.run_id)
    else:
        reason = f": {run.failure.error_class}: {run.failure.message}" if run.failure else ""
        echo(f"{run.run_id} {coloured(run.status.value)}{reason}", err=run.status is RunStatus.FAILURE)
