"""``runyard instance``: what this instance is, its limits, and its storage's schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from .commands import Group
from .concurrency import concurrency
from .options import json_option
from .output import print_json
from .processes import in_full, settings_lines
from .session import opened_instance
from .terminal import echo

if TYPE_CHECKING:
    from ..core.location import LocationRecord
    from ..operations.instance import Instance
    from ..settings.instance import InstanceSettings


@click.group(cls=Group)
def instance() -> None:
    """Look at the instance, change its limits, and bring its storage up to date."""


instance.add_command(concurrency)


@instance.command("info")
@json_option
def info(as_json: bool) -> None:
    """Show the home, the storage and the settings in force."""
    from ..operations.processes import serving
    from ..operations.shapes import process_shape

    with opened_instance() as opened:
        processes = serving(opened.stores, clock=opened.clock)
        described = _described(opened.settings, opened.stores.describe())
        described["locations"] = [_location(record, opened.settings) for record in opened.stores.locations.all()]
        described["idle_limits"] = _idle_limits(opened)
    described["processes"] = [process_shape(process) for process in processes]
    if as_json:
        print_json(described)
        return
    for name, value in _lines(described):
        echo(f"{name + ':':14} {value}")
    for process in processes:
        echo(f"{'process:':14} {in_full(process)}")
    for line in settings_lines(processes):
        echo(f"{'note:':14} {line}")


def _lines(described: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("version", "home", "file", "compute_logs"):
        yield name, described[name] or "-"
    yield "storage", _flat(described["storage"])
    for name, value in described["settings"].items():
        yield name, _flat(value)
    for kind, why in described["daemons_off"].items():
        yield "off", f"{kind}: {why['setting']} ({why['where'] or 'the default'})"
    for location in described["locations"]:
        yield "location", _location_line(location)
    for notice in (*described["notices"], *described["idle_limits"]):
        yield "note", notice


def _described(settings: InstanceSettings, storage: dict[str, Any]) -> dict[str, Any]:
    import msgspec

    return {
        "version": __version__,
        "home": settings.home,
        "file": settings.file,
        "storage": storage,
        "compute_logs": settings.compute_logs_dir,
        "settings": {
            name: msgspec.to_builtins(getattr(settings, name))
            for name in ("queue", "monitoring", "scheduler", "schedules", "sensors", "code_servers")
        },
        "daemons_off": {kind: msgspec.to_builtins(why) for kind, why in settings.why_off.items()},
        "notices": list(settings.notices),
    }


def _location(record: LocationRecord, settings: InstanceSettings) -> dict[str, Any]:
    from ..locations.paths import host_log

    return {
        "name": record.name,
        "state": record.state.value,
        "error": f"{record.error.class_name}: {record.error.message}" if record.error else None,
        "log": str(host_log(settings.compute_logs_dir, record.name)),
    }


def _location_line(location: dict[str, Any]) -> str:
    error = f" {' '.join(location['error'].split())};" if location["error"] else ""
    return f"{location['name']}: {location['state']};{error} log {location['log']}"


def _idle_limits(opened: Instance) -> list[str]:
    """Limits that match nothing, of the file as it is now with what people changed over it."""
    from ..operations.queue.names_in_use import idle
    from ..queue.limit_changes import with_changes

    rules = with_changes(opened.settings.queue.rules, opened.stores.limits.changed())
    return [limit.message for limit in idle(opened.stores, rules)]


def _flat(value: dict[str, Any]) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items())


@instance.command("migrate")
def migrate() -> None:
    """Bring the storage's schema up to this version's."""
    from ..core.clock import SystemClock
    from ..settings.loading import load_settings
    from ..storage.open import migrate_storage

    settings = load_settings(None, env=os.environ)
    revision = migrate_storage(settings.storage, SystemClock())
    echo(f"The storage is at schema revision {revision}.")
