"""The values that flow between the steps of a run, in a store and in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..core.errors import ValueMissing, ValueNotStorable
from ..definitions.slots import NO_VALUE
from ..definitions.steps import FromJobInput, FromMany, FromStep, Step, taken_by
from .attempt import Attempt, config_entry
from .value_store import ValueStore


class Values:
    """Inputs of steps, and where their outputs go.

    Parameters:
        store: keeps them for other processes and for retries; None: nothing does.
        for_others: the steps that take an output are in other processes, so it has to be stored.
    """

    def __init__(self, attempt: Attempt, store: ValueStore | None, *, for_others: bool = False) -> None:
        self._attempt, self._store, self._for_others = attempt, store, for_others
        self._run_id = attempt.run.run_id

    def store(self, step: Step, output: str, value: Any) -> str | None:
        """Store what a try gave, before it is known whether that succeeds; why it is not stored, "" without a store.

        Raises:
            ValueNotStorable: a step in another process needs it.
        """
        if step.op.outs[output].is_nothing:
            return None
        if self._store is None:
            return ""
        try:
            self._store.put(self._run_id, step.key, output, value)
        except ValueNotStorable as error:
            if self._for_others and self._is_taken(FromStep(step.key, output)):
                raise
            return f"It is kept in memory only. {error}"
        return None

    def _is_taken(self, source: FromStep) -> bool:
        return any(source in taken_by(step) for step in self._attempt.job.steps)

    def inputs_of(self, step: Step, given: Collection[tuple[str, str]]) -> dict[str, Any]:
        """The step's inputs by name; those with a default and nothing else are left to the function.

        Raises:
            ValueMissing: what another step gave cannot be had any more.
        """
        written = config_entry(self._attempt.config, step.path).get("inputs", {})
        found = {name: self._input(step, name, written, given) for name in step.op.ins}
        return {name: value for name, value in found.items() if value is not NO_VALUE}

    def _input(self, step: Step, name: str, written: Mapping[str, Any], given: Collection[tuple[str, str]]) -> Any:
        slot = step.op.ins[name]
        source = step.inputs.get(name)
        if slot.is_nothing:
            return NO_VALUE
        if source is None:
            return written.get(name, slot.default_value)
        if isinstance(source, FromMany):
            return [self._single(one) for one in source.sources if isinstance(one, FromJobInput) or one in given]
        value = self._single(source)
        return slot.default_value if value is NO_VALUE else value

    def _single(self, source: FromStep | FromJobInput) -> Any:
        if isinstance(source, FromJobInput):
            return self._attempt.inputs.get(source.name, NO_VALUE)
        maker = self._attempt.job.step(source.step_key)
        if maker is not None and maker.op.outs[source.output].is_nothing:
            return None
        return self._load(source)

    def _load(self, source: FromStep) -> Any:
        if self._store is None:
            raise ValueMissing(source.step_key, source.output, "nothing is kept here")
        return self._store.get(self._run_id, source.step_key, source.output)


class ValuesInMemory(Values):
    """Outputs also in this process's memory, until every step that needs them has ended.

    Parameters:
        keep: sees every output of a try that succeeded.
    """

    def __init__(
        self, attempt: Attempt, store: ValueStore | None, keep: Callable[[str, str, Any], None] | None = None
    ) -> None:
        super().__init__(attempt, store)
        self._keep = keep
        self._values: dict[tuple[str, str], Any] = {}
        self._users: dict[str, set[str]] = {step.key: set() for step in attempt.job.steps}
        for step in attempt.job.steps:
            for need in step.needs():
                self._users[need].add(step.key)

    def remember(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """The try that gave ``outputs`` has succeeded."""
        for name, value in outputs.items():
            if self._users[step.key]:
                self._values[step.key, name] = value
            if self._keep is not None:
                self._keep(step.key, name, value)

    def done_with(self, step: Step) -> None:
        """Drop values whose last user ``step`` was: a run's memory is what its unfinished part needs."""
        for need in step.needs():
            users = self._users[need]
            users.discard(step.key)
            if not users:
                for key in [key for key in self._values if key[0] == need]:
                    del self._values[key]

    def _load(self, source: FromStep) -> Any:
        return self._values[source] if source in self._values else super()._load(source)
