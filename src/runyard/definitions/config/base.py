"""Typed config: classes with fields, checked by pydantic. The only module of the API that imports it at its top."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidatorFunctionWrapHandler, field_validator

from .env import is_env_var


class EnvAware(BaseModel):
    """A model whose fields may hold an ``EnvVar`` until it is used."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

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
