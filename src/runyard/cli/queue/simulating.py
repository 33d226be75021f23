"""``runyard queue simulate``: what would happen under other limits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.tag_text import spell_tag
from ...core.text import counted, duration
from ..commands import Command
from ..options import json_option
from ..output import Table, print_json, show_table
from ..progress import progress_bar
from ..session import opened_instance
from ..terminal import echo

if TYPE_CHECKING:
    from ...operations.instance import Instance
    from ...operations.queue.simulate import Given

#: More than so many runs take minutes.
MOST_RUNS = 1_000_000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_STEPS = 1000
_COUNTS = {
    "launches": "launched",
    "never_started": "never started",
    "late": "started after the window",
    "refused": "refused by overlap policy",
    "canceled": "canceled by overlap policy",
}
_MEASURES = ("median", "p95", "max")


@click.command("simulate", cls=Command)
@click.option("--limits", type=_FILE, help="Other limits: a file with a 'concurrency:' section.")
@click.option("--from", "since", metavar="TIME", help="Recorded runs from this time on, such as '2d ago' [24h ago].")
@click.option("--to", "until", metavar="TIME", help="Recorded runs before this time [now].")
@click.option("--load", type=_FILE, help="Instead of recorded runs a load: a list of jobs with their durations.")
@click.option("--seed", type=int, default=0, show_default=True, help="For the durations of a load.")
@json_option
def simulate(
    limits: Path | None, since: str | None, until: str | None, load: Path | None, seed: int, as_json: bool
) -> None:
    """Run admission over recorded runs or over a load, under the limits in force and under others.

    What the file with other limits leaves out stays as it is in force.
    """
    from ...operations.queue.simulate import what_if
    from ...operations.queue.simulate_shapes import what_if_shape
    from ...settings.limits_file import rules_of_file

    if load and (since or until):
        raise click.UsageError("--load and --from or --to exclude each other: a load has times of its own.")
    with opened_instance() as instance:
        rules = instance.stores.queue.rules()
        other = rules_of_file(limits, rules, env=os.environ) if limits else None
        given = _given(instance, since, until, load, seed)
        with progress_bar("Simulating", total=_STEPS) as show:
            found = what_if(given, rules, other, progress=lambda done: show(round(done * _STEPS)))
    shape = what_if_shape(found)
    if as_json:
        print_json(shape)
    else:
        _print(shape)


def _given(instance: Instance, since: str | None, until: str | None, load: Path | None, seed: int) -> Given:
    from ...operations.queue.simulate import of_entries, of_texts
    from ...settings.load_file import load_of_file

    if load:
        return of_entries(load_of_file(load, env=os.environ), seed=seed, most=MOST_RUNS)
    return of_texts(instance.stores, since=since, until=until, now=instance.clock.now(), most=MOST_RUNS)


def _print(shape: dict[str, Any]) -> None:
    before, after = shape["before"], shape["after"]
    echo(_source(shape["source"]))
    for table in (_waits(before, after), _limits(before, after), _totals(before, after)):
        show_table(table)
    for name, outcome in (("before", before), ("after", after)):
        if outcome is not None and outcome["starving"]:
            short = shape["source"]["kind"] == "history"
            show_table(_starving(outcome["starving"], name if after else "", short=short))


def _source(source: dict[str, Any]) -> str:
    if source["kind"] == "load":
        return f"{counted(source['runs'], 'run')} of a load."
    parts = [f"{counted(source['runs'], 'run')} recorded from {source['from'][:19]}Z to {source['to'][:19]}Z."]
    if source["left_out"]:
        parts.append(f"{counted(source['left_out'], 'run')} that ended before launch left out.")
    if source["assumed_durations"]:
        parts.append(f"{source['assumed_durations']} not over yet: they last as long as others of their job.")
    return " ".join([*parts, *source["notes"]])


def _table(title: str, *columns: str, rows: list[list[str]], compares: bool) -> Table:
    values = ("before", "after", "change") if compares else ("now",)
    return Table((*columns, *values), rows, title, right=len(values))


def _waits(before: dict[str, Any], after: dict[str, Any] | None) -> Table:
    others = {(row["by"], row["value"]): row for row in after["waits"]} if after else {}
    rows = []
    for row in before["waits"]:
        other = others.get((row["by"], row["value"]))
        for measure in _MEASURES:
            first = measure == _MEASURES[0]
            name = (f"{row['by']} {row['value'] or ''}".strip(), _runs(row)) if first else ("", "")
            values = (row[measure], other[measure]) if other else (row[measure],)
            rows.append([*name, measure, *_compared(values)])
    return _table("Waiting", "runs of", "", "", rows=rows, compares=after is not None)


def _runs(row: dict[str, Any]) -> str:
    came = row["runs"] + row["never_started"]
    return counted(came, "run") if not row["never_started"] else f"{row['runs']} of {counted(came, 'run')}"


def _limits(before: dict[str, Any], after: dict[str, Any] | None) -> Table:
    old = {row["rule"]: row for row in before["limits"]}
    new = {row["rule"]: row for row in after["limits"]} if after else {}
    rows = []
    for rule in dict.fromkeys([*old, *new]):
        cells = [_use(by_rule.get(rule)) for by_rule in ((old, new) if after else (old,))]
        rows.append([rule, *cells, *([_points(old.get(rule), new.get(rule))] if after else [])])
    return _table("Limits in use", "limit", rows=rows, compares=after is not None)


def _use(row: dict[str, Any] | None) -> str:
    return "-" if row is None else f"{row['utilisation']:.0%} of {row['limit']}"


def _points(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    return "" if old is None or new is None else f"{100 * (new['utilisation'] - old['utilisation']):+.0f} points"


def _totals(before: dict[str, Any], after: dict[str, Any] | None) -> Table:
    rows = []
    for key, name in _COUNTS.items():
        counts = [outcome[key] for outcome in (before, after) if outcome]
        if any(counts) or key in ("launches", "never_started"):
            rows.append([name, *map(str, counts), *([f"{counts[1] - counts[0]:+d}"] if len(counts) == 2 else [])])
    ends = _compared([outcome["makespan"] for outcome in (before, after) if outcome])
    return _table("In all", "", rows=[*rows, ["until all has ended", *ends]], compares=after is not None)


def _compared(values: Any) -> list[str]:
    """Durations, and how much the second is longer than the first."""
    cells = ["-" if value is None else duration(value) for value in values]
    if len(cells) < 2:
        return cells
    old, new = values
    if old is None or new is None:
        return [*cells, ""]
    change = new - old
    return [*cells, "=" if abs(change) < 0.05 else f"{'+' if change > 0 else '-'}{duration(abs(change))}"]


def _starving(rows: list[dict[str, Any]], when: str, *, short: bool) -> Table:
    headers = ("run", "job", "priority", "waited", "", "")
    title = f"Waited longest{f' {when}' if when else ''}"
    return Table(headers, [_starved(row, short=short) for row in rows], title)


def _starved(row: dict[str, Any], *, short: bool) -> list[str]:
    times = f"{row['times_median']:.1f} times the median" if row["times_median"] else ""
    tags = " ".join(spell_tag(key, value) for key, value in row["tags"].items())
    waited = duration(row["waited"]) if row["started"] else f"{duration(row['waited'])}, never started"
    run_id = row["run_id"][:8] if short else row["run_id"]
    return [run_id, row["job_name"], str(row["priority"]), waited, times, tags]
