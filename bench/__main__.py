"""``python -m bench``: measures by turns, then prints a table and writes JSON."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import peer, report
from .contender import BenchError, Contender
from .measures import MEASURES, Options
from .ours import Runyard

ROOT = Path(__file__).parents[1]
FULL = Options(commands=5, submits=20, runs=200, settle=20, cap=300, workers=50)
QUICK = Options(commands=2, submits=5, runs=50, settle=5, cap=60, workers=10)


def arguments() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Runyard and its peer, side by side.")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; default: all")
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="one repeat, few samples: a look, not a result")
    parser.add_argument("--only", choices=["runyard", "dagster"], help="leave the other one out")
    parser.add_argument("--keep", action="store_true", help="keep the homes and logs")
    options = parser.parse_args()
    for name in options.measures:
        if name not in MEASURES:
            parser.error(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
    return options


def contenders(only: str | None) -> list[Contender]:
    """Ours and the peer, or ours alone where the peer cannot be installed."""
    found: list[Contender] = [] if only == "dagster" else [Runyard()]
    if only == "runyard":
        return found
    try:
        found.append(peer.Peer(peer.environment(ROOT)))
    except BenchError as error:
        print(f"{error}\nMeasuring Runyard alone.", flush=True)
    return found


def run(names: list[str], rivals: list[Contender], options: Options, repeats: int, work: Path) -> report.Measured:
    """Every measure ``repeats`` times, the contenders by turns, each first in half of the turns."""
    measured: dict[str, dict[str, list[float]]] = {}
    for name in names:
        for repeat in range(repeats):
            for contender in rivals if repeat % 2 == 0 else reversed(rivals):
                begun = time.monotonic()
                home = work / f"{name}-{repeat}-{contender.name}"
                found = MEASURES[name](contender, home, dataclasses.replace(options, seed=repeat))
                for key, values in found.items():
                    measured.setdefault(key, {}).setdefault(contender.name, []).extend(values)
                shown = ", ".join(f"{key} {values[0]:.3g}" for key, values in found.items())
                taken = time.monotonic() - begun
                print(f"{name} {repeat + 1}/{repeats} {contender.name}: {shown}  ({taken:.0f} s)", flush=True)
    return measured


def main() -> int:
    """Returns the exit code."""
    chosen = arguments()
    options, repeats = (QUICK, 1) if chosen.quick else (FULL, chosen.repeats)
    rivals = contenders(chosen.only)
    about = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": report.machine(),
        "versions": {contender.name: contender.version() for contender in rivals},
        "options": dataclasses.asdict(options) | {"repeats": repeats},
    }
    work = Path(tempfile.mkdtemp(prefix="runyard-bench-"))
    try:
        measured = run(chosen.measures or list(MEASURES), rivals, options, repeats, work)
    except BenchError as error:
        print(f"{error}\nHomes and logs are kept in {work}", file=sys.stderr)
        return 1
    file = report.write(ROOT / "bench" / "results", time.strftime("%Y%m%d-%H%M%S", time.gmtime()), about, measured)
    print(f"\n{report.table(measured, ('runyard', 'dagster'))}\n\n{file}")
    if chosen.keep:
        print(f"Homes and logs are kept in {work}")
    else:
        shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
