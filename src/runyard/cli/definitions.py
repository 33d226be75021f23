"""``runyard definitions``: see whether code loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..core.location import LocationRecord, LocationState
from .code import loaded_code
from .commands import Group
from .options import json_option, target_options
from .output import error_text, loaded_text, print_json
from .session import temporary_instance
from .terminal import echo, style

if TYPE_CHECKING:
    from ..locations.target import TargetOptions


@click.group(cls=Group)
def definitions() -> None:
    """See whether code loads."""


@definitions.command("validate")
@target_options
@json_option
@click.pass_context
def validate(context: click.Context, target: TargetOptions, as_json: bool) -> None:
    """Load every code location and say what each defines; exit code 1 when one does not load or has a problem."""
    from ..operations.shapes import location_shape

    with temporary_instance() as instance, loaded_code(instance, target) as code:
        found = code.records()
    if as_json:
        print_json([location_shape(record) for record in found])
    else:
        for record in found:
            _print(record)
    if any(record.state is not LocationState.LOADED or record.problems() for record in found):
        context.exit(1)


def _print(record: LocationRecord) -> None:
    if record.state is LocationState.LOADED:
        problems = record.problems()
        state = "loads" if problems else f"{style('ok', fg='green')}   "
        echo(f"{state} {record.name}: {loaded_text(record)}")
        for problem in problems:
            echo(f"{style('fails', fg='red')} {record.name}: {problem}", err=True)
        return
    echo(f"{style('fails', fg='red')} {record.name} ({record.source})", err=True)
    if record.error is not None:
        echo(error_text(record.error), err=True, lines=True)
