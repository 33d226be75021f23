"""Open descriptors by what sharing them between workers would do."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_SQLITE = b"SQLite format 3\0"
#: A driver's devices: whoever has one open has a context there that belongs to this process alone.
_GPU_DEVICES = {"/dev/nvidia": "CUDA", "/dev/kfd": "ROCm"}
#: Inherited by design.
STANDARD = frozenset({0, 1, 2})


def open_descriptors() -> list[int]:
    """Numbers of all open descriptors, and that of the listing itself, which is closed by now."""
    place = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return [int(name) for name in os.listdir(place)]  # noqa: PTH208 - names are all that is wanted


def is_connection(fd: int) -> bool:
    """Whether bytes of several processes would mix there: streams, pipes and event queues.

    Files are not: appending to one from several processes is what a log opened at import wants. Nor are datagrams,
    which arrive whole.
    """
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False  # the listing's own, closed by now
    if stat.S_ISSOCK(mode):
        return _socket_type(fd) not in (socket.SOCK_DGRAM, socket.SOCK_RAW)
    return not (stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode))


def is_regular(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        return False


def identities(descriptors: Collection[int]) -> dict[int, str]:
    """What each descriptor that is still open refers to; two pipes or sockets are never called the same."""
    found = {}
    for fd in descriptors:
        with suppress(OSError):
            found[fd] = str(Path(f"/proc/self/fd/{fd}").readlink())
    return found


def connections_by_words(ours: Collection[int]) -> dict[int, str]:
    """The connections that user code opened, but for those that listen, each in words."""
    found = [fd for fd in open_descriptors() if fd not in STANDARD and fd not in ours and is_connection(fd)]
    return {fd: words for fd in found if (words := _in_words(fd)) is not None}


def database_files() -> list[str]:
    """Paths of the SQLite databases that are open: SQLite forbids to carry one across a fork."""
    regular = [fd for fd in open_descriptors() if fd not in STANDARD and is_regular(fd)]
    return sorted({path for fd, path in identities(regular).items() if _starts_with(fd, _SQLITE)})


def gpu_context(descriptors: Path = Path("/proc/self/fd")) -> str | None:
    """The kind of GPU context that is open, by the device files that the driver keeps."""
    for descriptor in descriptors.iterdir() if descriptors.exists() else ():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue  # the listing's own descriptor
        for device, kind in _GPU_DEVICES.items():
            if target.startswith(device):
                return kind
    return None


def _socket_type(fd: int) -> int:
    borrowed = socket.socket(fileno=fd)
    try:
        # Linux adds flags to ``type`` that the option does not have.
        return borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    finally:
        borrowed.detach()


def _in_words(fd: int) -> str | None:
    mode = os.fstat(fd).st_mode
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if not stat.S_ISSOCK(mode):
        return "an event loop or another queue of the kernel"
    borrowed = socket.socket(fileno=fd)
    try:
        if borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return None
        return _peer(borrowed)
    finally:
        borrowed.detach()


def _peer(connection: socket.socket) -> str:
    try:
        peer = connection.getpeername()
    except OSError:
        return "a socket"
    if isinstance(peer, tuple):
        return f"a connection to {peer[0]}:{peer[1]}"
    return f"a connection to {peer}" if peer else "a pair of sockets"


def _starts_with(fd: int, magic: bytes) -> bool:
    try:
        return os.pread(fd, len(magic), 0) == magic
    except OSError:
        return False  # open for writing only
