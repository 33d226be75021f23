"""What commands open and close: the instance, and code where a command needs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..core.location import LocationRecord, LocationState
from .options import current_directory

if TYPE_CHECKING:
    from ..locations.api import Workspace
    from ..locations.target import TargetOptions
    from ..settings.instance import InstanceSettings
    from ..wiring import Instance


def user() -> str:
    """Who acts, in the log of a run."""
    return os.environ.get("USER") or "the command line"


@contextmanager
def opened_instance() -> Iterator[Instance]:
    """The instance that the environment names.

    Raises:
        HomeNotSet: it names none.
    """
    # Storage is imported when a command runs, so that --help and --version do without.
    from ..settings.loading import load_settings

    with _opened(load_settings(None, env=os.environ)) as instance:
        yield instance


@contextmanager
def instance_or_temporary() -> Iterator[Instance]:
    """The instance that the environment names, else one in a temporary home that is removed afterwards."""
    from ..settings.loading import load_settings

    with _opened(load_settings(None, ephemeral_ok=True, env=os.environ)) as instance:
        yield instance


@contextmanager
def temporary_instance() -> Iterator[Instance]:
    """One in a temporary home, whatever the environment names."""
    from ..settings.loading import load_settings

    with _opened(load_settings(None, ephemeral_ok=True, env={})) as instance:
        yield instance


@contextmanager
def _opened(settings: InstanceSettings) -> Iterator[Instance]:
    from ..wiring import open_instance

    try:
        with open_instance(settings) as instance:
            yield instance
    finally:
        if settings.ephemeral:
            shutil.rmtree(settings.home, ignore_errors=True)


@contextmanager
def loaded_code(instance: Instance, options: TargetOptions) -> Iterator[Workspace]:
    """The code locations of a target, loaded: by hosts that run already, else by hosts that go when we have gone.

    Raises:
        NoTarget: nothing says where the code is.
    """
    from ..locations.target import resolve_target
    from ..wiring import open_workspace

    workspace = open_workspace(instance, resolve_target(options, current_directory()))
    workspace.start()
    try:
        workspace.wait_loaded(timeout=instance.settings.code_servers.local_startup_timeout)
        yield workspace
    finally:
        workspace.stop(terminate_hosts=instance.settings.ephemeral)


def records(workspace: Workspace) -> list[LocationRecord]:
    """The state of every location of the workspace, by name."""
    return sorted((location.record() for location in workspace.all()), key=lambda record: record.name)


def say_failures(found: list[LocationRecord]) -> None:
    """One line on stderr for each location that does not load."""
    for record in found:
        if record.state is LocationState.ERROR:
            error = record.error
            reason = f"{error.class_name}: {error.message}" if error else "no reason is known"
            click.echo(f"Location '{record.name}' does not load: {' '.join(reason.split())}", err=True)
        elif record.state is LocationState.LOADING:
            click.echo(f"Location '{record.name}' is still loading.", err=True)
