"""Checking run config against pydantic models, with messages in the words of the rest of run config."""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from ...core.text import did_you_mean, listing
from ..slots import NO_VALUE
from ..types import shown
from .base import require_complete
from .env import EnvVar, IntEnvVar, env_name, is_env_var, read
from .schema import SCALARS, ConfigType, Issue, Scalar, join

_TAKES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a dict",
    "model_type": "a dict of fields",
    "tuple_type": "a list",
    "set_type": "a list",
}


class ModelType(ConfigType):
    """Takes what ``model`` takes. ``set_already`` are fields that have a value without run config."""

    takes = "a dict of fields"

    def __init__(
        self, model: type[BaseModel], *, default: Any = NO_VALUE, set_already: Mapping[str, Any] | None = None
    ) -> None:
        require_complete(model)
        self.model, self.default, self.set_already = model, default, dict(set_already or {})
        self.required = default is NO_VALUE and any(
            _is_required(field) for name, field in model.model_fields.items() if name not in self.set_already
        )

    def issues(self, value: Any, path: str) -> list[Issue]:
        if value is NO_VALUE and self.default is not NO_VALUE:
            return []
        given = {} if value is NO_VALUE or value is None else value
        if not isinstance(given, Mapping):
            return [(path, f"takes a dict of fields, got {shown(value)}")]
        found: list[Issue] = []
        prepared = _prepared(self.model, given, path, found)
        known = {place for place, _ in found}
        return found + [issue for issue in self._model_issues(prepared, path) if issue[0] not in known]

    def _model_issues(self, prepared: Mapping[str, Any], path: str) -> list[Issue]:
        try:
            self.model.model_validate(prepared)
        except ValidationError as error:
            return [_issue(self.model, item, path) for item in error.errors() if not self._is_set(item)]
        return []

    def _is_set(self, item: Any) -> bool:
        return bool(item["type"] == "missing" and item["loc"][0] in self.set_already)

    def resolve(self, value: Any) -> Any:
        """The model itself. Raises ValidationError or UserError for a value with issues."""
        if value is NO_VALUE and self.default is not NO_VALUE:
            return with_env_read(self.default)
        prepared = _prepared(self.model, {} if value is NO_VALUE or value is None else value, "", [])
        return with_env_read(self.model.model_validate(prepared))

    def filled(self, value: Any) -> Any:
        if value is NO_VALUE and isinstance(self.default, BaseModel):
            return to_config(self.default)
        given = value if isinstance(value, Mapping) else {}
        full = {**_defaults(self.model), **to_config(self.set_already), **given}
        return full or NO_VALUE

    def json_schema(self) -> dict[str, Any]:
        """Pydantic's own, with fields that are set already no longer required; open where pydantic has no schema."""
        try:
            schema = self.model.model_json_schema()
        except Exception:  # noqa: BLE001 - a type that JSON Schema cannot describe: the editor helps less, nothing fails
            return {"type": "object"}
        needed = [name for name in schema.get("required", ()) if name not in self.set_already]
        rest = {key: item for key, item in schema.items() if key not in ("required", "$defs")}
        inlined: dict[str, Any] = _inlined({**rest, **_only(required=needed)}, schema.get("$defs", {}), ())
        return inlined


def _inlined(schema: Any, known: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    """The schema without references, which would point into another document once it is part of a job's.

    A model that contains itself is left open where it does.
    """
    if isinstance(schema, list):
        return [_inlined(item, known, within) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in within:
        return {"type": "object"}
    rest = {key: _inlined(item, known, within) for key, item in schema.items() if key != "$ref"}
    return {**_inlined(known[name], known, (*within, name)), **rest} if name in known else rest


def _only(**items: Any) -> dict[str, Any]:
    return {key: item for key, item in items.items() if item}


def _is_required(field: FieldInfo) -> bool:
    """Whether run config must give it: a model whose own fields all have defaults need not be."""
    if not field.is_required():
        return False
    inner = _model_of(field.annotation)
    return inner is None or any(_is_required(one) for one in inner.model_fields.values())


def _prepared(model: type[BaseModel], given: Mapping[str, Any], path: str, found: list[Issue]) -> dict[str, Any]:
    """Run config in the form that pydantic checks: environment variables read, enum names made values.

    Adds to ``found`` what pydantic would let through, such as ``"5"`` for a number.
    """
    prepared = dict(given)
    for name, field in model.model_fields.items():
        key = field.alias if field.alias and field.alias in given else name
        place = join(path, key)
        if key in prepared:
            prepared[key] = _prepared_value(field.annotation, prepared[key], place, found)
        elif is_env_var(field.default):
            prepared[key] = _prepared_value(field.annotation, to_config(field.default), place, found)
        elif field.is_required() and (inner := _model_of(field.annotation)):
            prepared[key] = _prepared(inner, {}, place, found)
    return prepared


def _prepared_value(annotation: Any, value: Any, path: str, found: list[Issue]) -> Any:
    kind, inner = _plain(annotation), _model_of(annotation)
    if inner is not None:
        return _prepared(inner, value, path, found) if isinstance(value, Mapping) else value
    if get_origin(kind) is list and isinstance(value, list):
        return [_prepared_value(get_args(kind)[0], item, join(path, str(i)), found) for i, item in enumerate(value)]
    if get_origin(kind) is dict and isinstance(value, Mapping):
        return {k: _prepared_value(get_args(kind)[1], v, join(path, str(k)), found) for k, v in value.items()}
    name = None if kind is dict else env_name(to_config(value) if is_env_var(value) else value)
    if name is not None:
        return _from_environment(kind, name, path, found)
    if isinstance(kind, type) and issubclass(kind, Enum) and isinstance(value, str) and value in kind.__members__:
        return kind[value].value
    if kind in SCALARS and value is not None:
        found += Scalar(kind).issues(value, path)
    return value


def parse_field(field: FieldInfo, value: Any) -> Any:
    """One field's value from run config that has no issues."""
    annotated: Any = Annotated[field.annotation, field]
    adapter: TypeAdapter[Any] = TypeAdapter(annotated)
    return adapter.validate_python(_prepared_value(field.annotation, value, "", []))


def _from_environment(kind: Any, name: str, path: str, found: list[Issue]) -> Any:
    scalar = Scalar(kind if kind in SCALARS else str)
    issues = scalar.issues({"env": name}, path)
    found += issues
    return None if issues else scalar.resolve({"env": name})


def _plain(annotation: Any) -> Any:
    """An annotation without Annotated and without ``| None``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _model_of(annotation: Any) -> type[BaseModel] | None:
    kind = _plain(annotation)
    return kind if isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel) else None


def _issue(model: type[BaseModel], item: Any, path: str) -> Issue:
    place = path
    for part in item["loc"]:
        place = join(place, str(part))
    kind, got = item["type"], item["input"]
    if kind == "missing":
        return place, f"is required{_takes_of(model, item['loc'])}"
    if kind == "extra_forbidden":
        known = _names_at(model, item["loc"][:-1])
        told = did_you_mean(str(item["loc"][-1]), known) or (f" Known: {listing(known)}." if known else "")
        return place, f"no field named '{item['loc'][-1]}'.{told}"
    if kind in _TAKES:
        return place, f"takes {_TAKES[kind]}, got {shown(got)}"
    return place, f"{item['msg']}, got {shown(got)}"


def _takes_of(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    holder = _model_at(model, loc[:-1])
    field = holder.model_fields.get(str(loc[-1])) if holder else None
    kind = _plain(field.annotation) if field else None
    if kind in SCALARS:
        return f" and takes {Scalar(kind).takes}"
    return " and takes a dict of fields" if _model_of(kind) else ""


def _names_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    holder = _model_at(model, loc)
    return list(holder.model_fields) if holder else []


def _model_at(model: type[BaseModel], loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model that a place of an error is in; None inside lists and unions."""
    found: type[BaseModel] | None = model
    for part in loc:
        field = found.model_fields.get(str(part)) if found else None
        found = _model_of(field.annotation) if field else None
    return found


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Defaults of the fields that have one, in the form of run config."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if field.is_required():
            found.update(_only(**{name: _defaults(inner)}) if inner else {})
        elif field.default is not PydanticUndefined:
            found[name] = to_config(field.default)
        elif field.default_factory is not None:
            found.update(_from_factory(name, field))
    return found


def _from_factory(name: str, field: FieldInfo) -> dict[str, Any]:
    try:
        return {name: to_config(field.get_default(call_default_factory=True, validated_data={}))}
    except Exception:  # noqa: BLE001 - the user's factory may need other fields; then there is no default to show
        return {}


def to_config(value: Any) -> Any:
    """A value as run config spells it: models as dicts, EnvVars as ``{env: NAME}``, enums by name."""
    if isinstance(value, EnvVar | IntEnvVar):
        return {"env": value.env_var_name}
    if isinstance(value, BaseModel):
        extra = value.model_extra or {}
        return {name: to_config(item) for name, item in [*value.__dict__.items(), *extra.items()]}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {key: to_config(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_config(item) for item in value]
    return (
        value
        if value is None or isinstance(value, str | int | float | bool)
        else to_jsonable_python(value, fallback=repr)
    )


def with_env_read(model: Any) -> Any:
    """The model with each EnvVar replaced by what it holds, checked again.

    Raises:
        UserError: a variable is not set, or holds what its field does not take (ValidationError).
    """
    if not isinstance(model, BaseModel):
        return model
    changed = {name: _env_read(item) for name, item in model.__dict__.items()}
    if all(changed[name] is item for name, item in model.__dict__.items()):
        return model
    fields = type(model).model_fields
    given = {
        name: item
        for name, item in changed.items()
        if name in model.model_fields_set or is_env_var(getattr(model, name)) or name not in fields
    }
    return type(model)(**{**given, **(model.model_extra or {})})


def _env_read(value: Any) -> Any:
    if is_env_var(value):
        return read(value)
    return with_env_read(value) if getattr(value, "__runyard_kind__", "") == "config" else value
