"""``runyard run logs``: a run's events and what it printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from .commands import Command
from .options import json_option
from .output import json_text
from .session import opened_instance
from .terminal import echo, keep_colours

if TYPE_CHECKING:
    from ..operations.instance import Instance
    from .follow import Entry

_STREAMS = click.Choice(["all", "events", "both", "out", "err"])


@click.command("logs", cls=Command)
@click.argument("run_id")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@click.option(
    "--stream",
    type=_STREAMS,
    default="all",
    show_default=True,
    help="Events and what was printed, or one of them; out and err are printed as they are.",
)
@click.option("--step", metavar="KEY", help="Only what concerns this step.")
@json_option
def run_logs(run_id: str, follow: bool, stream: str, step: str | None, as_json: bool) -> None:
    """Print a run's events and what it printed, in order of time. RUN_ID may be its first characters.

    With --json: the events, or the printed lines where --stream names both, out or err.
    """
    with opened_instance() as instance:
        found = _entries(
            instance, run_id, stream="events" if as_json and stream == "all" else stream, step=step, follow=follow
        )
        if as_json:
            _print_json(found)
            return
        for entry in found:
            echo(_shown(entry, bare=stream in ("out", "err")), lines=True)


def _entries(instance: Instance, run_id: str, *, stream: str, step: str | None, follow: bool) -> Iterator[Entry]:
    from ..core.events import StoredEvent
    from ..operations.find_run import find_run
    from ..operations.find_step import check_step
    from ..storage.compute_logs import LocalComputeLogs
    from ..storage.run_output.merged import RunOutput, Which
    from .follow import entries

    run = find_run(instance.stores.runs, run_id)
    logs = LocalComputeLogs(instance.settings.compute_logs_dir)
    check_step(instance.stores.locations, logs, run, step)
    output = None
    if stream != "events":
        which: Which = "out" if stream == "out" else "err" if stream == "err" else "both"
        output = RunOutput(logs, run.run_id, stream=which, step_key=step)
    wants_events = stream in ("all", "events")
    found = entries(instance.stores, run.run_id, output, events=wants_events, go_on=follow, clock=instance.clock)
    for entry in found:
        if step is None or not isinstance(entry, StoredEvent) or entry.event.step_key == step:
            yield entry


def _shown(entry: Entry, *, bare: bool) -> str:
    from ..core.events import StoredEvent
    from .follow import event_line, printed_line

    if isinstance(entry, StoredEvent):
        return event_line(entry)
    return keep_colours(entry.text) if bare else printed_line(entry)


def _print_json(entries: Iterable[Entry]) -> None:
    """One JSON array, an entry a line, written as they come."""
    start = "["
    for entry in entries:
        echo(f"{start}\n{json_text(_shape(entry))}", lines=True, newline=False)
        start = ","
    echo("[]" if start == "[" else "\n]", lines=True)


def _shape(entry: Entry) -> dict[str, Any]:
    from ..core.events import StoredEvent
    from ..operations.run_output import line_shape
    from ..operations.shapes import event_shape

    return event_shape(entry) if isinstance(entry, StoredEvent) else line_shape(entry)
