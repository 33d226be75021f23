"""What is wrong with one schedule or sensor, noted rather than raised, so that what is beside it loads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..core.errors import InvalidDefinition


class Problems:
    """Sentences that name the definition. One that has any is shown with them and cannot be started."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @contextmanager
    def noted(self, owner: str | None = None) -> Iterator[None]:
        """Note an InvalidDefinition of the block instead of letting it through; ``owner`` goes before its message."""
        try:
            yield
        except InvalidDefinition as error:
            self._found.append(f"{owner}: {error}" if owner else str(error))

    def text(self, *more: str) -> str | None:
        """All of them with ``more`` on one line; None when there are none."""
        return " ".join(" ".join([*self._found, *more]).split()) or None
