"""Resources as execution sees them, and the older ``@resource`` form."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, overload

from ...core.errors import InvalidDefinition
from ..config.legacy import config_type
from ..config.schema import Anything, ConfigType, WithDefault
from ..names import describe_function


class ResourceDefinition:
    """A resource made by a function of an init context, which may ``yield`` it to clean up afterwards."""

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
    ) -> None:
        self.resource_fn = resource_fn
        self.config_schema = config_schema
        self.description = describe_function(resource_fn, description)
        self.required_resource_keys = frozenset(required_resource_keys or ())
        self.version = version
        self.config_type: ConfigType = Anything() if config_schema is None else config_type(config_schema)

    @staticmethod
    def hardcoded_resource(value: Any, description: str | None = None) -> ResourceDefinition:
        """A resource that is ``value``."""
        return ResourceDefinition(lambda _context: value, description=description)

    @staticmethod
    def none_resource(description: str | None = None) -> ResourceDefinition:
        return ResourceDefinition.hardcoded_resource(None, description)

    @staticmethod
    def string_resource(description: str | None = None) -> ResourceDefinition:
        """A resource that is the string in its config."""
        return ResourceDefinition(lambda context: context.resource_config, str, description)

    @staticmethod
    def mock_resource(description: str | None = None) -> ResourceDefinition:
        """A new ``MagicMock`` each time."""

        def make(_context: Any) -> Any:
            from unittest.mock import MagicMock  # noqa: PLC0415 - tests only

            return MagicMock()

        return ResourceDefinition(make, description=description)

    def configured(self, config: Any, config_schema: Any = None, description: str | None = None) -> ResourceDefinition:  # noqa: ARG002 - the field's signature
        """The same resource with its config given here."""
        definition = ResourceDefinition(
            self.resource_fn, None, description or self.description, self.required_resource_keys, self.version
        )
        definition.config_type = WithDefault(self.config_type, config)
        return definition

    def open(self, context: Any) -> AbstractContextManager[Any]:
        """A context manager around the resource's life."""
        return _life_of(self.resource_fn, context)

    def __call__(self, context: Any = None) -> Any:
        """Call the function directly, with an init context if it takes one."""
        return _call(self.resource_fn, context)


def _call(function: Callable[..., Any], context: Any) -> Any:
    return function(context) if inspect.signature(function).parameters else function()


@contextmanager
def _life_of(function: Callable[..., Any], context: Any) -> Iterator[Any]:
    made = _call(function, context)
    if inspect.isgenerator(made):
        with contextlib.contextmanager(lambda: made)() as value:
            yield value
    elif isinstance(made, AbstractContextManager) and isinstance(made, contextlib._GeneratorContextManager):  # noqa: SLF001 - what @contextmanager makes
        with made as value:
            yield value
    else:
        yield made


@overload
def resource(config_schema: Callable[..., Any]) -> ResourceDefinition: ...


@overload
def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Callable[[Callable[..., Any]], ResourceDefinition]: ...


def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> ResourceDefinition | Callable[[Callable[..., Any]], ResourceDefinition]:
    """Make a resource of a function: ``@resource`` or ``@resource(config_schema={…})``."""

    def decorate(function: Callable[..., Any]) -> ResourceDefinition:
        schema = None if bare else config_schema
        definition = ResourceDefinition(function, schema, description, required_resource_keys, version)
        functools.update_wrapper(definition, function, updated=())
        return definition

    bare = inspect.isfunction(config_schema)
    return decorate(config_schema) if bare else decorate


class ConfigurableAdapter:
    """A ConfigurableResource in the form that execution uses."""

    def __init__(self, resource: Any) -> None:
        self.resource = resource
        self.description = inspect.getdoc(type(resource))
        self.required_resource_keys: frozenset[str] = frozenset()

    @functools.cached_property
    def config_type(self) -> ConfigType:
        checked: ConfigType = self.resource.run_config_type()
        return checked

    def open(self, context: Any) -> AbstractContextManager[Any]:
        life: AbstractContextManager[Any] = self.resource.open(context)
        return life


AnyResource = ResourceDefinition | ConfigurableAdapter


def as_resource(name: str, value: Any) -> AnyResource:
    """A value of a ``resources`` dict as a definition; a plain object is the resource itself.

    Raises:
        InvalidDefinition: it is a class where an instance was meant.
    """
    if isinstance(value, ResourceDefinition | ConfigurableAdapter):
        return value
    kind = getattr(value, "__runyard_kind__", None)
    if kind == "resource" and isinstance(value, type):
        raise InvalidDefinition(
            f"Resource '{name}' is the class {value.__name__}; give an instance: {value.__name__}(…) "
            f"or {value.__name__}.configure_at_launch()."
        )
    return ConfigurableAdapter(value) if kind == "resource" else ResourceDefinition.hardcoded_resource(value)


def as_resources(resources: Mapping[str, Any] | None) -> dict[str, AnyResource]:
    return {name: as_resource(name, value) for name, value in (resources or {}).items()}
