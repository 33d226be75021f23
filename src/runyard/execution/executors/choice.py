"""Which steps begin now, and for which of them slots of pools are asked for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ...definitions.config.executor_config import ExecutorSettings, TagLimit
from ...definitions.steps import Step

#: Seconds within which slots that are free have come; until then what ranks lower does not take the step's place.
PATIENCE = 0.1


class Claims(NamedTuple):
    """Steps that wait for slots, by the time of asking, and those that hold them and have not begun."""

    asked: Mapping[str, float]
    granted: Collection[str]


class Moves(NamedTuple):
    """What to do, in this order: keys to withdraw, steps to claim slots for, steps to begin."""

    withdraw: list[str]
    claim: list[Step]
    begin: list[Step]


def choose(
    ready: Iterable[Step],
    running: Collection[Step],
    claims: Claims | None,
    settings: ExecutorSettings,
    now: float,
) -> Moves:
    """Fill the free places with ready steps, which come in order of rank.

    A step in a pool begins once it holds its slots, and then before all others, so that they are not held for nothing.
    They are asked for while there is a place for the step. Who waits for them stays in line, also once every place is
    taken; the run's other steps do not wait for it. ``claims`` None: nobody gives slots, and none are needed.
    """
    steps = list(ready)
    choice = _Choice(running, claims, settings, now)
    if choice.free <= 0:
        return Moves([], [], [])
    for step in steps:
        if step.key in choice.granted:
            choice.begin(step)
    for step in steps:
        if choice.free <= 0:
            break
        if step.key not in choice.granted:
            choice.consider(step)
    return choice.moves({step.key for step in steps})


class _Choice:
    def __init__(
        self, running: Collection[Step], claims: Claims | None, settings: ExecutorSettings, now: float
    ) -> None:
        # Each once: a limit that is written twice would count its steps twice.
        self._limits = tuple(dict.fromkeys(settings.tag_limits))
        self._counts: Counter[tuple[TagLimit, str]] = Counter()
        for step in running:
            self._counts.update(self._groups(step))
        self.free = self._places = settings.max_concurrent - len(running)
        self._slots_needed, self._now = claims is not None, now
        self._asked: Mapping[str, float] = claims.asked if claims else {}
        self.granted: Collection[str] = claims.granted if claims else ()
        self._begin: list[Step] = []
        self._claim: list[Step] = []
        #: By pool, who is in line there, from the highest rank down; new ones too.
        self._lines: dict[str, list[Step]] = {}
        #: Places kept for steps whose slots may come any moment.
        self._kept = 0

    def begin(self, step: Step) -> None:
        """Begin the step if there is a place for it."""
        if self.free > self._kept and self._fits(step):
            self._begin.append(step)
            self.free -= 1
            self._counts.update(self._groups(step))

    def consider(self, step: Step) -> None:
        """A step that holds no slots."""
        if not self._slots_needed or step.op.pool is None:
            self.begin(step)
            return
        line = self._lines.setdefault(step.op.pool, [])
        if step.key in self._asked:
            line.append(step)
            self._kept += self._now < self._asked[step.key] + PATIENCE
        elif self.free > self._kept and len(line) < self._places and self._fits(step):
            line.append(step)
            self._claim.append(step)
            self._kept += 1

    def moves(self, ready: Collection[str]) -> Moves:
        lost = [key for key in (*self._asked, *self.granted) if key not in ready]
        displaced = [key for pool in self._lines for key in self._displaced(pool)]
        return Moves([*lost, *displaced], self._claim, self._begin)

    def _displaced(self, pool: str) -> list[str]:
        """Those of the lowest ranks give way to new ones where a line would become longer than there are places."""
        before = [step.key for step in self._lines[pool] if step.key in self._asked]
        too_many = len(self._lines[pool]) - max(self._places, len(before))
        return before[-too_many:] if too_many > 0 else []

    def _fits(self, step: Step) -> bool:
        return all(self._counts[group] < group[0].limit for group in self._groups(step))

    def _groups(self, step: Step) -> list[tuple[TagLimit, str]]:
        """The limits that the step counts against, with the tag's value where each value has a limit of its own."""
        found = []
        for limit in self._limits:
            value = step.tags.get(limit.key)
            if value is not None and limit.value in (None, value):
                found.append((limit, value if limit.per_value else ""))
        return found
