"""``runyard run cancel``: one run, several, or all that fit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..core.run import RunStatus
from ..core.text import counted
from .commands import Command
from .options import json_option, tags_option
from .output import coloured, print_json
from .progress import progress_bar
from .session import opened_instance, user
from .terminal import confirm, echo

if TYPE_CHECKING:
    from ..operations.cancel_many import Canceled, Doomed

_STATUSES = [RunStatus.NOT_STARTED.value, RunStatus.QUEUED.value, RunStatus.STARTING.value, RunStatus.STARTED.value]


@click.command("cancel", cls=Command)
@click.argument("run_ids", nargs=-1, metavar="[RUN_ID]...")
@click.option("--all", "everything", is_flag=True, help="Every run that has not ended.")
@click.option("-j", "--job", help="Runs of this job.")
@click.option("-l", "--location", help="Runs of this code location.")
@tags_option("Runs with this tag; repeatable.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(_STATUSES, case_sensitive=False),
    help="Runs in this status; repeatable.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask before many runs are canceled.")
@json_option
def cancel_runs(
    run_ids: tuple[str, ...],
    everything: bool,
    job: str | None,
    location: str | None,
    tags: dict[str, str],
    statuses: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Cancel runs: one, several, or all that fit. A running one is CANCELING until its worker has stopped."""
    from ..operations.cancel_many import Doomed

    which = Doomed(
        run_ids=run_ids,
        job_name=job,
        location_name=location,
        tags=tags,
        statuses=tuple(RunStatus(status) for status in statuses),
    )
    by_filter = everything or bool(job or location or tags or statuses)
    if bool(run_ids) == by_filter:
        raise click.UsageError("Say which runs: RUN_ID..., or --all, or filters such as --job and --tag.")
    if len(run_ids) == 1:
        _cancel_one(run_ids[0], as_json=as_json)
    else:
        _cancel_many(which, ask=by_filter and not (yes or as_json) and sys.stdin.isatty(), as_json=as_json)


def _cancel_one(run_id: str, *, as_json: bool) -> None:
    from ..operations.cancel import cancel
    from ..operations.shapes import run_shape

    with opened_instance() as instance:
        canceled = cancel(instance.stores, run_id, by=user(), clock=instance.clock)
    if as_json:
        print_json(run_shape(canceled))
    else:
        echo(f"{canceled.run_id} {coloured(canceled.status.value)}")


def _cancel_many(which: Doomed, *, ask: bool, as_json: bool) -> None:
    import msgspec

    from ..operations.cancel_many import cancel_many, matching

    with opened_instance() as instance:
        total = len(which.run_ids) or matching(instance.stores.runs, which)
        if ask and total:
            confirm(f"Cancel {counted(total, 'run')}?")
        with progress_bar("Canceling", total=total) as progress:
            done = cancel_many(instance.stores, which, by=user(), clock=instance.clock, progress=progress)
    if as_json:
        print_json(msgspec.to_builtins(done))
    else:
        echo(_told(done))


def _told(done: Canceled) -> str:
    parts = [f"Canceled {counted(done.canceled, 'run')}."] if done.canceled else []
    parts += (
        [f"{counted(done.canceling, 'run')} told to stop: CANCELING until the worker has."] if done.canceling else []
    )
    parts += [f"{counted(done.ended, 'run')} had ended already."] if done.ended else []
    return " ".join(parts) or "No run matches that has not ended."
