"""The values that flow between the steps of a run, in memory and in a store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..core.errors import ValueMissing, ValueNotStorable
from ..definitions.slots import NO_VALUE
from ..definitions.steps import FromJobInput, FromMany, FromStep, Step, taken_by
from .attempt import config_entry
from .value_store import ValueStore


class Values:
    """Outputs until every step that takes them has ended.

    Parameters:
        inputs: of the job itself.
        store: keeps them for other processes and for retries; None: memory only.
        keep: sees every output of a try that succeeded.
        for_others: the steps that need an output are in other processes, so it has to be stored.
    """

    def __init__(
        self,
        run_id: str,
        steps: Sequence[Step],
        inputs: Mapping[str, Any],
        store: ValueStore | None,
        *,
        keep: Callable[[str, str, Any], None] | None = None,
        for_others: bool = False,
    ) -> None:
        self._run_id, self._inputs, self._store = run_id, inputs, store
        self._keep, self._for_others = keep, for_others
        self._values: dict[tuple[str, str], Any] = {}
        self._users: dict[str, set[str]] = {step.key: set() for step in steps}
        for step in steps:
            for need in step.needs():
                self._users[need].add(step.key)
        self._taken = {source for step in steps for source in taken_by(step)}
        self._empty = {
            FromStep(step.key, name) for step in steps for name, out in step.op.outs.items() if out.is_nothing
        }

    def store(self, step: Step, output: str, value: Any) -> str | None:
        """Store what a try gave, before it is known whether that succeeds; why it is not stored, "" without a store.

        Raises:
            ValueNotStorable: a step in another process needs it.
        """
        source = FromStep(step.key, output)
        if source in self._empty:
            return None
        if self._store is None:
            return ""
        try:
            self._store.put(self._run_id, step.key, output, value)
        except ValueNotStorable as error:
            if self._for_others and source in self._taken:
                raise
            return f"It is kept in memory only. {error}"
        return None

    def remember(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """The try that gave ``outputs`` has succeeded."""
        for name, value in outputs.items():
            if self._users[step.key]:
                self._values[step.key, name] = value
            if self._keep is not None:
                self._keep(step.key, name, value)

    def inputs_of(self, step: Step, config: Mapping[str, Any], given: Collection[tuple[str, str]]) -> dict[str, Any]:
        """The step's inputs by name; those with a default and nothing else are left to the function.

        Raises:
            ValueMissing: what another step gave cannot be had any more.
        """
        written = config_entry(config, step.path).get("inputs", {})
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
            return self._inputs.get(source.name, NO_VALUE)
        if source in self._empty:
            return None
        if source in self._values:
            return self._values[source]
        if self._store is None:
            raise ValueMissing(source.step_key, source.output, "nothing is kept here")
        return self._store.get(self._run_id, source.step_key, source.output)

    def done_with(self, step: Step) -> None:
        """Drop values whose last user ``step`` was: a run's memory is what its unfinished part needs."""
        for need in step.needs():
            users = self._users[need]
            users.discard(step.key)
            if not users:
                for key in [key for key in self._values if key[0] == need]:
                    del self._values[key]
