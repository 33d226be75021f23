"""What ends a run from outside of it, and what keeps one from beginning."""

from __future__ import annotations

from ..core.errors import UserError


class RunCancelled(BaseException):
    """Raised inside user code, by the worker's SIGTERM handler, when the run is to stop.

    No Exception, so that user code's ``except Exception`` lets it through.
    """

    def __init__(self, message: str = "The run was canceled.") -> None:
        super().__init__(message)


class SelectionImpossible(UserError):
    """The steps that were selected cannot be done alone, or do not exist."""
