"""Writes docs/states.md from the transition table; ``--check`` only says whether it is stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from runyard.core.run import ACTIVE, FINISHED, RunStatus
from runyard.core.transitions import TRANSITIONS

FILE = Path(__file__).with_name("states.md")
HEAD = """\
# The states of a run

Made by `python docs/generate.py` from `src/runyard/core/transitions.py`.
Storage refuses every change that is not listed.
"""


def diagram() -> str:
    """The table as a mermaid state diagram."""
    arrows = [f"    {t.source.value} --> {t.target.value}: {t.when}" for t in TRANSITIONS]
    ends = [f"    {status.value} --> [*]" for status in RunStatus if status in FINISHED]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> NOT_STARTED", *arrows, *ends, "```"])


def table() -> str:
    """One row for each transition."""
    head = ["| from | to | when | event recorded in the same transaction |", "| --- | --- | --- | --- |"]
    rows = [f"| {t.source.value} | {t.target.value} | {t.when} | `{t.event.value}` |" for t in TRANSITIONS]
    return "\n".join(head + rows)


def page() -> str:
    """The whole file."""

    def listed(statuses: frozenset[RunStatus]) -> str:
        return ", ".join(status.value for status in RunStatus if status in statuses)

    groups = (
        f"A run in {listed(ACTIVE)} holds a slot: it counts against every limit. "
        f"A run in {listed(FINISHED)} never changes again."
    )
    return f"{HEAD}\n{diagram()}\n\n{groups}\n\n{table()}\n"


def main() -> int:
    """Returns 1 when ``--check`` finds the file stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        FILE.write_text(page(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(f"{FILE.name} is not what src/runyard/core/transitions.py says: run python docs/generate.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
