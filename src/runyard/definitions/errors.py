"""Errors about definitions and their use; most have their field name as an alias in ``runyard``."""

from __future__ import annotations

from ..core.errors import RunyardError, UserError


class InvalidInvocation(UserError):
    """An op, schedule or sensor was called in a way that it does not take."""


class InvariantViolation(RunyardError):
    """User code did something at run time that its definition rules out: a required output was not produced."""


class WrongType(UserError):
    """A value does not have the type that its input or output declares."""


class OutputNotFound(UserError):
    """An output was asked for that no step produced."""


class UnknownResource(UserError):
    """User code asked for a resource that it has not declared."""


class LocationLoadError(UserError):
    """The code was imported, but holds nothing that can be loaded, or more than one thing."""


class NoInstance(UserError):
    """``context.instance`` was used where there is no instance."""

    def __init__(self) -> None:
        super().__init__(
            "There is no instance here: pass one as `instance=` to execute_in_process or to the context's builder."
        )
