"""How ``runyard dev`` ends its runs before it ends itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.errors import LocationUnavailable, UserError
from ..core.run import ACTIVE, Run

if TYPE_CHECKING:
    from ..wiring import Control

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5
_MANY = 10_000


def own_runs(control: Control) -> list[Run]:
    """Active runs of this process's hosts; those of other machines that share the database are left alone."""
    from ..storage.protocols import RunsFilter

    hosts = {location.name: location.record().host_id for location in control.workspace.all()}
    active = control.instance.stores.runs.list(RunsFilter(statuses=tuple(ACTIVE)), limit=_MANY)
    return [run for run in active if run.location_name in hosts and run.host_id in (None, hosts[run.location_name])]


def cancel_runs(control: Control) -> None:
    """Ask every run of ours to stop."""
    for run in own_runs(control):
        _cancel(control, run)


def _cancel(control: Control, run: Run) -> None:
    from ..operations.cancel import cancel

    try:
        cancel(control.instance.stores, run.run_id, by="the end of runyard dev", clock=control.instance.clock)
    except UserError as error:
        # It ended between the two looks, or was deleted: either way it is over.
        logger.debug("not canceled: %s", error)


def wait_for_runs(control: Control, insisted: threading.Event, say: Callable[[str], None]) -> None:
    """Return when no run of ours is active any more, or as soon as ``insisted`` is set."""
    told = -1
    while not insisted.is_set() and (left := len(own_runs(control))):
        if left != told:
            say(f"Waiting for {left} run{'s' if left > 1 else ''} to end; Ctrl-C again kills.")
            told = left
        control.instance.clock.wait(insisted, LOOK_EVERY)


def kill_runs(control: Control) -> None:
    """SIGKILL for the workers that are left."""
    for run in own_runs(control):
        _kill(control, run)


def _kill(control: Control, run: Run) -> None:
    location = control.workspace.get(run.location_name)
    try:
        if location is not None:
            location.terminate(run.run_id, attempt=run.attempt, force=True, timeout=2.0)
    except LocationUnavailable as error:
        logger.warning("Run %s may still run: %s", run.run_id[:8], error)
