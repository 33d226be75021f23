"""Takes the defences out of admission one at a time and sees whether the tests against brute force notice.

    python tests/queue/mutants.py [--times 5] [name …]

Each mutant is tested so many times with other random examples; says how often it was found, and fails for one that was
found in fewer than four of five.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
TESTS = "test_admission_oracle.py"
#: Finding is enough: nobody reads the example, and none is to be found because it was found before.
QUICKLY = """
from hypothesis import Phase, settings
settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate], database=None, deadline=None)
settings.load_profile("mutants")
"""


class Mutant(NamedTuple):
    name: str
    file: str
    text: str
    instead: str


#: By the test that is to find them.
MUTANTS = {
    "test_weights": [
        Mutant("a weight counts as 1", "slots.py", "self.used + amount > group.limit", "self.used + 1 > group.limit"),
        Mutant(
            "weight is ignored when full", "slots.py", "self.used + amount > group.limit", "self.used >= group.limit"
        ),
        Mutant(
            "what comes free is not announced",
            "ledger.py",
            "_come_forward(behind)\n            if slots.idle",
            "if slots.idle",
        ),
    ],
    "test_root_pools": [
        Mutant("grace of 6 s", "root_pools.py", "ROOT_GRACE = 5.0", "ROOT_GRACE = 6.0"),
        Mutant(
            "no grace",
            "ledger.py",
            "self._grace(run_id, holding)\n\n    def release",
            "self._begun(run_id, holding)\n\n    def release",
        ),
        Mutant("no buffer", "root_pools.py", "self.used - self.buffer >= group.limit", "self.used >= group.limit"),
        Mutant("one full root is enough", "root_pools.py", "and all(pool.full", "and any(pool.full"),
        Mutant("a changed buffer is not obeyed", "ledger.py", "use.group, use.buffer = ", "use.group, _ = "),
    ],
    "test_step_holders": [
        Mutant(
            "a holder of steps counts twice",
            "root_pools.py",
            "if run_id not in self._steps:\n            self.used +=",
            "if True:\n            self.used +=",
        ),
    ],
    "test_shares": [
        Mutant(
            "who holds most goes first", "slots.py", "return self.used / weight if", "return -self.used / weight if"
        ),
        Mutant(
            "weights of shares are ignored", "slots.py", "return self.used / weight if", "return float(self.used) if"
        ),
        Mutant(
            "a share that falls is not announced",
            "slots.py",
            "        return list(self.nodes.values())",
            "        return []",
        ),
    ],
    "test_shares_that_change": [
        Mutant(
            "changed weights are not announced",
            "ledger.py",
            "_come_forward(slots.behind())\n\n    def _open",
            "pass\n\n    def _open",
        ),
    ],
    "test_rates": [
        Mutant("a rate lasts too long", "slots.py", "+ self._seconds <= now", "+ self._seconds < now - 0.1"),
        Mutant("a lost claim counts in rates", "ledger.py", "slots.not_launched(run_id, holding.launched_at)", "pass"),
    ],
    "test_rules_that_come_and_go": [
        Mutant(
            "no recount",
            "ledger.py",
            "            self._recount()\n        self._watch",
            "            pass\n        self._watch",
        ),
        Mutant("a removed rule stays shut", "ledger.py", "            self._open(family)", "            pass"),
        Mutant(
            "lanes settle into the wrong group",
            "admission.py",
            "chosen.append(min(full, key=_spread))",
            "chosen.append(needs[0])",
        ),
    ],
    "test_pauses": [
        Mutant(
            "a pause does not lapse",
            "ledger.py",
            "            self._alarms.set(first, self._pause_over)",
            "            pass",
        ),
        Mutant(
            "other rules free nothing", "ledger.py", "_come_forward(behind)\n        if isinstance", "if isinstance"
        ),
    ],
    "test_shares_in_chunks": [
        Mutant(
            "the frontier ignores shares",
            "admission.py",
            "negative_priority(leaf.key) >= negative_priority(self._frontier)",
            "leaf.key > self._frontier",
        ),
    ],
    "test_chunks": [
        Mutant("no frontier", "admission.py", "return leaf.key > self._frontier", "return False"),
        Mutant(
            "nothing is read behind the frontier",
            "admission.py",
            "self._frontier is not None and self._has_room()",
            "False",
        ),
        Mutant("a run is known twice", "tree.py", " or (last is not None and key_of(last) >= key)", ""),
        Mutant("behind unknown ones more are known", "tree.py", "self.unknown_from is not None or ", ""),
        Mutant(
            "a lane that ran out is not hungry",
            "admission.py",
            "            self._hungry[leaf.lane] = None",
            "            pass",
        ),
        Mutant(
            "a lost claim's lane is as before",
            "admission.py",
            "        self._set(head.lane, (), BEFORE_ALL)",
            "        pass",
        ),
    ],
    "test_overlaps": [
        Mutant(
            "overlaps are limited where they are allowed",
            "plan.py",
            'rule is None or rule.policy == "allow"',
            "rule is None",
        ),
        Mutant(
            "overlaps count by weight",
            "plan.py",
            "_overlaps[lane.job], lane.location, 1)",
            "_overlaps[lane.job], lane.location, lane.weight)",
        ),
    ],
    "test_all_rules_together": [
        Mutant("a rule looks at no job", "plan.py", "((JOB, lane.job), ", "("),
    ],
}


def found(mutant: Mutant, test: str, scratch: Path) -> bool:
    """Whether the test fails with the mutant in place of the source."""
    shutil.copytree(SOURCE, scratch / "src", ignore=shutil.ignore_patterns("static", "__pycache__"))
    changed = scratch / "src/runyard/queue/admission" / mutant.file
    source = changed.read_text(encoding="utf-8")
    if source.count(mutant.text) != 1:
        raise SystemExit(f"{mutant.name}: {mutant.file} has {source.count(mutant.text)} times {mutant.text!r}")
    changed.write_text(source.replace(mutant.text, mutant.instead), encoding="utf-8")
    (scratch / "quickly.py").write_text(QUICKLY, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "quickly", "-p", "no:cacheprovider", f"{TESTS}::{test}"]
    environment = {**os.environ, "PYTHONPATH": f"{scratch / 'src'}{os.pathsep}{scratch}"}
    try:
        ended = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return True
    if ended.returncode not in (0, 1):
        raise SystemExit(f"{mutant.name}: {ended.stdout.decode()}")
    return ended.returncode == 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help="only those that contain it")
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    missed = 0
    for test, mutant in [(test, mutant) for test, mutants in MUTANTS.items() for mutant in mutants]:
        if asked.names and not any(name in mutant.name for name in asked.names):
            continue
        times = 0
        for _ in range(asked.times):
            with tempfile.TemporaryDirectory() as scratch:
                times += found(mutant, test, Path(scratch))
        missed += times < 0.8 * asked.times
        sys.stdout.write(f"{times} of {asked.times}  {mutant.name}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
