"""What ends a run from outside of it, and what keeps one from beginning."""

from __future__ import annotations

from ..core.errors import RunCancelled as RunCancelled  # noqa: PLC0414 - passed on
from ..core.errors import UserError


class SelectionImpossible(UserError):
    """The steps that were selected cannot be done alone, or do not exist."""
