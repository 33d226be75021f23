"""What commands say of the processes that serve an instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .output import local_time
from .terminal import echo

if TYPE_CHECKING:
    from ..core.process import ProcessRecord
    from ..operations.instance import Instance
    from ..wiring import Control


def who(process: ProcessRecord) -> str:
    """``runyard dev (process 4711)``."""
    from ..locations.processes import machine_name

    elsewhere = "" if process.machine == machine_name() else f" on {process.machine}"
    return f"{process.command} (process {process.pid}{elsewhere})"


def in_full(process: ProcessRecord) -> str:
    """Who it is, since when it serves, and where its pages are."""
    pages = f", at {process.address}" if process.address else ""
    return f"{who(process)}, since {local_time(process.started_at)}{pages}"


def settings_lines(processes: Sequence[ProcessRecord]) -> Iterator[str]:
    """What of the instance file is not in force in which process."""
    for process in processes:
        state = process.settings
        if state.restart:
            yield f"{who(process)} has to be started again for: {', '.join(state.restart)}"
        if state.problem:
            yield f"{who(process)} cannot use the instance file and keeps the settings of before: {state.problem}"


def say_settings(instance: Instance) -> None:
    """On stderr, what of the instance file is not in force."""
    from ..operations.processes import serving

    for line in settings_lines(serving(instance.stores, clock=instance.clock)):
        echo(f"Note: {line}.", err=True)


def say_others(control: Control, say: Callable[[str], None]) -> None:
    """With whom this process shares the instance."""
    for process in control.others():
        say(f"This home is served by {in_full(process)} too.")


@contextmanager
def naming_who_listens(control: Control) -> Iterator[None]:
    """Says of a port that is in use that a process of this instance has it.

    Raises:
        PortInUse: as before, with the process where it is one of ours.
    """
    from ..web.server import PortInUse

    try:
        yield
    except PortInUse as error:
        for process in control.others():
            if process.address is not None and process.address.endswith(f":{error.port}"):
                raise PortInUse(error.host, error.port, by=in_full(process)) from None
        raise
