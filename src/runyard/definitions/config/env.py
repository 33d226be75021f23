"""Values that come from environment variables when a run starts, not when the code is loaded."""

from __future__ import annotations

import os
from typing import Any

from ...core.errors import UserError


class MissingEnvironmentVariable(UserError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"environment variable '{name}' is not set")


class EnvVar(str):
    """``EnvVar("DB_URL")``: the variable's value, read when the resource or config is used.

    It is a string so that it fits string fields; the string is the variable's name.
    """

    __slots__ = ()

    @classmethod
    def int(cls, name: str) -> IntEnvVar:
        """The same for whole-number fields."""
        return IntEnvVar.named(name)

    @property
    def env_var_name(self) -> str:
        return str(self)

    def get_value(self, default: str | None = None) -> str | None:
        """The value now, or ``default`` when the variable is not set."""
        return os.environ.get(str(self), default)

    def __repr__(self) -> str:
        return f"EnvVar({str(self)!r})"


class IntEnvVar(int):
    """A whole number that an environment variable holds; counts as 0 until it is read."""

    env_var_name: str

    @classmethod
    def named(cls, name: str) -> IntEnvVar:
        value = cls(0)
        value.env_var_name = name
        return value

    def get_value(self, default: int | None = None) -> int | None:
        """The value now, or ``default`` when the variable is not set. Raises ValueError for one that is no number."""
        text = os.environ.get(self.env_var_name)
        return default if text is None else int(text)

    def __repr__(self) -> str:
        return f"EnvVar.int({self.env_var_name!r})"


def is_env_var(value: Any) -> bool:
    return isinstance(value, EnvVar | IntEnvVar)


def read(value: Any) -> Any:
    """``value``, or what its environment variable holds.

    Raises:
        MissingEnvironmentVariable: it is not set.
        UserError: a whole number is wanted and the variable holds something else.
    """
    if not isinstance(value, EnvVar | IntEnvVar):
        return value
    try:
        found = value.get_value()
    except ValueError:
        raise UserError(f"environment variable '{value.env_var_name}' does not hold a whole number") from None
    if found is None:
        raise MissingEnvironmentVariable(value.env_var_name)
    return found


def env_name(value: Any) -> str | None:
    """NAME of ``{"env": "NAME"}`` as run config spells it, else None."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("env"), str):
        return str(value["env"])
    return None
