"""How the steps of a run are executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import InvalidDefinition
from .config.executor_config import EitherConfig, ExecutorConfig, InProcessConfig, MultiprocessConfig


class ExecutorDefinition:
    """An executor by name, with the config that it takes."""

    def __init__(self, name: str, config_type: ExecutorConfig) -> None:
        self.name, self.config_type = name, config_type

    def configured(self, config: Mapping[str, Any], name: str | None = None) -> ExecutorDefinition:
        """The same executor with config given here, which run config may still change.

        Raises:
            InvalidDefinition: it does not take ``config``; names the key.
        """
        for path, problem in self.config_type.issues(config, ""):
            raise InvalidDefinition(f"Executor '{self.name}', configured: {path or 'config'}: {problem}.")
        return ExecutorDefinition(name or self.name, self.config_type.configured(config))

    def __repr__(self) -> str:
        return f"<executor {self.name}>"


def checked_executor(owner: str, executor: Any) -> ExecutorDefinition | None:
    """``executor``, which may be None.

    Raises:
        InvalidDefinition: it is something else.
    """
    if executor is not None and not isinstance(executor, ExecutorDefinition):
        raise InvalidDefinition(f"{owner}: the executor is one such as multiprocess_executor, not {executor!r}.")
    return executor


#: One step after the other, in the run's own process.
in_process_executor = ExecutorDefinition("in_process", InProcessConfig())
#: Steps side by side, each in a process of its own.
multiprocess_executor = ExecutorDefinition("multiprocess", MultiprocessConfig())
#: The one of the two that run config names, several processes where it names none; what jobs have by default.
multi_or_in_process_executor = ExecutorDefinition("multi_or_in_process_executor", EitherConfig())
