"""How the steps of a run are executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ExecutorDefinition:
    """An executor by name, with its config."""

    def __init__(self, name: str, config: Mapping[str, Any] | None = None) -> None:
        self.name, self.config = name, dict(config or {})

    def configured(self, config: Mapping[str, Any], name: str | None = None) -> ExecutorDefinition:
        """The same executor with its config given here."""
        return ExecutorDefinition(name or self.name, config)


#: One step after the other, in the run's own process.
in_process_executor = ExecutorDefinition("in_process")
