"""The values that flow between the steps of a run, and which steps can no longer run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.text import listing
from ..definitions.slots import NO_VALUE
from ..definitions.steps import FromJobInput, FromMany, FromStep, Step, single_sources
from .steps import config_entry


class Values:
    """Outputs until every step that takes them has ended. ``keep`` sees every output as well."""

    def __init__(
        self,
        steps: Sequence[Step],
        inputs: Mapping[str, Any],
        keep: Callable[[str, str, Any], None] | None,
    ) -> None:
        self._inputs, self._keep = inputs, keep
        self._values: dict[tuple[str, str], Any] = {}
        self._gone: dict[str, str] = {}
        self._users: dict[str, set[str]] = {step.key: set() for step in steps}
        for step in steps:
            for need in step.needs():
                self._users[need].add(step.key)

    def taker(self, step: Step) -> Callable[[str, Any], None]:
        """What keeps the outputs of ``step``."""

        def take(output: str, value: Any) -> None:
            self._values[step.key, output] = value
            if self._keep is not None:
                self._keep(step.key, output, value)

        return take

    def failed(self, step: Step) -> None:
        self._gone[step.key] = "failed"

    def why_skip(self, step: Step) -> str | None:
        """Why ``step`` cannot run: what it needs failed, was skipped or did not give the output; None when it can."""
        for need in step.needs():
            if self._gone.get(need) == "failed":
                return self._skip(step, f"'{need}' failed")
        for name, source in step.inputs.items():
            singles = single_sources(source)
            if singles and not any(self._is_there(one) for one in singles):
                asked = [one.step_key for one in singles if isinstance(one, FromStep)]
                return self._skip(step, f"its input '{name}' was not produced by {listing(asked)}")
        blocked = next((need for need in step.needs() if self._gone.get(need) == "skipped by a failure"), None)
        return self._skip(step, f"'{blocked}' was skipped", after_failure=True) if blocked else None

    def _skip(self, step: Step, why: str, *, after_failure: bool = False) -> str:
        by_failure = after_failure or why.endswith("failed") or self._needs_blocked(step)
        self._gone[step.key] = "skipped by a failure" if by_failure else "skipped"
        return why

    def _needs_blocked(self, step: Step) -> bool:
        return any(self._gone.get(need) == "skipped by a failure" for need in step.needs())

    def _is_there(self, source: FromStep | FromJobInput) -> bool:
        return isinstance(source, FromJobInput) or (source.step_key, source.output) in self._values

    def inputs_of(self, step: Step, config: Mapping[str, Any]) -> dict[str, Any]:
        """The step's inputs by name; those with a default and nothing else are left to the function."""
        written = config_entry(config, step.path).get("inputs", {})
        found = {name: self._input(step, name, written) for name in step.op.ins}
        return {name: value for name, value in found.items() if value is not NO_VALUE}

    def _input(self, step: Step, name: str, written: Mapping[str, Any]) -> Any:
        slot = step.op.ins[name]
        source = step.inputs.get(name)
        if slot.is_nothing:
            return NO_VALUE
        if source is None:
            return written.get(name, slot.default_value)
        if isinstance(source, FromMany):
            return [self._single(one) for one in source.sources if self._is_there(one)]
        value = self._single(source)
        return slot.default_value if value is NO_VALUE else value

    def _single(self, source: FromStep | FromJobInput) -> Any:
        if isinstance(source, FromJobInput):
            return self._inputs.get(source.name, NO_VALUE)
        return self._values[source.step_key, source.output]

    def done_with(self, step: Step) -> None:
        """Drop values whose last user ``step`` was: a run's memory is what its unfinished part needs."""
        for need in step.needs():
            users = self._users[need]
            users.discard(step.key)
            if not users:
                for key in [key for key in self._values if key[0] == need]:
                    del self._values[key]
