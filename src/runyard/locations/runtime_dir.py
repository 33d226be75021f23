"""Where sockets and locks live: a short private directory, because a Unix socket's path ends at 107 bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from ..core.errors import RunyardError

LONGEST_BASE = 60


class RuntimeDirUnsafe(RunyardError):
    """The directory for sockets exists and belongs to somebody else, or others may write to it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The runtime directory {path} cannot be trusted: {reason}. Remove it and start again.")


def runtime_dir(home: str) -> str:
    """The instance's runtime directory, made if it is missing: the same for every process of this user and home.

    Raises:
        RuntimeDirUnsafe: it exists but another user owns it or may enter it.
    """
    digest = hashlib.sha256(str(Path(home).resolve()).encode()).hexdigest()[:12]
    base = _base()
    _private(base)
    return str(_private(base / digest))


def short_name(location_name: str) -> str:
    """A file name for a location of any name."""
    return hashlib.sha256(location_name.encode()).hexdigest()[:10]


def worker_socket(directory: str, location_name: str) -> Path:
    """Where workers of a location find its host again after theirs is gone."""
    return Path(directory) / f"{short_name(location_name)}.workers"


def _base() -> Path:
    xdg = os.environ.get("XDG_RUNTIME_DIR")
    if xdg and len(xdg) <= LONGEST_BASE and _is_own(Path(xdg)):
        return Path(xdg) / "runyard"
    temporary = Path(tempfile.gettempdir())
    # Sockets do not fit below a long TMPDIR (macOS gives each user one of 50 bytes, test runners longer ones).
    parent = temporary if len(str(temporary)) <= LONGEST_BASE else Path("/tmp")  # noqa: S108 - made 0700 and checked
    return parent / f"runyard-{os.getuid()}"


def _is_own(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise RuntimeDirUnsafe(path, "it is no directory")
    if found.st_uid != os.getuid():
        raise RuntimeDirUnsafe(path, f"user {found.st_uid} owns it")
    if found.st_mode & 0o077:
        raise RuntimeDirUnsafe(path, f"its mode is {stat.S_IMODE(found.st_mode):o}, not 700")
    return path
