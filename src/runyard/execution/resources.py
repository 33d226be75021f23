"""Initialising resources, those that others need first, and taking them down again in reverse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..core.errors import InvalidDefinition, RunCancelled
from ..definitions.engine import InstanceClient
from ..definitions.records import DagsterRun
from ..definitions.resources.definition import AnyResource, ConfigurableAdapter
from .contexts.init import InitResourceContext
from .contexts.resources import Resources


class ResourceScope:
    """The life of a run's resources. ``config`` is the resolved ``resources`` part of run config."""

    def __init__(
        self,
        definitions: Mapping[str, AnyResource],
        config: Mapping[str, Any],
        *,
        log: logging.Logger,
        run: DagsterRun | None = None,
        instance: InstanceClient | None = None,
    ) -> None:
        self._definitions, self._config = definitions, config
        self._base = InitResourceContext(log=log, run=run, given_instance=instance)
        self._open: list[tuple[str, AbstractContextManager[Any]]] = []
        self._ready: dict[int, Any] = {}
        self.values: dict[str, Any] = {}

    def open(self) -> dict[str, Any]:
        """Initialise all and return them by name. Raises whatever the user's code raises."""
        for name in _order(self._definitions):
            self._start(name)
        return self.values

    def open_each(
        self, names: Collection[str], on_error: Callable[[str, BaseException], None]
    ) -> dict[str, BaseException]:
        """Initialise these; the errors of those that failed, by name. One that needs such a one has its error."""
        failed: dict[str, BaseException] = {}
        for name in [name for name in _order(self._definitions) if name in names]:
            cause = next((failed[key] for key in _needs(name, self._definitions) if key in failed), None)
            error = cause or self._try_to_start(name, on_error)
            if error is not None:
                failed[name] = error
        return failed

    def _try_to_start(self, name: str, on_error: Callable[[str, BaseException], None]) -> BaseException | None:
        try:
            self._start(name)
        except RunCancelled:
            raise
        except BaseException as error:  # noqa: BLE001 - user code raises anything; reported
            on_error(name, error)
            return error
        return None

    def _start(self, name: str) -> None:
        definition = self._definitions[name]
        life = definition.open(self._context_for(name, definition))
        value = life.__enter__()
        self._open.append((name, life))
        self.values[name] = value
        self._ready[id(_identity(definition))] = value

    def _context_for(self, name: str, definition: AnyResource) -> InitResourceContext:
        needed = {key: self.values[key] for key in definition.required_resource_keys}
        return InitResourceContext(
            resource_config=self._config.get(name, {}).get("config"),
            resources=Resources(needed, f"Resource '{name}'"),
            log=self._base.log,
            run=self._base.run,
            given_instance=self._base.given_instance,
            ready=self._ready,
        )

    def close(self, on_error: Callable[[str, BaseException], None]) -> None:
        """Take all down, newest first; an error or a cancellation in one does not keep the others up."""
        while self._open:
            name, life = self._open.pop()
            try:
                life.__exit__(None, None, None)
            except BaseException as error:  # noqa: BLE001 - user code raises anything; reported
                on_error(name, error)


def _identity(definition: AnyResource) -> Any:
    """What another resource's field refers to."""
    return definition.resource if isinstance(definition, ConfigurableAdapter) else definition


def _order(definitions: Mapping[str, AnyResource]) -> list[str]:
    """Names, each after those that it needs."""
    ordered: list[str] = []
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in ordered:
            return
        if name in under_way:
            raise InvalidDefinition(f"Resources need each other in a circle: {' -> '.join([*under_way, name])}.")
        under_way.append(name)
        for key in _needs(name, definitions):
            visit(key)
        under_way.pop()
        ordered.append(name)

    for name in definitions:
        visit(name)
    return ordered


def _needs(name: str, definitions: Mapping[str, AnyResource]) -> list[str]:
    definition = definitions[name]
    by_key = sorted(definition.required_resource_keys)
    if not isinstance(definition, ConfigurableAdapter):
        return by_key
    fields = {id(value) for value in vars(definition.resource).values()}
    return [key for key, other in definitions.items() if key != name and id(_identity(other)) in fields]
