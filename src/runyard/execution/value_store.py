"""Where the values that steps hand on are kept, beside the memory of the process that made them."""

from __future__ import annotations

from typing import Any, Protocol


class ValueStore(Protocol):
    """Values by run, step and output."""

    def get(self, run_id: str, step_key: str, output: str) -> Any:
        """The value.

        Raises:
            ValueMissing: it is not there, cannot be read back, or another user could have written it.
        """
        ...

    def has(self, run_id: str, step_key: str, output: str) -> bool: ...

    def put(self, run_id: str, step_key: str, output: str, value: Any) -> None:
        """Store the value in the place of one that may be there.

        Raises:
            ValueNotStorable: it cannot be stored.
        """
        ...
