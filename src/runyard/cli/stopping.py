"""How ``runyard dev`` ends its runs before it ends itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.errors import LocationUnavailable, UserError
from ..core.run import ACTIVE, Run
from ..core.text import counted
from .processes import who

if TYPE_CHECKING:
    from ..wiring import Control

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5
_MANY = 10_000


class Ending:
    """Ends the runs of a process, all but those of locations that another process with daemons serves too."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._kept = {name: other for other in control.others() if other.daemons for name in other.locations}

    def left_to_others(self) -> str:
        """``: 2 runs go on, served by runyard dev (process 4711).``, empty without other processes."""
        if not self._kept:
            return ""
        others = " and ".join(dict.fromkeys(who(other) for other in self._kept.values()))
        left = sum(run.location_name in self._kept for run in self._active())
        return f": {counted(left, 'run')} {'goes' if left == 1 else 'go'} on, served by {others}."

    def cancel_runs(self) -> None:
        """Ask every run of ours to stop."""
        for run in self._own_runs():
            self._cancel(run)

    def wait_for_runs(self, insisted: threading.Event, say: Callable[[str], None]) -> None:
        """Return when no run of ours is active any more, or as soon as ``insisted`` is set."""
        told = -1
        while not insisted.is_set() and (left := len(self._own_runs())):
            if left != told:
                say(f"Waiting for {counted(left, 'run')} to end; Ctrl-C again kills.")
                told = left
            self._control.instance.clock.wait(insisted, LOOK_EVERY)

    def kill_runs(self) -> None:
        """SIGKILL for the workers that are left."""
        for run in self._own_runs():
            self._kill(run)

    def _own_runs(self) -> list[Run]:
        """Active runs of this process's locations that no other serves, also with the host of a process that has ended;
        those of other machines that share the database are left alone.
        """
        from ..locations.processes import machine_name

        ours = {location.name for location in self._control.workspace.all()} - self._kept.keys()
        hosts = self._control.instance.stores.hosts.all()
        here = {None, *(host.host_id for host in hosts if host.machine == machine_name())}
        return [run for run in self._active() if run.location_name in ours and run.host_id in here]

    def _active(self) -> list[Run]:
        from ..storage.protocols import RunsFilter

        return list(self._control.instance.stores.runs.list(RunsFilter(statuses=tuple(ACTIVE)), limit=_MANY))

    def _cancel(self, run: Run) -> None:
        from ..operations.cancel import cancel

        instance = self._control.instance
        try:
            cancel(instance.stores, run.run_id, by="the end of runyard dev", clock=instance.clock)
        except UserError as error:
            # It ended between the two looks, or was deleted: either way it is over.
            logger.debug("not canceled: %s", error)

    def _kill(self, run: Run) -> None:
        location = self._control.workspace.get(run.location_name)
        try:
            if location is not None:
                location.terminate(run.run_id, attempt=run.attempt, force=True, timeout=2.0)
        except LocationUnavailable as error:
            logger.warning("Run %s may still run: %s", run.run_id[:8], error)
