"""The names of the files in a runtime directory, and how long the path of such a directory may be.

The kernel limits the path of a Unix socket. Each file of the directory gets its name from this module, so that the
limit is computed from the longest one.
"""

from __future__ import annotations

import hashlib
import sys

#: What the kernel takes as the path of a Unix socket without the closing NUL, in bytes.
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103
_ID = 8


def home_name(home: str) -> str:
    """The name of an instance's runtime directory; ``home`` is a resolved path."""
    return _digest(home, 12)


def short_name(location_name: str) -> str:
    """A file name of fixed length for a location of any name."""
    return _digest(location_name, 10)


def host_socket(directory: str, location_name: str, host_id: str) -> str:
    """Where the control process calls a host."""
    return f"{directory}/{short_name(location_name)}.{host_id[:_ID]}.grpc"


def worker_socket(directory: str, location_name: str) -> str:
    """Where workers of a location find its host again after theirs is gone."""
    return f"{directory}/{short_name(location_name)}.workers"


def new_worker_socket(directory: str, location_name: str, host_id: str) -> str:
    """Where a new host binds before it takes the place of ``worker_socket``."""
    return f"{directory}/{short_name(location_name)}.{host_id[:_ID]}"


def wake_socket(directory: str, listener_id: str) -> str:
    """Where a process receives wake-ups."""
    return f"{directory}/{_WAKE}{listener_id[:_ID]}.sock"


def is_wake_socket(name: str) -> bool:
    return name.startswith(_WAKE)


def start_lock(directory: str, location_name: str) -> str:
    """The lock of the process that starts a location's host."""
    return f"{directory}/{short_name(location_name)}.lock"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:length]


_WAKE = "wake-"
_AN_ID = "0" * 36
#: Every file of the directory, with the slash before its name.
_FILES = (
    host_socket("", "", _AN_ID),
    worker_socket("", ""),
    new_worker_socket("", "", _AN_ID),
    wake_socket("", _AN_ID),
    start_lock("", ""),
)
#: The longest path of a runtime directory, in bytes.
LONGEST_DIRECTORY = LONGEST_SOCKET_PATH - max(map(len, _FILES))
#: The longest path of the directory that holds the runtime directories of a user.
LONGEST_BASE = LONGEST_DIRECTORY - len("/" + home_name(""))
#: The name of that directory where the system gives each user a place of his own, and the longest path of the place.
OWN_BASE = "runyard"
LONGEST_OWN_PLACE = LONGEST_BASE - len("/" + OWN_BASE)
