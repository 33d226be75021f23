"""Why a step waits for slots of a pool, in words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..core.pools import PoolHolder, PoolWaiter
from ..core.text import counted, utc_time
from .rules import Pause, Rules

_HOLDERS_SHOWN = 3


class PoolWait(msgspec.Struct, frozen=True, kw_only=True):
    """A step that waits, and the pool as it finds it. ``ahead``: those that are served before it."""

    pool: str
    step_key: str
    slots: int
    limit: int | None
    used: int
    holders: tuple[PoolHolder, ...] = ()
    ahead: tuple[PoolWaiter, ...] = ()
    pause: Pause | None = None

    @property
    def cause(self) -> tuple[object, ...]:
        """What a person could change; holders and the line change by themselves."""
        return (self.limit, self.pause)

    def message(self, now: float) -> str:
        return (
            f"Step '{self.step_key}' waits for {counted(self.slots, 'slot')} of pool '{self.pool}': {self._why(now)}."
        )

    def _why(self, now: float) -> str:
        if self.pause is not None:
            until = "" if self.pause.until is None else f" until {utc_time(self.pause.until, now=now)}"
            verb = "drained" if self.pause.drain else "paused"
            return f"it is {verb} by {self.pause.by}{until}" + (
                f" (“{self.pause.reason}”)" if self.pause.reason else ""
            )
        if self.limit == 0:
            return "its limit is 0, so no step gets a slot until that is raised"
        of = "" if self.limit is None else f" of {self.limit}"
        return f"{self.used}{of} in use{self._held()}{self._line()}"

    def _held(self) -> str:
        shown = [f"run {holder.run_id[:8]} step '{holder.step_key}'" for holder in self.holders[:_HOLDERS_SHOWN]]
        more = len(self.holders) - len(shown)
        return f", held by {', '.join(shown)}{f' and {more} more' if more else ''}" if shown else ""

    def _line(self) -> str:
        if not self.ahead:
            return ""
        first = self.ahead[0]
        needs = f", which needs {first.slots}," if first.slots > 1 else ""
        if len(self.ahead) == 1:
            return f"; run {first.run_id[:8]} step '{first.step_key}'{needs} is served before it"
        return f"; {len(self.ahead)} steps are served before it, first run {first.run_id[:8]} step '{first.step_key}'"


def pool_wait(waiter: PoolWaiter, line: Sequence[PoolWaiter], holders: Sequence[PoolHolder], rules: Rules) -> PoolWait:
    """Explain ``waiter`` from the line of its pool, in order, and the pool's holders."""
    return PoolWait(
        pool=waiter.pool,
        step_key=waiter.step_key,
        slots=waiter.slots,
        limit=rules.pools.limit_of(waiter.pool),
        used=sum(holder.slots for holder in holders),
        holders=tuple(holders),
        ahead=tuple(line[: line.index(waiter)]),
        pause=rules.pause_of_pool(waiter.pool),
    )
