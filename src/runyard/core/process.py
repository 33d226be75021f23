"""Long-lived processes that serve an instance: ``runyard dev``, ``runyard webserver``, ``runyard-daemon run``."""

from __future__ import annotations

import msgspec


class SettingsState(msgspec.Struct, frozen=True, kw_only=True):
    """How a process stands to the instance file, which it reads again when it changes."""

    file: str | None = None
    #: Keys that were changed in the file and that take effect when the process is started again.
    restart: tuple[str, ...] = ()
    #: Why the file as it is now cannot be used. The last good settings stay in force.
    problem: str | None = None


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A serving process. pid and ``pid_started`` name it for ever on its machine. Times are seconds since the epoch."""

    process_id: str
    #: As typed: ``runyard dev``.
    command: str
    machine: str
    pid: int
    pid_started: int
    home: str
    started_at: float
    #: When it last said that it is there.
    at: float
    #: Whether it runs daemons; one that does not only serves pages.
    daemons: bool
    #: Where its pages are.
    address: str | None = None
    #: The code locations that it holds.
    locations: tuple[str, ...] = ()
    settings: SettingsState = SettingsState()

    def precedes(self, other: ProcessRecord) -> bool:
        """Whether this one's code is published where both hold a location: runs are executed by it."""
        return self._rank() < other._rank()

    def _rank(self) -> tuple[bool, float, str]:
        return not self.daemons, self.started_at, self.process_id
