"""Resources as classes with typed config."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, create_model

from ...core.errors import InvalidDefinition
from ..config.base import Config, EnvAware
from ..config.env import read
from ..config.models import ModelType, parse_field, to_config, with_env_read
from ..config.schema import ConfigType
from ..signature import RESOURCE_PARAM, is_resource

T = TypeVar("T")


class ConfigurableResource(EnvAware, Generic[T]):
    """Base class of resources: fields are its config, fields that are resources are its dependencies.

    ::

        class Database(ConfigurableResource):
            url: str

            def query(self, sql: str) -> list[tuple]: ...

        Definitions(resources={"db": Database(url=EnvVar("DB_URL"))})

    Override ``setup_for_execution`` and ``teardown_after_execution``, or ``yield_for_execution``, for a life cycle;
    keep what they make in ``PrivateAttr``. ``create_resource`` hands out another object than the instance.
    """

    __runyard_kind__: ClassVar[str] = "resource"

    model_config = ConfigDict(extra="forbid")

    _at_launch: bool = PrivateAttr(default=False)
    _context: Any = PrivateAttr(default=None)

    @classmethod
    def configure_at_launch(cls, **given: Any) -> Any:
        """An instance that gets its other fields from run config when a run starts."""
        resource = cls.model_construct(_fields_set=set(given), **given)
        resource._at_launch = True  # noqa: SLF001 - our own class
        return resource

    def setup_for_execution(self, context: Any) -> None:
        """Called before the first step that uses it."""

    def teardown_after_execution(self, context: Any) -> None:
        """Called after the run, whether it succeeded or not."""

    @contextlib.contextmanager
    def yield_for_execution(self, context: Any) -> Iterator[Any]:
        """The resource's whole life; yield what ops get."""
        self.setup_for_execution(context)
        try:
            yield self
        finally:
            self.teardown_after_execution(context)

    def create_resource(self, context: Any) -> Any:  # noqa: ARG002 - for those who override it
        """What ops get; the instance itself unless overridden."""
        return self

    def get_object_to_set_on_execution_context(self) -> Any:
        return self

    def get_resource_context(self) -> Any:
        """The init context of this run.

        Raises:
            InvalidDefinition: no run has initialised this resource.
        """
        if self._context is None:
            raise InvalidDefinition(f"{type(self).__name__} has no init context: it is initialised only for a run.")
        return self._context

    def set_config(self) -> dict[str, Any]:
        """The fields that were given, as run config spells them; dependencies are left out."""
        return {name: to_config(self.__dict__[name]) for name in self.model_fields_set if not self._is_dependency(name)}

    def run_config_type(self) -> ConfigType:
        """What run config may say about it."""
        known = {name: self.__dict__[name] for name in self.model_fields_set}
        return _ResourceConfig(_config_model(type(self)), set_already=known)

    @contextlib.contextmanager
    def open(self, context: Any) -> Iterator[Any]:
        """Initialise with the run config in ``context.resource_config``, dependencies first, and clean up after."""
        with ExitStack() as stack:
            ready = self._with_values(context, stack)
            ready._context = context  # noqa: SLF001 - our own class
            with _life(ready, context) as value:
                yield value

    def _with_values(self, context: Any, stack: ExitStack) -> Any:
        config: Mapping[str, Any] = context.resource_config or {}
        values = {name: read(self.__dict__[name]) for name in self.model_fields_set}
        values.update(config)
        for name in [name for name in values if self._is_dependency(name)]:
            values[name] = stack.enter_context(_dependency(values[name], context))
        fixed = {name: with_env_read(value) if isinstance(value, Config) else value for name, value in values.items()}
        unchanged = all(name in self.model_fields_set and self.__dict__[name] is fixed[name] for name in fixed)
        if unchanged and not self._at_launch:
            return self.model_copy()
        return _construct(type(self), fixed)

    def _is_dependency(self, name: str) -> bool:
        return _is_dependency(type(self), name) or isinstance(self.__dict__.get(name), ConfigurableResource)


def _life(resource: Any, context: Any) -> AbstractContextManager[Any]:
    if type(resource).create_resource is not ConfigurableResource.create_resource:
        return contextlib.nullcontext(resource.create_resource(context))
    life = resource.yield_for_execution(context)
    return life if isinstance(life, AbstractContextManager) else contextlib.contextmanager(lambda: life)()


def _construct(kind: type[ConfigurableResource[Any]], values: dict[str, Any]) -> ConfigurableResource[Any]:
    """The checks of the class run on its config fields; dependencies are what they are, tests pass stand-ins."""
    dependencies = {name: value for name, value in values.items() if _is_dependency(kind, name)}
    if not dependencies:
        return kind(**values)
    checked = _config_model(kind)(**{name: value for name, value in values.items() if name not in dependencies})
    return kind.model_construct(_fields_set=set(values), **{**checked.__dict__, **dependencies})


@contextlib.contextmanager
def _dependency(value: Any, context: Any) -> Iterator[Any]:
    """A dependency that is also a resource of the run is shared; another is opened for its owner alone."""
    shared = context.initialised(value)
    if shared is not None:
        yield shared.value
    elif isinstance(value, ConfigurableResource):
        with value.open(context.for_nested()) as opened:
            yield opened
    else:
        yield value


def _is_dependency(kind: type[BaseModel], name: str) -> bool:
    field = kind.model_fields.get(name)
    return field is not None and (is_resource(field.annotation) or RESOURCE_PARAM in field.metadata)


def _config_model(kind: type[BaseModel]) -> type[BaseModel]:
    """The class itself, or one with its config fields only when some fields are resources."""
    if not any(_is_dependency(kind, name) for name in kind.model_fields):
        return kind
    fields: Any = {
        name: (field.annotation, field) for name, field in kind.model_fields.items() if not _is_dependency(kind, name)
    }
    made: type[BaseModel] = create_model(kind.__name__, __base__=Config, **fields)
    return made


class _ResourceConfig(ModelType):
    """Resolves to the fields that run config gives, since those set in code are held by the instance."""

    def resolve(self, value: Any) -> Any:
        if not value or not isinstance(value, Mapping):
            return {}
        fields = self.model.model_fields
        named = {name: field.alias if field.alias in value else name for name, field in fields.items()}
        return {name: parse_field(fields[name], value[key]) for name, key in named.items() if key in value}
