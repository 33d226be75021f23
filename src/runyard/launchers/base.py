"""What the run queue asks of a way to start workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..core.launch import LaunchResult, LaunchSpec
from ..core.run import Run
from ..locations.api import Location


class LostWorker(NamedTuple):
    """The worker of a run's attempt is not there any more, and nobody has said how it ended. ``reason``: a sentence."""

    run_id: str
    attempt: int
    reason: str


class Launcher(Protocol):
    """Starts workers for claimed runs. Workers report by themselves; only the hand-over is answered here."""

    def capacity(self) -> int | None:
        """How many launches of one location may be unacknowledged (run STARTING) at a time; None: any number."""
        ...

    def launch(self, location: Location, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        """Start a worker for each, within ``timeout`` seconds, once per (run, attempt).

        Raises:
            LocationUnavailable: it could not be asked; whether it heard is unknown, the tokens make a repeat safe.
        """
        ...

    def health(self, location: Location, runs: Sequence[Run], *, timeout: float) -> Sequence[LostWorker]:
        """Those of these STARTED runs whose worker is known to be gone; of the others nothing is said.

        Raises:
            LocationUnavailable: it could not be asked within ``timeout`` seconds.
        """
        ...
