"""The slots of pools that the steps of a run ask for, hold or still wait for."""

from __future__ import annotations

from ...core.tags import add_priorities, priority_from_code
from ...definitions.steps import Step
from ..step_host import StepHost
from .choice import PATIENCE, Claims
from .progress import step_priority


class Slots:
    """Claims through ``host``; without one there is nobody to ask, and every step may begin without.

    Parameters:
        run_tags: the run's ``dagster/priority`` is added to that of its steps.
    """

    def __init__(self, host: StepHost | None, run_tags: dict[str, str]) -> None:
        self._host, self._priority = host, priority_from_code(run_tags)[0]
        self._asked: dict[str, float] = {}
        self._granted: set[str] = set()

    @property
    def claims(self) -> Claims | None:
        return None if self._host is None else Claims(self._asked, self._granted)

    def ask(self, step: Step, now: float) -> None:
        if self._host is None or step.op.pool is None:
            raise ValueError(f"step '{step.key}' has no slots to ask for")
        self._asked[step.key] = now
        priority = add_priorities(self._priority, step_priority(step))
        self._host.claim(step.key, pool=step.op.pool, slots=step.op.pool_slots, priority=priority)

    def withdraw(self, key: str) -> None:
        self._asked.pop(key, None)
        self._granted.discard(key)
        if self._host is not None:
            self._host.withdraw(key)

    def granted(self, key: str) -> None:
        # Also one that was not asked for any more: what nobody has a use for is given back with the next choice.
        self._asked.pop(key, None)
        self._granted.add(key)

    def over(self, key: str) -> None:
        """The step begins, and gives its slots back by ending; or it will never begin."""
        self._asked.pop(key, None)
        self._granted.discard(key)

    def patient_until(self, now: float) -> float | None:
        """When a claim that may still be answered at once no longer keeps its place; None when there is none."""
        return min((at + PATIENCE for at in self._asked.values() if now < at + PATIENCE), default=None)
