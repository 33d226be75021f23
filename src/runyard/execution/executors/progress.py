"""How far a run has come: which steps may begin, which never will and why. Pure: told what happens and the time."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from ...core.tags import priority_from_code
from ...core.text import listing
from ...definitions.steps import FromJobInput, FromStep, Step, single_sources


class State(Enum):
    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    #: Failed, and ready again at its time.
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    #: Nobody gave the output that it takes.
    SKIPPED = "skipped"
    #: What it needs failed, or was blocked itself.
    BLOCKED = "blocked"
    #: Neither selected nor done before.
    LEFT_OUT = "left out"


_SETTLED = frozenset({State.SUCCEEDED, State.FAILED, State.SKIPPED, State.BLOCKED, State.LEFT_OUT})


class Skip(NamedTuple):
    """A step that will not be done. ``why`` is a clause: ``'fetch' failed``."""

    step: Step
    why: str


def step_priority(step: Step) -> int:
    return priority_from_code(step.tags)[0]


class Progress:
    """Where each step stands. Times are seconds on whatever clock the caller goes by.

    Parameters:
        steps: each after those that it needs.
        only: keys of the steps to do; None: all.
        done: output names by key of steps that have succeeded before; they are not done again.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        only: Collection[str] | None = None,
        done: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        self._steps = {step.key: step for step in steps}
        by_priority = sorted(range(len(steps)), key=lambda i: (-step_priority(steps[i]), i))
        self._by_rank = [steps[i] for i in by_priority]
        self._rank = {step.key: rank for rank, step in enumerate(self._by_rank)}
        self._users: dict[str, list[str]] = {key: [] for key in self._steps}
        self._open_needs: dict[str, int] = {}
        self._ready: list[int] = []
        self._retry_at: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._skips: list[Skip] = []
        #: Outputs that exist, as (step key, output name).
        self.given: set[tuple[str, str]] = set()
        self._state = {key: _first_state(key, only, done) for key in self._steps}
        self._to_do = [step for step in steps if self._state[step.key] is State.WAITING]
        self._unsettled = len(self._to_do)
        self._begin_with(done)

    def _begin_with(self, done: Mapping[str, Collection[str]]) -> None:
        for step in self._steps.values():
            if self._state[step.key] is State.SUCCEEDED:
                self._give(step, done[step.key])
        for step in self._to_do:
            needs = [need for need in step.needs() if self._state[need] not in _SETTLED]
            self._open_needs[step.key] = len(needs)
            for need in needs:
                self._users[need].append(step.key)
        for step in self._to_do:
            if self._state[step.key] is State.WAITING and not self._open_needs[step.key] and self._admit(step.key):
                self._free_users(step.key)

    # -- questions -----------------------------------------------------------------------------------------------

    @property
    def to_do(self) -> Sequence[Step]:
        """The steps of this attempt, in order of definition."""
        return self._to_do

    @property
    def finished(self) -> bool:
        """Nothing is under way and nothing will begin any more."""
        return not self._unsettled

    def state(self, key: str) -> State:
        return self._state[key]

    def tries(self, key: str) -> int:
        """How often the step has failed so far: the number of the retry that it is at."""
        return self._tries.get(key, 0)

    def ready(self, now: float) -> Iterator[Step]:
        """Steps that may begin, the highest priority first, then in order of definition."""
        for key in [key for key, at in self._retry_at.items() if at <= now]:
            del self._retry_at[key]
            self._set_ready(key)
        return (self._by_rank[rank] for rank in self._ready)

    def given_to(self, step: Step) -> tuple[tuple[str, str], ...]:
        """The outputs that exist of the steps which ``step`` needs."""
        outputs = ((need, name) for need in step.needs() for name in self._steps[need].op.outs)
        return tuple(one for one in outputs if one in self.given)

    def next_retry(self) -> float | None:
        """When the next step that waits for its retry is ready; None when none waits."""
        return min(self._retry_at.values(), default=None)

    def between_tries(self) -> list[str]:
        """Keys of the steps of which a try has failed and the next has not begun."""
        between = (State.RETRYING, State.READY)
        return [key for key in self._tries if self._state[key] in between]

    def take_skips(self) -> list[Skip]:
        """Steps that turned out not to be done since the last time that this was asked."""
        skips, self._skips = self._skips, []
        return skips

    def left(self) -> list[Step]:
        """The steps that a retry would have to do: failed, blocked or not reached."""
        return [step for step in self._to_do if self._state[step.key] not in (State.SUCCEEDED, State.SKIPPED)]

    # -- what happens --------------------------------------------------------------------------------------------

    def begin(self, key: str) -> None:
        self._ready.remove(self._rank[key])
        self._state[key] = State.RUNNING

    def succeeded(self, key: str, outputs: Collection[str]) -> None:
        """The step ended with ``outputs``."""
        self._give(self._steps[key], outputs)
        self._settle(key, State.SUCCEEDED)

    def failed(self, key: str) -> None:
        """The step ended for good, or could not even begin."""
        if self._state[key] is State.READY:
            self._ready.remove(self._rank[key])
        self._retry_at.pop(key, None)
        self._settle(key, State.FAILED)

    def again(self, key: str, at: float) -> None:
        """A try failed and the step is ready again at ``at``."""
        self._tries[key] = self.tries(key) + 1
        self._state[key] = State.RETRYING
        self._retry_at[key] = at

    # -- how one thing leads to another --------------------------------------------------------------------------

    def _give(self, step: Step, outputs: Collection[str]) -> None:
        # An output without a value is given by the step's success alone.
        nothing = [name for name, out in step.op.outs.items() if out.is_nothing and out.is_required]
        self.given.update((step.key, name) for name in (*outputs, *nothing))

    def _settle(self, key: str, state: State) -> None:
        self._state[key] = state
        self._unsettled -= 1
        self._free_users(key)

    def _free_users(self, key: str) -> None:
        # By a list: a chain may be longer than the stack.
        settled = [key]
        while settled:
            for user in self._users[settled.pop()]:
                self._open_needs[user] -= 1
                if not self._open_needs[user] and self._admit(user):
                    settled.append(user)

    def _admit(self, key: str) -> bool:
        """All that the step needs has settled; True when that settles the step as well."""
        step = self._steps[key]
        skip = _why_skip(step, self._state, self.given)
        if skip is None:
            self._set_ready(key)
            return False
        self._state[key], why = skip
        self._unsettled -= 1
        self._skips.append(Skip(step, why))
        return True

    def _set_ready(self, key: str) -> None:
        self._state[key] = State.READY
        insort(self._ready, self._rank[key])


def _first_state(key: str, only: Collection[str] | None, done: Container[str]) -> State:
    if key in done:
        return State.SUCCEEDED
    return State.WAITING if only is None or key in only else State.LEFT_OUT


def _why_skip(step: Step, states: Mapping[str, State], given: Container[tuple[str, str]]) -> tuple[State, str] | None:
    """A failure blocks; an output that nobody gave skips, and blocks where a failure was behind it."""
    needs = step.needs()
    failed = next((need for need in needs if states[need] is State.FAILED), None)
    if failed is not None:
        return State.BLOCKED, f"'{failed}' failed"
    blocked = next((need for need in needs if states[need] is State.BLOCKED), None)
    for name, source in step.inputs.items():
        asked = [one.step_key for one in single_sources(source) if isinstance(one, FromStep)]
        if asked and not any(
            _is_there(one, states, given, step.op.ins[name].is_nothing) for one in single_sources(source)
        ):
            state = State.SKIPPED if blocked is None else State.BLOCKED
            return state, f"its input '{name}' was not produced by {listing(asked)}"
    return None if blocked is None else (State.BLOCKED, f"'{blocked}' was skipped")


def _is_there(
    source: FromStep | FromJobInput,
    states: Mapping[str, State],
    given: Container[tuple[str, str]],
    orders_only: bool,
) -> bool:
    if isinstance(source, FromJobInput) or (source.step_key, source.output) in given:
        return True
    return orders_only and states[source.step_key] is State.LEFT_OUT
