"""What a place in config takes. A tree of these checks run config, fills in defaults and draws the JSON Schema."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...core.text import did_you_mean, listing
from ..slots import NO_VALUE
from ..types import shown
from .env import env_name

#: A place, joined by dots, and what is wrong there.
Issue = tuple[str, str]


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class ConfigType:
    """Takes anything; the base of what takes less."""

    #: For messages: ``takes a string``.
    takes = "any value"
    #: Whether leaving the place empty is an issue.
    required = True

    def issues(self, value: Any, path: str) -> list[Issue]:
        """Everything that is wrong with ``value``; NO_VALUE where nothing was given."""
        return [] if value is not NO_VALUE or not self.required else [(path, f"is required and takes {self.takes}")]

    def resolve(self, value: Any) -> Any:
        """What user code gets for a value without issues: defaults filled in, environment variables read."""
        return value

    def filled(self, value: Any) -> Any:
        """The value with every known default filled in, as far as there are any; NO_VALUE where there is nothing."""
        return value

    def json_schema(self) -> dict[str, Any]:
        return {}


class Anything(ConfigType):
    """Takes anything, or nothing."""

    required = False


SCALARS = (str, int, float, bool)


class Scalar(ConfigType):
    """A string, number or boolean, or ``{env: NAME}``."""

    _KINDS: Mapping[type, tuple[str, str, Any]] = {
        str: ("a string", "string", str),
        int: ("a whole number", "integer", int),
        float: ("a number", "number", (int, float)),
        bool: ("true or false", "boolean", bool),
    }

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.takes, self._json_type, self._classes = self._KINDS[kind]

    def issues(self, value: Any, path: str) -> list[Issue]:
        if value is NO_VALUE:
            return super().issues(value, path)
        name = env_name(value)
        if name is not None:
            return self._env_issues(name, path)
        return [] if self._fits(value) else [(path, f"takes {self.takes}, got {shown(value)}")]

    def _fits(self, value: Any) -> bool:
        return isinstance(value, self._classes) and (self.kind is bool or not isinstance(value, bool))

    def _env_issues(self, name: str, path: str) -> list[Issue]:
        text = os.environ.get(name)
        if text is None:
            return [(path, f"environment variable '{name}' is not set")]
        try:
            self.parse(text)
        except ValueError:
            return [(path, f"takes {self.takes}, which environment variable '{name}' does not hold")]
        return []

    def parse(self, text: str) -> Any:
        """An environment variable's text as this kind. Raises ValueError."""
        if self.kind is not bool:
            return self.kind(text)
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "1", "yes")

    def resolve(self, value: Any) -> Any:
        name = env_name(value)
        return value if name is None else self.parse(os.environ[name])

    def json_schema(self) -> dict[str, Any]:
        env = {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"]}
        return {"anyOf": [{"type": self._json_type}, {**env, "additionalProperties": False}]}


class ListOf(ConfigType):
    """A list."""

    takes = "a list"

    def __init__(self, inner: ConfigType) -> None:
        self.inner = inner

    def issues(self, value: Any, path: str) -> list[Issue]:
        if value is NO_VALUE:
            return super().issues(value, path)
        if not isinstance(value, list | tuple):
            return [(path, f"takes a list, got {shown(value)}")]
        return [issue for i, item in enumerate(value) for issue in self.inner.issues(item, join(path, str(i)))]

    def resolve(self, value: Any) -> Any:
        return [self.inner.resolve(item) for item in value]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.inner.json_schema()}


class DictOf(ConfigType):
    """A dict with any keys and one kind of values."""

    takes = "a dict"

    def __init__(self, inner: ConfigType) -> None:
        self.inner = inner

    def issues(self, value: Any, path: str) -> list[Issue]:
        if value is NO_VALUE:
            return super().issues(value, path)
        if not isinstance(value, Mapping):
            return [(path, f"takes a dict, got {shown(value)}")]
        return [issue for key, item in value.items() for issue in self.inner.issues(item, join(path, str(key)))]

    def resolve(self, value: Any) -> Any:
        return {key: self.inner.resolve(item) for key, item in value.items()}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.inner.json_schema()}


class Optionally(ConfigType):
    """The inner kind, null or nothing."""

    required = False

    def __init__(self, inner: ConfigType) -> None:
        self.inner = inner
        self.takes = f"{inner.takes} or null"

    def issues(self, value: Any, path: str) -> list[Issue]:
        return [] if value is None or value is NO_VALUE else self.inner.issues(value, path)

    def resolve(self, value: Any) -> Any:
        return None if value is None or value is NO_VALUE else self.inner.resolve(value)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [self.inner.json_schema(), {"type": "null"}]}


class WithDefault(ConfigType):
    """The inner kind; ``default`` where nothing is given."""

    required = False

    def __init__(self, inner: ConfigType, default: Any) -> None:
        self.inner, self.default = inner, default
        self.takes = inner.takes

    def issues(self, value: Any, path: str) -> list[Issue]:
        return [] if value is NO_VALUE else self.inner.issues(value, path)

    def resolve(self, value: Any) -> Any:
        return self.inner.resolve(self.default if value is NO_VALUE else value)

    def filled(self, value: Any) -> Any:
        return self.inner.filled(self.default if value is NO_VALUE else value)

    def json_schema(self) -> dict[str, Any]:
        return {**self.inner.json_schema(), "default": self.default}


class Fields(ConfigType):
    """A dict with known keys. ``noun`` is what its keys are called in messages; ``open`` takes others too."""

    takes = "a dict"

    def __init__(self, fields: Mapping[str, ConfigType], *, noun: str = "field", open: bool = False) -> None:  # noqa: A002 - reads well at every call
        self.fields, self.noun, self.open = dict(fields), noun, open
        self.required = any(field.required for field in self.fields.values())

    def issues(self, value: Any, path: str) -> list[Issue]:
        given = {} if value is NO_VALUE or value is None else value
        if not isinstance(given, Mapping):
            return [(path, f"takes a dict, got {shown(value)}")]
        found = [] if self.open else [self._unknown(str(key), path) for key in given if key not in self.fields]
        for name, field in self.fields.items():
            found += field.issues(given.get(name, NO_VALUE), join(path, name))
        return found

    def _unknown(self, key: str, path: str) -> Issue:
        if not self.fields:
            return join(path, key), f"there is no {self.noun} here"
        known = did_you_mean(key, self.fields) or f" Known: {listing(self.fields)}."
        return join(path, key), f"no {self.noun} named '{key}'.{known}"

    def resolve(self, value: Any) -> Any:
        given = {} if value is NO_VALUE or value is None else value
        resolved = {name: field.resolve(given.get(name, NO_VALUE)) for name, field in self.fields.items()}
        more = {key: item for key, item in given.items() if key not in self.fields}
        return {name: item for name, item in {**resolved, **more}.items() if item is not NO_VALUE}

    def filled(self, value: Any) -> Any:
        given = {} if value is NO_VALUE or value is None else value
        known = {name: field.filled(given.get(name, NO_VALUE)) for name, field in self.fields.items()}
        more = {key: item for key, item in given.items() if key not in self.fields}
        full = {name: item for name, item in {**known, **more}.items() if item is not NO_VALUE}
        return full or value

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: field.json_schema() for name, field in self.fields.items()},
            "additionalProperties": self.open,
        }
        needed = [name for name, field in self.fields.items() if field.required]
        return {**schema, "required": needed} if needed else schema


class OneOf(ConfigType):
    """A dict with exactly one of the known keys."""

    takes = "a dict with exactly one key"

    def __init__(self, fields: Mapping[str, ConfigType]) -> None:
        self.fields = dict(fields)

    def issues(self, value: Any, path: str) -> list[Issue]:
        if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in self.fields:
            return [(path, f"takes exactly one of {listing(self.fields)}")]
        name, inner = next(iter(value.items()))
        return self.fields[name].issues(inner, join(path, name))

    def resolve(self, value: Any) -> Any:
        return {name: self.fields[name].resolve(inner) for name, inner in value.items()}

    def json_schema(self) -> dict[str, Any]:
        options = [Fields({name: inner}).json_schema() for name, inner in self.fields.items()]
        return {"oneOf": options}
