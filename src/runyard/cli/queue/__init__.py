"""``runyard queue``: what waits, why, and what a person may do about it."""

from __future__ import annotations

import click

from ..commands import Group
from .looking import explain, history, list_queue
from .pausing import drain, list_pauses, pause, resume
from .simulating import simulate
from .steering import cancel, hold, release, set_priority


@click.group(cls=Group)
def queue() -> None:
    """Look at the queue and steer it."""


_COMMANDS = (
    *(list_queue, explain, history),
    *(set_priority, hold, release, cancel),
    *(pause, resume, drain, list_pauses),
    simulate,
)
for command in _COMMANDS:
    queue.add_command(command)
