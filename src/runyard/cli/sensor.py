"""``runyard sensor``: the commands of schedules, and the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .code import known_code
from .instigators import instigator_group
from .options import json_option, location_option, target_options
from .output import print_json
from .session import opened_instance
from .terminal import echo

if TYPE_CHECKING:
    from ..locations.target import TargetOptions

sensor = instigator_group("sensor")


@sensor.command("cursor")
@click.argument("name")
@target_options
@location_option
@click.option("--set", "new", metavar="VALUE", help="Set the cursor.")
@click.option("--delete", is_flag=True, help="Delete the cursor; run keys stay.")
@json_option
def cursor(
    name: str, target: TargetOptions, location: str | None, new: str | None, delete: bool, as_json: bool
) -> None:
    """Show, set or delete a sensor's cursor."""
    from ..operations.instigators import find, set_cursor

    if new is not None and delete:
        raise click.UsageError("--set and --delete exclude each other.")
    with opened_instance() as instance, known_code(instance, target) as stores:
        key = find(stores, "sensor", name, location)
        if new is not None or delete:
            set_cursor(stores, key, new)
        state = stores.ticks.state(key)
    value = state.cursor if state else None
    if as_json:
        print_json({"name": key.name, "location": key.location_name, "cursor": value})
    else:
        echo("no cursor" if value is None else value, lines=True)
