"""Workers with all that their user code has started: stopped together, and nothing left of them when they are gone."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ...core.leftovers import Leftover
from .. import cgroups
from ..containment import tree_name
from ..process_mark import is_part, kill_marked, mark_of, marked
from ..processes import command_of, is_alive, kill_group, send_signal, started_at

#: How often a new look is taken for what was forked while others were killed, or takes its time to die.
_LOOKS = 50
#: Seconds between looks at what takes its time.
_PAUSE = 0.01
#: The trees of a host: of which location, and the process with its start time.
_HOME = re.compile(r"runyard-host\.[0-9a-f]{8}\.[0-9]+\.[0-9]+")
_SEES_PROCESSES = Path("/proc/self/environ").exists()
#: In the command lines of zygotes and of spawned workers.
_OUR_COMMANDS = "runyard.locations."
#: In the environment of a host: it may be started by user code, and is no part of its run.
HOST_MARK = "host"


#: Called, in the loop's thread, with what is about to be killed.
OnLeft = Callable[[Sequence[Leftover]], None]


class ProcessTree:
    """One worker's processes. Methods may be called from any thread."""

    def __init__(self, trees: ProcessTrees, mark: str, group: Path | None) -> None:
        self._trees, self.mark, self.group = trees, mark, group

    def stop(self, pid: int, *, force: bool) -> None:
        """SIGTERM to a worker; SIGKILL to it and all that it has started when ``force``."""
        if not force:
            send_signal(pid, signal.SIGTERM)
            return
        # The worker may not be in its group yet.
        send_signal(pid, signal.SIGKILL)
        kill_group(pid)
        if self.group is not None:
            cgroups.kill(self.group)

    def place(self, pid: int) -> Future[bool] | None:
        """Have the worker, just started, put into its group: it does not wait for that."""
        return self._trees.place(self, pid)

    def ended(self, pid: int, *, well: bool, grace_until: float = 0.0, report: OnLeft | None = None) -> None:
        """The worker is gone: so is, soon, what it has started.

        At once when it died. What a worker that ended ``well`` leaves may end by itself until ``grace_until``, and at
        least until the look after the next: Python's own trackers of shared memory tidy up once their parent is gone.
        What has not ended then goes to ``report`` and is killed.
        """
        if not well:
            if self.group is not None:
                cgroups.kill(self.group)
            kill_group(pid)
            # What it forked before it was in its group has the mark alone.
            kill_marked([self.mark])
        elif not _SEES_PROCESSES:
            kill_group(pid)
        self.forget(grace_until if well else 0.0, report)

    def forget(self, grace_until: float = 0.0, report: OnLeft | None = None) -> None:
        """Nobody of ours is in it any more."""
        self._trees.forget(_Over(self, grace_until, report))

    def find(self, marks: Mapping[int, str]) -> set[int]:
        """The live processes of the tree; ``marks`` by pid are those of all processes."""
        mine = {pid for pid, mark in marks.items() if is_part(mark, [self.mark])}
        return mine if self.group is None else mine | cgroups.members(self.group)


class _Over(NamedTuple):
    """A tree whose worker is gone."""

    tree: ProcessTree
    grace_until: float
    report: OnLeft | None


class ProcessTrees:
    """The trees of a host, and those that dead hosts of its location left.

    Args:
        place: names the location on this machine, however often its host changes.
        groups: hold workers by control groups where the system lets this process make them.
    """

    def __init__(self, place: str, *, groups: bool) -> None:
        digest = hashlib.sha256(f"{_pid_namespace()} {place}".encode()).hexdigest()[:8]
        self._family = f"runyard-host.{digest}"
        #: The name of this host's trees: also says whether it lives, for the hosts after it.
        self.home = f"{self._family}.{os.getpid()}.{started_at(os.getpid()) or 0}"
        self.groups = cgroups.make_home(self.home, _HOME.fullmatch) if groups else None
        self._placing = ThreadPoolExecutor(1, thread_name_prefix="groups")
        #: By mark. Their workers are gone; which were so already at the last look.
        self._over: dict[str, _Over] = {}
        self._tidied: set[str] = set()
        self._dead_homes: set[str] = set()

    @property
    def words(self) -> str:
        """How workers' processes are held together, for a log."""
        if self.groups is not None:
            return f"by a control group for each worker, in {self.groups}"
        if _SEES_PROCESSES:
            return "by their sessions and a mark in their environment: no control group (version 2) can be made here"
        return "by their sessions only: a process that makes itself a session of its own outlives its run here"

    def of(self, run_id: str, attempt: int, number: int | None = None) -> ProcessTree:
        """The tree of a run worker, or of step process ``number`` of it, that this host starts."""
        name = tree_name(run_id, attempt, number)
        return ProcessTree(self, f"{self.home}/{name}", self.groups / name if self.groups is not None else None)

    def of_code(self, mark: str) -> ProcessTree:
        """The tree of a zygote and its tick workers. It has no group: run workers are forked in it."""
        return ProcessTree(self, mark, None)

    def place(self, tree: ProcessTree, pid: int) -> Future[bool] | None:
        """See ``ProcessTree.place``."""
        if tree.group is None:
            return None
        return self._placing.submit(self._place, tree.group, pid)

    def _place(self, group: Path, pid: int) -> bool:
        # The number may be a stranger's by now.
        return self.is_ours(mark_of(pid) or "") and cgroups.place(group, pid)

    def found(self, pid: int, run_id: str, attempt: int, number: int | None = None) -> ProcessTree:
        """The tree of a worker that a dead host has started."""
        mark, group = mark_of(pid), cgroups.group_of(pid)
        if mark is None or not self.is_ours(mark):
            return self.of(run_id, attempt, number)
        return ProcessTree(self, mark, group if group is not None and str(group).endswith(f"/{mark}") else None)

    def is_ours(self, mark: str) -> bool:
        """Whether a worker of this location has the mark, of this host or one before."""
        return mark.startswith(f"{self._family}.")

    def forget(self, over: _Over) -> None:
        """What is left of it is ended by ``tidy``."""
        if over.tree.group is not None:
            cgroups.remove(over.tree.group)
        self._over[over.tree.mark] = over

    def in_grace(self) -> set[str]:
        """Marks of trees whose workers are gone and of which something may be left."""
        return set(self._over)

    def tidy(self, now: float) -> None:
        """End what is left of the trees that were forgotten before the last call and whose grace is over."""
        before, self._tidied = self._tidied, set(self._over)
        due = before & self._tidied
        if not due:
            return
        marks = {pid: mark for pid, mark in marked() if self.is_ours(mark)}
        # Parts of a tree are trees of their own, which report what is theirs first.
        ended: set[int] = set()
        for mark in sorted(due, reverse=True):
            over = self._over[mark]
            left = over.tree.find(marks) - ended
            if not left or now >= over.grace_until:
                self._end(over, left)
                ended |= left

    def _end(self, over: _Over, left: Collection[int]) -> None:
        if left and over.report is not None:
            over.report([Leftover(kind="process", name=_command(pid), pid=pid) for pid in sorted(left)])
        group = over.tree.group
        if group is not None:
            cgroups.kill(group)
        if left:
            kill_marked([over.tree.mark])
        if group is None or cgroups.remove(group):
            del self._over[over.tree.mark]

    def end_dead_homes(self, living: Collection[str]) -> None:
        """End what dead hosts left, ``living`` excepted, once they are found dead at two calls: in between their
        workers find this host, or stop themselves.
        """
        homes = {mark.partition("/")[0] for _, mark in marked() if self.is_ours(mark)}
        if self.groups is not None:
            homes.update(self._homes_beside(self.groups.parent))
        dead = {home for home in homes if not _host_lives(home)}
        for home in dead & self._dead_homes:
            self._end_home(home, living)
        self._dead_homes = dead

    def _homes_beside(self, place: Path) -> list[str]:
        """Those of this location; empty ones that dead hosts of others left are removed."""
        homes = [path for path in place.iterdir() if _HOME.fullmatch(path.name)]
        ours = [path.name for path in homes if self.is_ours(path.name)]
        for path in homes:
            if path.name not in ours and not _host_lives(path.name):
                cgroups.remove(path)
        return ours

    def _end_home(self, home: str, living: Collection[str]) -> None:
        kept = [mark for mark in living if mark.startswith(f"{home}/")]
        # By groups first: what throws its environment away cannot leave those.
        if self.groups is not None:
            self._end_groups(self.groups.parent / home, kept)
        kill_marked({mark for _, mark in marked() if mark.startswith(f"{home}/") and not is_part(mark, kept)})

    def _end_groups(self, home: Path, kept: Collection[str]) -> None:
        for group in [path for path in home.glob("*") if path.is_dir()]:
            if not is_part(f"{home.name}/{group.name}", kept):
                cgroups.kill(group)
        cgroups.remove(home)

    def close(self, living: Collection[str]) -> None:
        """The host ends: nothing of its own is left, but for workers that look for another host."""
        self._placing.shutdown()
        self._end_home(self.home, living)
        for _ in range(_LOOKS):
            if self.groups is None or living or cgroups.remove(self.groups):
                return
            threading.Event().wait(_PAUSE)


def _command(pid: int) -> str:
    command = command_of(pid)
    # A fork that executes nothing shows the command line of the process that it was forked from.
    return "forked by Python code" if _OUR_COMMANDS in command else command


def _pid_namespace() -> str:
    """Hosts of another namespace may be seen here, under other numbers: no family of theirs may be judged dead."""
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path, but a name
    except OSError:
        return ""


def _host_lives(home: str) -> bool:
    _, _, pid, started = home.split(".")
    return is_alive(int(pid), int(started))
