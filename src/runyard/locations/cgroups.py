"""Control groups, version 2: all that a process has started, held together by the kernel whatever becomes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_KILL, _PROCS = "cgroup.kill", "cgroup.procs"


def group_of(pid: int) -> Path | None:
    """The directory of a process's group; None without such a process, or where nothing of version 2 is mounted."""
    mounted = _mounted()
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    path = next((line[3:] for line in lines if line.startswith("0::")), None)
    if mounted is None or path is None:
        return None
    root, mount = mounted
    return mount / os.path.relpath(path, root) if Path(path).is_relative_to(root) else None


def _mounted() -> tuple[str, Path] | None:
    """Which part of the hierarchy is mounted, and where: with both versions about it is not at the usual place."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        fields, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            _, _, _, root, place = fields.split()[:5]
            return root, Path(place.encode().decode("unicode_escape"))
    return None


def make_home(name: str, is_home: Callable[[str], object]) -> Path | None:
    """A group below this process's own in which workers get theirs; None where that cannot be done.

    ``is_home`` tells the name of such a group: a process that is in one leaves it first.
    """
    own = group_of(os.getpid())
    if own is None:
        return None
    within = next((place for place in reversed((own, *own.parents)) if is_home(place.name)), None)
    if within is not None:
        own = within.parent
        _move(own, 0)
    if not os.access(own / _PROCS, os.W_OK):
        return None
    home = own / name
    try:
        home.mkdir(exist_ok=True)
    except OSError:
        return None
    if (home / _KILL).exists():
        return home
    home.rmdir()  # a kernel before 5.14
    return None


def place(group: Path, pid: int) -> bool:
    """Move a process into a group, made for it; its children of later are born there. False when it stays out.

    Takes some 10 ms, nearly all of them waiting: the kernel first sees to it that nobody forks meanwhile.
    """
    try:
        # A step's group is inside of its run's, which may be gone already.
        group.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    if _move(group, pid):
        return True
    remove(group)
    return False


def _move(group: Path, pid: int) -> bool:
    """0 is this process itself. False when it may not, or when there is no such process any more."""
    try:
        (group / _PROCS).write_text(str(pid))
    except OSError:
        return False
    return True


def members(group: Path) -> set[int]:
    """Every process of the group and of those inside of it."""
    found: set[int] = set()
    # Groups may be removed meanwhile, which walk passes over too.
    for directory, _, _ in os.walk(group):
        with suppress(OSError):
            found.update(map(int, (Path(directory) / _PROCS).read_text().split()))
    return found


def kill(group: Path) -> bool:
    """SIGKILL to every process of the group and of those inside of it; False when there is no such group."""
    try:
        (group / _KILL).write_text("1")
    except OSError:
        return False
    return True


def remove(group: Path) -> bool:
    """Remove the group and those inside of it; False while a process is in it, be it a dying one."""
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        gone = [remove(Path(entry.path)) for entry in os.scandir(group) if entry.is_dir()]
        return bool(gone) and all(gone) and _removed(group)
    return True


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return not group.exists()
    return True
