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
    """Steps whose slots were asked for, by the time of asking, and those that hold them."""

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

    A step in a pool begins once it holds its slots. They are asked for only while it could begin with them, so that a
    run sits on no slot that it has no place for. ``claims`` None: nobody gives slots, and none are needed.
    """
    choice = _Choice(running, claims, settings, now)
    for step in ready:
        if not choice.free:
            break
        choice.consider(step)
    return choice.moves()


class _Choice:
    def __init__(
        self, running: Collection[Step], claims: Claims | None, settings: ExecutorSettings, now: float
    ) -> None:
        self._claims, self._now = claims, now
        # Each once: a limit that is written twice would count its steps twice.
        self._limits = tuple(dict.fromkeys(settings.tag_limits))
        self._counts: Counter[tuple[TagLimit, str]] = Counter()
        for step in running:
            self._counts.update(_groups(step, self._limits))
        self.free = settings.max_concurrent - len(running)
        self._begin: list[Step] = []
        self._wanted: dict[str, Step] = {}
        self._in_pool: Counter[str] = Counter()
        #: Places kept for steps whose slots may come any moment.
        self._kept = 0

    def consider(self, step: Step) -> None:
        groups = _groups(step, self._limits)
        if any(self._counts[group] >= group[0].limit for group in groups):
            return
        if self._claims is None or step.op.pool is None or step.key in self._claims.granted:
            if self.free > self._kept:
                self._begin.append(step)
                self.free -= 1
                self._counts.update(groups)
            elif self._claims is not None and step.op.pool is not None:
                self._wanted[step.key] = step
        elif self._in_pool[step.op.pool] < self.free:
            self._want(step, self._claims.asked.get(step.key, self._now))

    def _want(self, step: Step, asked: float) -> None:
        self._wanted[step.key] = step
        self._in_pool[step.op.pool or ""] += 1
        if self._now < asked + PATIENCE:
            self._kept += 1

    def moves(self) -> Moves:
        if self._claims is None:
            return Moves([], [], self._begin)
        wanted = self._wanted if self.free else {}
        beginning = {step.key for step in self._begin}
        had = [*self._claims.asked, *self._claims.granted]
        withdraw = [key for key in had if key not in wanted and key not in beginning]
        return Moves(withdraw, [step for key, step in wanted.items() if key not in had], self._begin)


def _groups(step: Step, limits: Iterable[TagLimit]) -> list[tuple[TagLimit, str]]:
    """The limits that the step counts against, with the tag's value where each value has a limit of its own."""
    found = []
    for limit in limits:
        value = step.tags.get(limit.key)
        if value is not None and limit.value in (None, value):
            found.append((limit, value if limit.per_value else ""))
    return found
