"""Which directory has an instance's sockets and locks: one with a short path, because a Unix socket's has a limit."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..core.runtime_files import LONGEST_BASE, LONGEST_OWN_PLACE, OWN_BASE, home_name


def runtime_dir(home: str) -> str:
    """The instance's runtime directory: the same for every process of this user and home. Opening storage makes it."""
    return f"{_base()}/{home_name(str(Path(home).resolve()))}"


def _base() -> str:
    own_place = os.environ.get("XDG_RUNTIME_DIR")
    if own_place and _fits(own_place, LONGEST_OWN_PLACE) and _is_own(own_place):
        return os.path.join(own_place, OWN_BASE)  # noqa: PTH118 - paths of sockets are str
    name = f"{OWN_BASE}-{os.getuid()}"
    temporary = tempfile.gettempdir()
    # Sockets do not fit below a long TMPDIR: macOS gives each user one of 50 bytes, test runners longer ones.
    parent = temporary if _fits(f"{temporary}/{name}", LONGEST_BASE) else "/tmp"  # noqa: S108 - made 0700 and checked
    return f"{parent.rstrip('/')}/{name}"


def _fits(path: str, longest: int) -> bool:
    return len(os.fsencode(path)) <= longest


def _is_own(path: str) -> bool:
    try:
        return Path(path).stat().st_uid == os.getuid()
    except OSError:
        return False
