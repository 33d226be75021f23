"""``runyard run reexecute``: do runs again, all of them or what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..core.run import RunStatus
from ..core.text import counted
from .commands import Command
from .liveness import warn_without_daemon
from .options import json_option, target_options
from .output import print_json, short
from .progress import progress_bar
from .run_input import config_options, read_config, read_tags
from .session import opened_instance
from .terminal import echo

if TYPE_CHECKING:
    from ..core.run import Run
    from ..locations.target import TargetOptions
    from ..operations.instance import Instance
    from ..operations.reexecute import Reexecuted, Reexecution, Reexecutor, Strategy


@click.command("reexecute", cls=Command)
@click.argument("run_ids", nargs=-1, required=True, metavar="RUN_ID...")
@click.option("--from-failure", is_flag=True, help="Only the steps that have not succeeded.")
@click.option(
    "--step",
    "steps",
    multiple=True,
    metavar="KEY",
    help="Only this step; repeatable. KEY* is with all after it, *KEY with all that it needs.",
)
@config_options
@target_options
@json_option
@click.pass_context
def reexecute_runs(
    context: click.Context,
    run_ids: tuple[str, ...],
    from_failure: bool,
    steps: tuple[str, ...],
    tags: str | None,
    config: tuple[str, ...],
    config_json: str | None,
    target: TargetOptions,
    as_json: bool,
) -> None:
    """Do runs that have ended again, each as a new run with the same config and tags.

    With --from-failure or --step, the outputs of the other steps are taken over from the run before.
    """
    from ..operations.reexecute import Reexecution, Strategy

    if from_failure and steps:
        raise click.UsageError("--from-failure and --step exclude each other.")
    strategy = Strategy.FROM_FAILURE if from_failure else Strategy.SELECTED if steps else Strategy.ALL
    given = read_config(config, config_json) if config or config_json else None
    if len(run_ids) == 1:
        asked = Reexecution(run_id=run_ids[0], strategy=strategy, steps=steps, run_config=given, tags=read_tags(tags))
        _one(asked, target, as_json=as_json)
        return
    if steps or given is not None or tags:
        raise click.UsageError("--step, --tags, -c and --config-json are for one run.")
    if _many(run_ids, strategy, target, as_json=as_json).refused:
        context.exit(1)


def _one(asked: Reexecution, target: TargetOptions, *, as_json: bool) -> None:
    from ..operations.shapes import run_shape

    with opened_instance() as instance:
        with _reexecutor(instance, target, live=asked.run_config is not None) as executor:
            run = executor.one(asked)
        _say_whether_they_start(instance, [run])
    if as_json:
        print_json(run_shape(run))
    else:
        echo(run.run_id)


def _many(run_ids: tuple[str, ...], strategy: Strategy, target: TargetOptions, *, as_json: bool) -> Reexecuted:
    with opened_instance() as instance:
        with (
            _reexecutor(instance, target, live=False) as executor,
            progress_bar("Re-executing", total=len(run_ids)) as progress,
        ):
            done = executor.many(run_ids, strategy, progress=progress)
        _say_whether_they_start(instance, done.runs)
    if as_json:
        runs = [{"run_id": run.run_id, "parent_run_id": run.parent_run_id} for run in done.runs]
        refused = [{"run_id": run_id, "detail": str(error)} for run_id, error in done.refused]
        print_json({"runs": runs, "refused": refused})
        return done
    for run in done.runs:
        echo(f"{run.run_id} after {short(run.parent_run_id or '')}")
    for _, error in done.refused:
        echo(str(error), err=True)
    if done.refused:
        echo(f"{counted(len(done.refused), 'run')} of {len(run_ids)} not done again.", err=True)
    return done


@contextmanager
def _reexecutor(instance: Instance, target: TargetOptions, *, live: bool) -> Iterator[Reexecutor]:
    """``live``: the code itself is needed, not only what the daemons published of it."""
    from ..operations.reachable import NOWHERE
    from ..operations.reexecute import Reexecutor
    from .code import known_code, loaded_code

    settings, clock = instance.settings, instance.clock
    queued, in_force = settings.queue.queued, settings.tags_in_force
    if queued and not live:
        with known_code(instance, target) as stores:
            yield Reexecutor(stores, NOWHERE, clock=clock, in_force=in_force)
        return
    with loaded_code(instance, target) as code:
        yield Reexecutor(code.stores, code.workspace, clock=clock, queued=queued, in_force=in_force)


def _say_whether_they_start(instance: Instance, runs: list[Run]) -> None:
    if any(run.status is RunStatus.QUEUED for run in runs):
        warn_without_daemon(instance)
