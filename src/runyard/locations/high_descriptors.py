"""Descriptors of ours with numbers that user code seldom closes, and that what it opens afterwards does not get."""

from __future__ import annotations

import errno
import fcntl
import os
import socket

#: Beyond those that code which closes "everything" usually counts to.
_FROM = 500
_NONE_LEFT = (errno.EINVAL, errno.EMFILE)


def high_copy(number: int) -> int:
    """A copy with a high number; with any when the process may have no high ones.

    Raises:
        OSError: ``number`` is not open, or no number is left.
    """
    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _FROM)
    except OSError as error:
        if error.errno not in _NONE_LEFT:
            raise
        return os.dup(number)


def moved_high(number: int) -> int:
    """The same file with a high number; ``number`` is closed."""
    copy = high_copy(number)
    os.close(number)
    return copy


def socket_moved_high(end: socket.socket) -> socket.socket:
    """The same connection with a high number; ``end`` is closed."""
    return socket.socket(fileno=moved_high(end.detach()))
