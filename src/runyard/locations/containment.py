"""How a worker holds together what its user code starts, so that all of it can be found and ended with it."""

from __future__ import annotations

import os
import signal

from ..core.launch import LaunchSpec
from ..core.step import StepOrder
from . import cgroups
from .messages import Setup
from .process_mark import kill_marked, own_mark, put_on
from .processes import become_subreaper, children, kill_group, send_signal, wait_status


def tree_name(run_id: str, attempt: int, number: int | None = None) -> str:
    """Names the processes of one attempt of a run, or of its step process ``number``, which are part of them."""
    run = f"{run_id}.{attempt}"
    return run if number is None else f"{run}/{number}"


def enter_tree(setup: Setup, launch: LaunchSpec, step: StepOrder | None) -> None:
    """In a run or step worker, before user code. Where its host makes no group for it, orphans of its children become
    its own children, and once it is dead its host's.
    """
    put_on(f"{setup.tree_home}/{tree_name(launch.run_id, launch.attempt, step.number if step else None)}")
    if not setup.groups:
        become_subreaper()


def kill_own_tree() -> None:
    """SIGKILL to all that this process has started, and to itself, when no host is there to do it."""
    # First what was forked before this process was put into its group: killing that ends this process too.
    kill_marked([own_mark()] if own_mark() else [])
    # What a killed child leaves becomes a child in its turn.
    while found := children():
        for child in found:
            send_signal(child, signal.SIGKILL)
            wait_status(child, block=True)
    group = cgroups.group_of(os.getpid())
    if group is not None and str(group).endswith(f"/{own_mark()}"):
        cgroups.kill(group)
    kill_group(os.getpid())
