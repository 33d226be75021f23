"""The older way to describe config: ``config_schema={"path": str, "limit": Field(int, default_value=10)}``."""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from ...core.errors import InvalidDefinition
from ..slots import NO_VALUE
from .schema import Anything, ConfigType, DictOf, Fields, ListOf, OneOf, Optionally, Scalar, WithDefault


class Field:
    """A field of a config schema.

    Raises:
        InvalidDefinition: it is required and has a default, or the default is not of its kind.
    """

    def __init__(
        self,
        config: Any,
        default_value: Any = NO_VALUE,
        is_required: bool | None = None,
        description: str | None = None,
        is_secret: bool = False,
    ) -> None:
        self.config, self.default_value = config, default_value
        self.description, self.is_secret = description, is_secret
        if is_required and default_value is not NO_VALUE:
            raise InvalidDefinition("Field: a field with a default_value cannot be is_required.")
        self._required = is_required
        inner = config_type(config)
        if default_value is not NO_VALUE and default_value is not None:
            for path, problem in inner.issues(default_value, ""):
                raise InvalidDefinition(f"Field: the default {path or default_value!r} {problem}.")

    @property
    def default_provided(self) -> bool:
        return self.default_value is not NO_VALUE

    @property
    def is_required(self) -> bool:
        return self._required if self._required is not None else self.type().required

    def type(self) -> ConfigType:
        inner = config_type(self.config)
        if self.default_value is None:
            return WithDefault(Optionally(inner), None)
        if self.default_value is not NO_VALUE:
            return WithDefault(inner, self.default_value)
        return _MayBeLeftOut(inner) if self._required is False else inner


class _MayBeLeftOut(ConfigType):
    required = False

    def __init__(self, inner: ConfigType) -> None:
        self.inner, self.takes = inner, inner.takes

    def issues(self, value: Any, path: str) -> list[tuple[str, str]]:
        return [] if value is NO_VALUE else self.inner.issues(value, path)

    def resolve(self, value: Any) -> Any:
        return value if value is NO_VALUE else self.inner.resolve(value)

    def json_schema(self) -> dict[str, Any]:
        return self.inner.json_schema()


class _Schema(ABC):
    """Base of the shapes below: each knows its ConfigType."""

    @abstractmethod
    def type(self) -> ConfigType: ...


class Shape(_Schema):
    """A dict with these fields and no others."""

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        self.fields, self.description = fields, description

    def type(self) -> ConfigType:
        return Fields({name: config_type(inner) for name, inner in self.fields.items()})


class Permissive(_Schema):
    """A dict with these fields and any others."""

    def __init__(self, fields: Mapping[str, Any] | None = None, description: str | None = None) -> None:
        self.fields, self.description = fields or {}, description

    def type(self) -> ConfigType:
        return Fields({name: config_type(inner) for name, inner in self.fields.items()}, open=True)


class Selector(_Schema):
    """A dict with exactly one of these fields."""

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        self.fields, self.description = fields, description

    def type(self) -> ConfigType:
        return OneOf({name: config_type(inner) for name, inner in self.fields.items()})


class Array(_Schema):
    """A list of one kind."""

    def __init__(self, inner_type: Any) -> None:
        self.inner_type = inner_type

    def type(self) -> ConfigType:
        return ListOf(config_type(self.inner_type))


class Noneable(_Schema):
    """One kind, or null."""

    def __init__(self, inner_type: Any) -> None:
        self.inner_type = inner_type

    def type(self) -> ConfigType:
        return Optionally(config_type(self.inner_type))


class Map(_Schema):
    """A dict with any keys and values of one kind."""

    def __init__(self, key_type: Any, inner_type: Any, key_label_name: str | None = None) -> None:
        self.key_type, self.inner_type, self.key_label_name = key_type, inner_type, key_label_name

    def type(self) -> ConfigType:
        return DictOf(config_type(self.inner_type))


class _Source(_Schema):
    def __init__(self, kind: type) -> None:
        self._kind = kind

    def type(self) -> ConfigType:
        return Scalar(self._kind)


#: A string, number or boolean, given outright or as ``{env: NAME}``.
StringSource, IntSource, BoolSource = _Source(str), _Source(int), _Source(bool)


def config_type(schema: Any) -> ConfigType:
    """What a config schema as users write it takes.

    Raises:
        InvalidDefinition: it is nothing that describes config.
    """
    if isinstance(schema, Field | _Schema):
        return schema.type()
    if isinstance(schema, ConfigType):
        return schema
    if isinstance(schema, Mapping):
        return Fields({str(name): config_type(inner) for name, inner in schema.items()})
    if isinstance(schema, list) and len(schema) == 1:
        return ListOf(config_type(schema[0]))
    return _of_annotation(schema)


def _of_annotation(schema: Any) -> ConfigType:
    if schema in (str, int, float, bool):
        return Scalar(schema)
    if schema is Any or schema is typing.Any:
        return Anything()
    origin, args = get_origin(schema) or schema, get_args(schema)
    if origin is list:
        return ListOf(config_type(args[0]) if args else Anything())
    if origin is dict:
        return DictOf(config_type(args[1])) if args else Fields({}, open=True)
    inner = [arg for arg in args if arg is not type(None)]
    if len(args) == 2 and len(inner) == 1:
        return Optionally(config_type(inner[0]))
    raise InvalidDefinition(
        f"{schema!r} does not describe config; use str, int, float, bool, a dict of fields, a list of one kind, "
        "Field(…), or a Config class."
    )
