"""``python -m bench.deep_queue``: fills databases, drives the leader on them, prints a table and writes JSON."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .. import peer, report
from ..contender import BenchError
from .felt import felt
from .fill import fill
from .peer_queue import PeerQueue
from .shape import Shape
from .store import database, opened

ROOT = Path(__file__).parents[2]
DEPTHS = (10_000, 100_000, 1_000_000)
#: Title, unit and factor of each figure; in the order of the table.
FIGURES = {
    "enqueue": ("enqueue", "runs/s", 1.0),
    "load": ("load", "s", 1.0),
    "memory": ("memory", "MiB", 1.0),
    "find p50": ("the one free run, p50", "ms", 1000.0),
    "find p99": ("p99", "ms", 1000.0),
    "first launch": ("first launch", "s", 1.0),
    "admissions": ("admissions", "/s", 1.0),
    "felt p50": ("enqueued to STARTED, p50", "ms", 1000.0),
    "felt p99": ("p99", "ms", 1000.0),
    "asked p50": ("asked over HTTP to STARTED, p50", "ms", 1000.0),
    "asked p99": ("p99", "ms", 1000.0),
}
Figures = dict[str, float]


def arguments() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.deep_queue", description="The run queue at depth.")
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS)
    parser.add_argument("--lanes", nargs="*", default=["1", "1000", "all"], help="numbers, or all: as many as runs")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--felt", action="store_true", help="also from asking to STARTED, with real workers")
    parser.add_argument("--peer", action="store_true", help="also the peer (SQLite, one lane), as far as it gets")
    parser.add_argument("--cap", type=float, default=180.0, help="seconds after which the peer is given up")
    return parser.parse_args()


def shapes(options: argparse.Namespace) -> list[Shape]:
    """Every combination; a number of lanes that the depth does not reach is left out."""
    return [
        Shape(kind, depth, count)
        for kind in options.databases
        for depth in options.depths
        for count in dict.fromkeys(depth if lanes == "all" else int(lanes) for lanes in options.lanes)
        if count <= depth
    ]


def lead(shape: Shape, home: Path) -> Figures:
    """One filled database, its leader in a new process so that its memory is its own."""
    with database(shape.kind, home) as settings:
        with opened(settings) as stores:
            figures = {"enqueue": fill(stores, shape)}
        command = [sys.executable, "-m", "bench.deep_queue.child", shape.kind, str(home)]
        if shape.kind == "postgres":
            command.append(settings.url)  # type: ignore[union-attr] # of the kind above
        answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        return figures | json.loads(answer.stdout)


def say(figures: Mapping[str, float]) -> str:
    """For people, in one line."""
    shown = ((*FIGURES[key], value) for key, value in figures.items() if key in FIGURES)
    return "  ".join(f"{title} {value * factor:.3g} {unit}" for title, unit, factor, value in shown)


def measured(title: str, measure: Callable[[], Figures]) -> Figures:
    """Run it and tell; a measurement that did not get there is told and left out."""
    try:
        figures = measure()
    except BenchError as error:
        print(f"{title}: {error}", flush=True)
        return {}
    print(f"{title}: {say(figures)}", flush=True)
    return figures


def main() -> int:
    """Returns the exit code."""
    options = arguments()
    about = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": report.machine()}
    found: dict[str, Figures] = {}
    for shape in shapes(options):
        with tempfile.TemporaryDirectory(prefix="ryb") as home:
            found[shape.title] = measured(shape.title, lambda: lead(shape, Path(home)))  # noqa: B023 - called at once
        if options.felt and shape.lanes in (1, shape.depth):
            title = f"{shape.title}, real workers"
            with tempfile.TemporaryDirectory(prefix="ryb") as home, database(shape.kind, Path(home)) as settings:
                found[title] = measured(title, lambda: felt(Path(home), settings, shape))  # noqa: B023 - same
    if options.peer:
        rival = peer.Peer(peer.environment(ROOT))
        for depth in options.depths:
            title = f"dagster, sqlite, {depth:,} queued"
            with tempfile.TemporaryDirectory(prefix="ryb") as home:
                queue = PeerQueue(rival, Path(home) / "home", depth, options.cap)
                found[title] = measured(title, queue.measure)
    file = ROOT / "bench" / "results" / f"queue-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({**about, "figures": found}, indent=2) + "\n", encoding="utf-8")
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
