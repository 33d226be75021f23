"""Typed config: classes with fields, checked by pydantic. The only module of the API that imports it at its top."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, PydanticUndefinedAnnotation, ValidatorFunctionWrapHandler, field_validator

from ...core.errors import InvalidDefinition
from ..signature import RESOLVE_ADVICE, Unresolved
from .env import is_env_var

if TYPE_CHECKING:
    from typing_extensions import Self


def require_complete(model: type[BaseModel]) -> None:
    """Raises InvalidDefinition when the annotation of a field names what is not defined by now."""
    if model.__pydantic_complete__ or model.model_rebuild(raise_errors=False):
        return
    try:
        model.model_rebuild()
    except PydanticUndefinedAnnotation as error:
        raise InvalidDefinition(f"{model.__name__}: {_undefined(model, error.name or '?')}") from None


def _undefined(model: type[BaseModel], name: str) -> str:
    """Which field's annotation has the name; it may also be one of a model that a field holds."""
    why = f"the name '{name}' is not defined"
    own = [item for kind in model.__mro__ for item in vars(kind).get("__annotations__", {}).items()]
    for field, annotation in own:
        if isinstance(annotation, str) and re.search(rf"\b{re.escape(name)}\b", annotation):
            return f"field '{field}': {Unresolved(annotation, why).explained()}"
    return f"{why}. {RESOLVE_ADVICE}"


class EnvAware(BaseModel):
    """A model whose fields may hold an ``EnvVar`` until it is used."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    def __new__(cls, *_args: Any, **_fields: Any) -> Self:
        require_complete(cls)
        return super().__new__(cls)

    @field_validator("*", mode="wrap")
    @classmethod
    def _leave_env_vars(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        """An EnvVar is checked when it is read, with the value that it holds then."""
        return value if is_env_var(value) else check(value)


class Config(EnvAware):
    """Base class of typed config. Fields that are not declared are refused.

    ::

        class Render(Config):
            resolution: int = 300

        @op
        def render(config: Render): ...
    """

    __runyard_kind__: ClassVar[str] = "config"

    model_config = ConfigDict(extra="forbid")


class PermissiveConfig(Config):
    """Config that keeps fields which are not declared."""

    model_config = ConfigDict(extra="allow")
